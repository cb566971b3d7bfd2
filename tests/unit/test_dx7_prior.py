"""The DX7's human prior: its table, what is drawn from it, and the space in which estimators answer."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from menura.datasets import dx7_prior
from menura.datasets.dx7_prior import read_table, voice_table
from menura.datasets.sampling import draw_preset, sampler_of, samplers_of
from menura.errors import WorkError
from menura.note import Note
from menura.storage import hash_file
from menura.synths.dx7.controls import control_of, controls
from menura.synths.dx7.synth import Dx7
from menura.synths.patches import patch_space
from menura.synths.registry import synth_of

DX7 = synth_of("dx7")
RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))
    import dx7_prior as found

    yield found
    for name in ("dx7_prior", "prior_tables"):
        sys.modules.pop(name, None)


def test_the_packaged_table_is_small_whole_and_says_where_it_comes_from(shared_data):
    table = voice_table()
    assert len(files("menura.datasets").joinpath("dx7_prior.json").read_bytes()) < 250_000
    assert table.about["voices_sha256"] == hash_file(shared_data / "dx7_voices.npy")
    assert list(table.columns) == [control.name for control in controls()]
    assert table.shares.sum() == pytest.approx(1.0)
    assert bool(np.all((table.copula.loadings**2).sum(axis=1) < 1.0))
    for name, column in table.columns.items():
        assert bool(np.all(np.diff(column.ranks) >= 0)), name
        assert 0 <= column.values.min() <= column.values.max() <= control_of(name).high, name


def test_draws_are_voices_in_the_shares_of_the_table():
    table = voice_table()
    assert "human" in samplers_of(DX7)
    drawn = [draw_preset(sampler_of("human", DX7), DX7, 0, index) for index in range(400)]
    assert drawn[3] == draw_preset(sampler_of("human", DX7), DX7, 0, 3)
    for preset in drawn[:40]:
        assert DX7.read(DX7.write(preset)).values == preset.values
    algorithms = np.array([int(preset.values["algorithm"]) for preset in drawn])
    usual = int(np.argmax(table.shares))
    assert np.mean(algorithms == usual) == pytest.approx(table.shares[usual], abs=0.06)
    # What an algorithm carries is louder than what it modulates with: of number 5, the odd operators are heard.
    fifth = [preset.values for preset in drawn if preset.values["algorithm"] == 4.0]
    heard = np.mean([[values[f"op{n}_output_level"] for n in (1, 3, 5)] for values in fifth])
    modulators = np.mean([[values[f"op{n}_output_level"] for n in (2, 4, 6)] for values in fifth])
    assert heard > modulators + 10.0


def test_nearly_all_draws_are_audible():
    Dx7().check()
    drawn = [draw_preset(sampler_of("human", DX7), DX7, 5, index) for index in range(40)]
    assert sum(DX7.render(preset, Note(hold=0.4, total=0.5)).peak >= 1e-3 for preset in drawn) >= 36


def test_a_table_of_other_controls_is_refused(monkeypatch):
    table = voice_table()
    monkeypatch.setattr(dx7_prior, "read_table", lambda _: replace(table, about={**table.about, "space": "another"}))
    voice_table.cache_clear()
    with pytest.raises(WorkError, match=r"recipes/dx7_prior\.py"):
        voice_table()
    voice_table.cache_clear()


def test_the_recipe_gives_the_same_table_twice_and_holds_a_tenth_out(shared_data, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "ROUNDS", 4)
    monkeypatch.setattr(recipe, "FITTED", 300)
    packed = np.load(shared_data / "dx7_voices.npy")[:1_500]
    np.save(tmp_path / "few.npy", packed)
    rows, rest = recipe.voices(tmp_path / "few.npy")
    assert 0.05 < rest / (len(rows) + rest) < 0.15
    content = recipe.table_bytes(tmp_path / "few.npy")
    assert recipe.table_bytes(tmp_path / "few.npy") == content
    assert read_table(content).about["voices_fitted"] == len(rows)


def test_ratios_are_choices_of_the_patch_space_and_nothing_is_lost():
    patches = patch_space(DX7)
    assert {patches.space[f"op{number}_coarse"].kind for number in range(1, 7)} == {"choice"}
    assert patches.part_of("op3_coarse") == "operator_3"
    for index in range(20):
        preset = draw_preset(sampler_of("human", DX7), DX7, 1, index)
        assert patches.space.decode(patches.space.encode(preset), DX7.init()).values == preset.values
