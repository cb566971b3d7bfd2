"""The recipe of neural proxies from nothing to a table, as small as it can be."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.note import Note
from menura.synths.registry import synth_of
from recipes import recipe_named

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")
pytest.importorskip("lightning_fabric", reason="Lightning Fabric is not installed: pip install -e '.[train]'")


@pytest.fixture(scope="module")
def recipe() -> Any:
    return recipe_named("neural_proxies")


@pytest.fixture(scope="module")
def rows_recipe(recipe: Any) -> Any:
    return sys.modules["proxy_rows"]


def asked(recipe: Any, monkeypatch: pytest.MonkeyPatch, out: Path, stage: str, *more: str) -> None:
    common = ["--synth", "toy", "--size", "tiny", "--out", str(out), "--embedder", "mel128", "--accelerator", "cpu"]
    monkeypatch.setattr(sys, "argv", ["", stage, *common, "--threads", "1", "--workers", "1", *more])
    recipe.main()


def test_no_part_is_drawn_twice_and_all_play_c4(rows_recipe: Any) -> None:
    for size in rows_recipe.SIZES.values():
        assert rows_recipe.SEEDS["train"] + size.parts["train"] < rows_recipe.SEEDS["unseen"]
        assert max(size.curve) <= size.part * size.parts["train"]
        assert size.curve[-1] >= 32 * size.curve[0] or size.part < 100
        assert len(size.curve) >= 4
    plain = rows_recipe.part_plan(rows_recipe.SIZES["tiny"], "toy", "train", 0, ["mel128"], False)
    varied = rows_recipe.part_plan(rows_recipe.SIZES["tiny"], "toy", "train", 1, ["mel128"], True)
    assert plain.notes == (Note(60.0, 0.8, 1.0, 1.5),)
    assert varied.notes[-1] == plain.notes[0]
    assert varied.notes[0] != plain.notes[0]
    assert varied.seed != plain.seed


def test_from_nothing_to_a_table(
    recipe: Any,
    rows_recipe: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rng: np.random.Generator,
) -> None:
    smallest = rows_recipe.Size(24, {"train": 1, "unseen": 2}, 24, (8, 24), 0.03, 1, 4, 8, 16, (2, 1))
    monkeypatch.setitem(rows_recipe.SIZES, "tiny", smallest)
    monkeypatch.setattr(rows_recipe, "HELD", {"validation": 0.5, "test": 0.5})
    asked(recipe, monkeypatch, tmp_path, "corpus", "--varied")
    toy = synth_of("toy")
    bank = tmp_path / "bank"
    bank.mkdir()
    for number, vector in enumerate(toy.space.sample(rng, 24)):
        (bank / f"{number}.toy").write_bytes(toy.write(toy.space.decode(vector, toy.init())))
    (bank / "twin.toy").write_bytes((bank / "0.toy").read_bytes())
    (bank / "broken.toy").write_bytes(b"{")
    asked(recipe, monkeypatch, tmp_path, "human", "--bank", str(bank))
    told = capsys.readouterr().err
    assert "'broken': 1" in told
    assert "'a twin': 1" in told
    asked(recipe, monkeypatch, tmp_path, "search", "--encoder", "MLP-OH")
    assert json.loads(capsys.readouterr().out)["rate"] > 0.0
    asked(recipe, monkeypatch, tmp_path, "train", "--seeds", "1")
    asked(recipe, monkeypatch, tmp_path, "scale", "--encoder", "HN-OH")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["encoder"] for line in lines} == {"MLP-OH", "HN-OH", "HN-PT", "HN-PTGRU", "TFM"}
    assert {line["patches"] for line in lines} == {8, 24}
    for line in lines:
        for scores in line["sets"].values():
            assert 0.0 < scores["mrr"] <= 1.0
            assert scores["l1"] > 0.0
            assert scores["draws"] == 100
    assert all(set(line["sets"]) == {"synthetic", "human"} for line in lines)
    asked(recipe, monkeypatch, tmp_path, "speed")
    spoken = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(line["times"] > 1.0 for line in spoken[1:])
    asked(recipe, monkeypatch, tmp_path, "table")
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 2 + 2 * 6
    # Searched settings are the ones that are trained with.
    card = json.loads((tmp_path / "toy" / "runs" / "MLP-OH-mel128-24-0" / "proxy-l1.json").read_text())
    found = json.loads((tmp_path / "toy" / "search" / "MLP-OH.json").read_text())
    assert card["settings"]["rate"] == found["rate"]
    assert {"note_pitch", "note_velocity"} <= {row["name"] for row in card["space"]["parameters"]}
    # All is there: nothing is done again.
    weights = (tmp_path / "toy" / "runs" / "TFM-mel128-24-0" / "state.pt").stat().st_mtime_ns
    asked(recipe, monkeypatch, tmp_path, "train")
    assert (tmp_path / "toy" / "runs" / "TFM-mel128-24-0" / "state.pt").stat().st_mtime_ns == weights
