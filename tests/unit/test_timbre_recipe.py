"""The recipe of `timbre` from nothing to a judged network, as small as it can be."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.features.embedders import embedder_of
from menura.training.heard_notes import LIBRARY_PITCHES, TOTAL, third_note
from recipes import recipe_named

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")


@pytest.fixture(scope="module")
def recipe() -> Any:
    return recipe_named("timbre_embedding")


def test_no_part_is_drawn_twice_and_no_third_note_is_a_librarys(recipe: Any) -> None:
    seeds = [recipe.SEEDS[kind] + n for size in recipe.SIZES.values() for kind, n in size.parts.items()]
    assert max(recipe.SIZES["full"].parts["train"] + recipe.SEEDS["train"], *seeds[:1]) < recipe.SEEDS["unseen"]
    notes = [third_note(recipe.SEEDS["train"] + number) for number in range(50)]
    assert len(set(notes)) > 45
    assert all(33 <= note.pitch <= 84 and note.pitch not in LIBRARY_PITCHES for note in notes)
    assert all(note.total == TOTAL and note.hold < note.total for note in notes)


def test_from_nothing_to_a_judged_network(
    recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    smallest = recipe.Size(16, {"train": 1, "unseen": 1}, 3, 8, 4, 4, 2)
    monkeypatch.setitem(recipe.SIZES, "tiny", smallest)
    monkeypatch.setattr(sys, "argv", ["", "all", "--size", "tiny", "--out", str(tmp_path), "--threads", "1"])
    recipe.main()
    answer = json.loads(capsys.readouterr().out)
    assert answer["patches"] == 16
    assert set(answer["unseen"]) == {"timbre", "mel128", "mfcc40", "contour"}
    for scores in answer["unseen"]["timbre"].values():
        assert 0.0 <= scores["top_1"] <= scores["top_5"] <= scores["top_10"] <= 1.0
    card = json.loads((tmp_path / "timbre.json").read_text())
    assert card["judgement"] == answer
    assert card["data"]["patches"] == {"train": 16, "unseen": 16}
    assert card["recipe"] == "recipes/timbre_embedding.py all --size tiny"
    assert card["parity"] < 1e-4
    embedder = embedder_of(f"timbre={tmp_path}")
    assert embedder.dim == card["dim"] == 184
    assert [line["step"] for line in map(json.loads, (tmp_path / "progress.jsonl").read_text().splitlines())] == [2, 3]
    assert "steps = 3\n" in (tmp_path / "settings.toml").read_text()
    # Once more: everything is there, and nothing is done again.
    before = (tmp_path / "timbre.onnx").read_bytes()
    recipe.main()
    assert json.loads(capsys.readouterr().out)["unseen"] == answer["unseen"]
    assert (tmp_path / "timbre.onnx").read_bytes() == before
    assert np.isfinite(answer["cpu_seconds"])
