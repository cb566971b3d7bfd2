"""The human prior: its statistics, its table and what is drawn from it."""

from __future__ import annotations

import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from menura.datasets.copula import fit_copula
from menura.datasets.marginals import fit_choice, fit_marginal
from menura.datasets.sampling import draw_preset, sampler_of
from menura.datasets.vital_prior import draw_human, prior_table, read_table
from menura.note import Note
from menura.storage import hash_bytes, hash_file
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of
from menura.synths.vital.shapes import curve, nearest_shape, plain_shape, shape_names
from menura.synths.vital.sounding import part_of, sounding_parts

VITAL = synth_of("vital")
RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))
    import human_prior

    yield human_prior
    for name in ("human_prior", "human_columns", "prior_tables"):
        sys.modules.pop(name, None)


def test_a_copula_finds_correlations_of_mixed_columns_with_gaps():
    rng = np.random.default_rng(0)
    common = rng.standard_normal(1500)
    strength = np.array([0.9, 0.8, -0.8, 0.6, 0.0])
    scores = strength * common[:, None] + np.sqrt(1 - strength**2) * rng.standard_normal((1500, 5))
    # A smooth column, a switch, a knob that most leave alone, one with half of its values absent, one that is alone.
    shown = [scores[:, 0], scores[:, 1] > 0.7, np.maximum(scores[:, 2], 0.5), scores[:, 3], scores[:, 4]]
    low, high = np.zeros((1500, 5)), np.ones((1500, 5))
    for column, values in enumerate(shown):
        ordered = np.sort(values)
        low[:, column] = np.searchsorted(ordered, values, "left") / 1500
        high[:, column] = np.searchsorted(ordered, values, "right") / 1500
    gone = rng.random(1500) < 0.5
    low[gone, 3], high[gone, 3] = 0.0, 1.0
    found = fit_copula(low, high, rng, factors=2, rounds=60)
    wanted = np.outer(strength, strength)
    np.fill_diagonal(wanted, 1.0)
    np.testing.assert_allclose(found.correlations, wanted, atol=0.12)
    ranks = found.sample(rng, 4000)
    np.testing.assert_allclose(ranks.mean(axis=0), 0.5, atol=0.03)
    assert np.corrcoef(ranks[:, 0], ranks[:, 2])[0, 1] < -0.6


def test_a_marginal_keeps_shares_and_shows_no_single_preset():
    values = np.array([0.0] * 60 + [0.5] * 20 + [0.123456] + list(np.linspace(0.6, 1.0, 30)))
    found = fit_marginal(values, np.ones(len(values)), floor=5)
    assert found is not None
    drawn = np.array([found.value(rank) for rank in (np.arange(2000) + 0.5) / 2000])
    assert np.mean(drawn == 0.0) == pytest.approx(60 / 110, abs=0.01)
    assert np.mean(drawn == 0.5) == pytest.approx(20 / 110, abs=0.01)
    assert np.mean(drawn > 0.5) == pytest.approx(30 / 110, abs=0.03)
    assert bool(np.all(np.diff(found.ranks) >= 0))
    assert bool(np.all(np.diff(found.values) >= 0))
    # Neither the value that one row has, nor the smallest and largest of a group.
    assert not {0.123456, 0.6, 1.0} & set(found.values)
    assert fit_marginal(values[-4:], np.ones(4), floor=5) is None
    choice = fit_choice(np.array([3.0] * 10 + [1.0] * 20 + [2.0] * 4), np.ones(34), floor=5)
    assert choice is not None
    assert [choice.value(rank) for rank in (0.01, 0.6, 0.7, 0.99)] == [1.0, 1.0, 3.0, 3.0]


def test_the_packaged_table_is_small_whole_and_says_where_it_comes_from(shared_data, recipe):
    table = prior_table()
    assert len(files("menura.datasets").joinpath("vital_prior.json").read_bytes()) < 300_000
    assert table.about["bank_sha256"] == hash_file(shared_data / "vital_dev.tar.xz")
    assert table.about["authors_held_out"] == list(recipe.HELD_OUT_AUTHORS)
    assert len(table.routes) > 100
    assert bool(np.all((table.copula.loadings**2).sum(axis=1) < 1.0))
    for name, column in table.columns.items():
        assert bool(np.all(np.diff(column.ranks) >= 0)), name
        assert list(column.ranks[[0, -1]]) == [0, 1], name
        assert name.startswith("amount:") or np.all(column.values >= 0), name


def test_draws_have_the_switches_and_routes_of_the_table():
    table = prior_table()
    drawn = [draw_preset(sampler_of("human", VITAL), VITAL, 0, index) for index in range(200)]
    for name in ("osc_1_on", "osc_3_on", "filter_1_on", "reverb_on", "flanger_on"):
        wanted = np.mean([table.columns[name].value(rank) >= 0.5 for rank in np.linspace(0.001, 0.999, 999)])
        assert np.mean([preset.values[name] for preset in drawn]) == pytest.approx(wanted, abs=0.1), name
    counts = [sum(route.connected for route in preset.routes) for preset in drawn]
    assert 4 <= np.median(counts) <= 8  # people: 6
    assert max(counts) <= 40
    for preset in drawn:
        parts = sounding_parts(preset)
        assert parts & {"osc_1", "osc_2", "osc_3", "sample"}
        assert all(part_of(route.destination) in parts for route in preset.routes)


def test_nearly_all_draws_are_audible():
    drawn = [draw_preset(sampler_of("human", VITAL), VITAL, 5, index) for index in range(16)]
    with RenderPool("vital", 2) as pool:
        rendered = pool.render_many((preset, Note(hold=0.4, total=0.5)) for preset in drawn)
    assert sum(one.audio is not None and one.audio.peak >= 1e-3 for one in rendered) >= 14


def test_the_split_keeps_authors_and_siblings_together(recipe):
    assert recipe.part("instatetragrammaton+Patches/x/y.vital") == "held out"
    assert recipe.part("zynthian+zynthian-data(Vitalium)/a.vital") == "held out"
    names = [f"somebody/{word} Bass.vital" for word in "abcdefghijklmnopqrstuvwxyz"]
    parts = Counter(recipe.part(name) for name in names)
    assert parts["fit"] > parts["held out"] > 0
    assert all(recipe.part(name) == recipe.part(name.replace(".vital", " 2 Alt.vital")) for name in names)


def test_the_recipe_gives_the_same_table_twice_and_draws_from_it_play(shared_data, recipe, monkeypatch):
    monkeypatch.setattr(recipe, "FLOOR", 2)
    monkeypatch.setattr(recipe, "ROUNDS", 10)
    bank = shared_data / "vital_dev_licensed_ccby_ccbysa.tar.xz"
    content = recipe.table_bytes(bank)
    assert hash_bytes(recipe.table_bytes(bank)) == hash_bytes(content)
    table = read_table(content)
    assert list(table.about["presets_fitted"]) == ["alanjyu+vital_sounds"]
    preset = VITAL.freeze(draw_human(table, VITAL, np.random.default_rng(0)))
    assert VITAL.read(VITAL.write(preset)) == preset
    assert VITAL.render(preset, Note(hold=0.3, total=0.4)).peak > 0


def test_a_plain_shape_stands_for_a_drawn_one():
    for name in shape_names():
        assert nearest_shape(plain_shape(name)) == name
    rise = curve(plain_shape("slow rise"), 101)
    assert list(rise[[0, -1]]) == pytest.approx([0.0, 1.0])
    assert rise[50] == pytest.approx((np.exp(4.0) - 1) / (np.exp(8.0) - 1), abs=1e-3)
