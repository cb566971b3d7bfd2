"""Continuous integration holds the metrics against auraloss live; a user's machine may go without torch."""

from __future__ import annotations

import importlib.util
import os

import pytest


@pytest.mark.skipif(not os.environ.get("CI"), reason="only continuous integration must have the references")
@pytest.mark.parametrize("name", ["torch", "auraloss", "librosa", "transformers", "h5py"])
def test_continuous_integration_has_the_references(name: str) -> None:
    assert importlib.util.find_spec(name), f"{name} is missing: .ci/run installs the extra 'reference' before the tests"
