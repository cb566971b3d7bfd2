"""Files of every format version that was ever written: they are kept, and read as they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from menura.synths.registry import synth_of

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "synths.json").read_text())
FILES = [("vital", "vital_1_5_5.vital"), ("toy", "toy_1.toy")]


@pytest.mark.parametrize(("name", "file"), FILES)
def test_old_files_are_read_as_they_were(name: str, file: str) -> None:
    synth = synth_of(name)
    preset = synth.read(HERE / file)
    assert preset.name == "Golden"
    assert preset.id == EXPECTED[name]["id"]
    assert synth.write(preset) == (HERE / file).read_bytes()


@pytest.mark.parametrize("name", ["vital", "toy"])
def test_fingerprints_do_not_drift(name: str) -> None:
    # A change here makes every stored vector unreadable: it wants a decision record, and a new golden value.
    assert synth_of(name).space.fingerprint == EXPECTED[name]["fingerprint"]
