"""Synthetic sets: item i is a pure function of seed, i and the space."""

from __future__ import annotations

import numpy as np
import pytest

from menura.audio import read_audio
from menura.datasets.sampling import SAMPLERS
from menura.datasets.sets import load_set
from menura.datasets.store import Store
from menura.datasets.synthetic import Recipe, draw, synthetic_items
from menura.datasets.truths import SILENT_PEAK, Truths
from menura.errors import InputError, UnknownNameError
from menura.preset import Preset
from menura.synths.registry import synth_of

TOY = synth_of("toy")


def made(folder, recipe):
    with Truths(Store(folder), TOY, workers=1) as truths:
        return synthetic_items(recipe, truths)


def test_an_item_does_not_depend_on_its_neighbours(tmp_path):
    few, _ = made(tmp_path / "a", Recipe(2, seed=5))
    many, _ = made(tmp_path / "b", Recipe(6, seed=5))
    assert [item.id for item in many[:2]] == [item.id for item in few]
    assert [item.sha256 for item in many[:2]] == [item.sha256 for item in few]
    assert len({item.sha256 for item in many}) == 6


def test_the_seed_decides():
    assert draw(Recipe(1, seed=1), TOY, 0) == draw(Recipe(9, seed=1), TOY, 0)
    assert draw(Recipe(1, seed=1), TOY, 0) != draw(Recipe(1, seed=2), TOY, 0)
    assert draw(Recipe(1, seed=1), TOY, 0) != draw(Recipe(1, seed=1), TOY, 1)


def silent_at_first(synth, rng: np.random.Generator) -> Preset:
    """Two draws of three are silent."""
    level = 0.7 if rng.random() < 1 / 3 else 0.0
    return synth.init().with_values(level=level, transpose=float(rng.integers(-12, 12)))


def test_silent_draws_are_replaced_the_same_way_each_time(tmp_path):
    SAMPLERS.register("silent at first", silent_at_first)
    recipe = Recipe(5, seed=2, sampler="silent at first")
    items, origin = made(tmp_path / "a", recipe)
    assert origin["replaced"] > 0
    assert all(read_audio(item.sound).peak >= SILENT_PEAK for item in items)
    again, _ = made(tmp_path / "b", recipe)
    assert [item.sha256 for item in again] == [item.sha256 for item in items]
    assert [item.id for item in items] == [f"toy-silent at first-2-{number:05d}" for number in range(5)]


def never(synth, rng) -> Preset:
    return synth.init().with_values(level=0.0, noise_level=0.0, transpose=float(rng.integers(-12, 12)))


def test_an_item_that_never_sounds_is_an_error_row(tmp_path, monkeypatch):
    monkeypatch.setattr("menura.datasets.synthetic.MOST_DRAWS", 3)
    SAMPLERS.register("never", never)
    (item,), _ = made(tmp_path, Recipe(1, sampler="never"))
    assert "silent" in item.error


def test_presets_are_frozen_and_on_the_grid():
    for sampler in ("uniform", "sparse"):
        preset = draw(Recipe(1, sampler=sampler), TOY, 3)
        assert TOY.freeze(preset) == preset
        space = TOY.space
        np.testing.assert_array_equal(space.encode(preset), space.snap(space.encode(preset)))


def test_sparse_patches_of_a_large_synth_stay_near_the_initial_one():
    vital = synth_of("vital")
    preset = draw(Recipe(1, sampler="sparse"), vital, 0)
    changed = vital.space.encode(preset) != vital.space.encode(vital.freeze(vital.init()))
    assert 0 < changed.mean() < 0.35
    assert sum(route.connected for route in preset.routes) <= 4


def test_a_set_by_its_table(tmp_path, monkeypatch):
    (tmp_path / "sets.toml").write_text('[drawn]\nkind = "synthetic"\nsynth = "toy"\ncount = 3\nseed = 4\n')
    monkeypatch.setenv("MENURA_SETS", str(tmp_path / "sets.toml"))
    found = load_set("drawn", folder=tmp_path / "run", seed=99, workers=1)
    assert len(found.items) == 3
    assert (found.origin["sampler"], found.origin["seed"]) == ("uniform", 4)
    assert found.origin["space"] == TOY.space.fingerprint
    assert all(item.preset and TOY.read(item.preset) for item in found.items)
    # Nothing is made again, also not the replaced draws.
    lines: list[str] = []
    assert load_set("drawn", folder=tmp_path / "run", workers=1, tell=lines.append) == found
    assert lines == []


def test_what_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(InputError, match="count"):
        made(tmp_path, Recipe(0))
    with pytest.raises(UnknownNameError, match="sparse"):
        made(tmp_path, Recipe(1, sampler="sprase"))
