"""Syntheon's recipe names its answers as the external arm looks for them, and says what is missing."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_runs import fake_run
from menura.evaluation.results import safe_name

SCRIPT = Path(__file__).resolve().parents[2] / "recipes" / "syntheon" / "answer.py"


def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("syntheon_answer", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@given(st.text(max_size=40))
def test_names_are_those_that_the_arm_looks_for(key: str) -> None:
    assert recipe().safe_name(key) == safe_name(key)


def test_it_lists_manifests_folders_and_runs(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    (sounds / "b").mkdir(parents=True)
    for name in ("b/two.wav", "one.flac", "notes.txt"):
        (sounds / name).touch()
    listed = recipe().listed
    assert listed(sounds) == [("b/two.wav", sounds / "b/two.wav"), ("one.flac", sounds / "one.flac")]
    manifest = sounds / "manifest.csv"
    manifest.write_text("file,quick\none.flac,0\nb/two.wav,1\n")
    assert [key for key, _ in listed(manifest)] == ["one.flac", "b/two.wav"]
    assert [key for key, _ in listed(manifest, quick=True)] == ["b/two.wav"]
    run = fake_run(3)
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert listed(tmp_path)[0] == ("src0/sound 0.flac", tmp_path / "targets/0.wav")
    assert len(listed(tmp_path)) == 3  # the disturbed ones are not what is heard
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="names no sound"):
        listed(empty)


def test_without_syntheon_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "one.wav").touch()
    done = subprocess.run(
        [sys.executable, "-S", str(SCRIPT), str(tmp_path), "--out", str(tmp_path / "out")],  # -S: no packages at all
        capture_output=True,
        text=True,
        check=False,
        env={},
    )
    assert done.returncode == 2
    assert "make Syntheon's environment as recipes/syntheon/README.md says" in done.stderr
    assert not (tmp_path / "out").exists()
