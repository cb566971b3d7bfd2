"""`menura models`: what is listed and told, and how a name that there is not is answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from menura.cli.app import run
from menura.models import shipped
from menura.models.estimator import CARD, DECODER, ENCODER, FORMAT
from menura.storage import hash_file

CARD_OF_A_MODEL = {
    "format": FORMAT,
    "name": "toy-flow-tiny",
    "kind": "flow",
    "synth": "toy",
    "space": "0123456789abcdef",
    "layout": {},
    "files": {},
    "steps": 8,
    "guidance": 1.5,
    "recipe": "recipes/estimators.py all",
    "training": {"loop": {"seed": 3}},
    "limits": ["It is a test."],
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "toy-flow-tiny"
    folder.mkdir()
    (folder / CARD).write_text(json.dumps(CARD_OF_A_MODEL))
    (folder / ENCODER).write_bytes(b"1234")
    (folder / DECODER).write_bytes(b"123456")
    return folder


def test_a_packaged_model_is_listed_and_found(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shipped, "PACKAGED", model.parent)
    assert run(["models", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["models"]
    size = 10 + (model / CARD).stat().st_size
    assert row == {"name": "toy-flow-tiny", "place": "package", "synth": "toy", "kind": "flow", "bytes": size}
    assert shipped.default_model("toy", "flow") == model
    assert run(["models", "list"]) == 0
    assert "toy-flow-tiny" in capsys.readouterr().out
    assert run(["models", "fetch", "toy-flow-tiny"]) == 0


def test_info_tells_recipe_seed_and_limits(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "info", str(model)]) == 0
    said = capsys.readouterr().out
    for line in ("recipe: recipes/estimators.py all", "training loop.seed: 3", "limit: It is a test."):
        assert line in said
    assert run(["models", "info", str(model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["space"] == "0123456789abcdef"


@pytest.mark.parametrize("command", ["info", "fetch"])
def test_a_model_that_there_is_not_is_one_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", command, "nothing-of-it"]) == 2
    assert "no model is called 'nothing-of-it'" in capsys.readouterr().err


def test_a_model_is_fetched_whole_and_checked(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: hash_file(model / name) for name in (CARD, ENCODER, DECODER)}
    source = shipped.Source("flow", model.as_uri(), files, "GPL-3.0-or-later", 10)
    monkeypatch.setattr(shipped, "FETCHABLE", {"toy-flow-far": source})
    monkeypatch.setattr(shipped.storage, "cache_folder", lambda: tmp_path / "cache")
    assert run(["models", "info", "toy-flow-far"]) == 2
    assert "menura models fetch toy-flow-far" in capsys.readouterr().err
    assert run(["models", "fetch", "toy-flow-far"]) == 0
    assert (shipped.folder_of("toy-flow-far") / ENCODER).read_bytes() == b"1234"
    (model / ENCODER).write_bytes(b"other")
    (tmp_path / "cache" / "models" / "toy-flow-far" / ENCODER).unlink()
    assert run(["models", "fetch", "toy-flow-far"]) == 1
    assert "could not be fetched" in capsys.readouterr().err
