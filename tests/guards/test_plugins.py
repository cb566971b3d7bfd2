"""Continuous integration tests plug-ins on real instruments; a user's machine may go without."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

from menura.synths.plugins.folders import locate

in_ci = pytest.mark.skipif(not os.environ.get("CI"), reason="only continuous integration must have the plug-ins")


@in_ci
@pytest.mark.parametrize("name", ["dawdreamer", "pedalboard"])
def test_continuous_integration_has_the_hosts(name: str) -> None:
    assert importlib.util.find_spec(name), f"{name} is missing: .ci/run installs the extra 'plugins'"


@in_ci
@pytest.mark.parametrize(
    "name",
    ["http://drobilla.net/plugins/mda/JX10", "http://drobilla.net/plugins/mda/DX10", "Nekobi-vst.so"],
)
def test_continuous_integration_has_the_instruments(name: str) -> None:
    assert locate(name), ".ci/run installs mda-lv2 and dpf-plugins-vst"


@in_ci
def test_continuous_integration_can_build_the_one_that_misbehaves() -> None:
    assert shutil.which("gcc"), ".ci/run installs gcc"
