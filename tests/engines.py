"""Synths whose engine a user's machine may lack. Continuous integration lacks none: there a missing one fails."""

from __future__ import annotations

import os

import pytest

from menura.errors import EngineError, UnknownNameError
from menura.synths.base import Synth
from menura.synths.dx7.hexter import find_hexter
from menura.synths.registry import synth_of


def installed(name: str) -> Synth:
    """The synth, where its engine is; elsewhere the test is skipped with what to install."""
    if os.environ.get("CI"):
        return synth_of(name)
    if name == "dx7" and find_hexter() is None:
        pytest.skip("hexter, which plays DX7 voices, is not installed: apt install hexter")
    try:
        return synth_of(name)
    except (EngineError, UnknownNameError) as error:
        if not name.startswith("plugin:"):
            raise
        pytest.skip(f"{name} cannot be played here ({error}); apt install mda-lv2 dpf-plugins-vst")
