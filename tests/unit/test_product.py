"""Figures of an arm from its rows, and how different answers are."""

from __future__ import annotations

import numpy as np
import pytest

from menura.errors import AudioError
from menura.evaluation.product import best_of, diversity, product_figures
from menura.features.distances import mss


def noise(seed: int, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).normal(size=8_000)).astype(np.float32)


def test_diversity_is_the_mean_over_pairs():
    a, b, c = noise(0), np.cumsum(noise(1)), noise(2)[:5_000]
    wanted = (mss(a, b) + mss(a, c) + mss(b, c)) / 3
    assert diversity([a, b, c]) == pytest.approx(wanted)
    assert diversity([c, a, b]) == pytest.approx(wanted)


def test_answers_that_sound_alike_are_not_diverse():
    assert diversity([noise(0), noise(0), noise(0)]) == 0.0
    assert diversity([noise(0), noise(0, 0.05)]) == pytest.approx(0.0, abs=1e-3)
    assert diversity([noise(0)]) is None
    assert diversity([]) is None
    with pytest.raises(AudioError):
        diversity([noise(0), np.zeros(0)])


ROWS = [
    {"seconds": 2.0, "engine_seconds": 1.0, "renders": 40, "loads": True, "silent": False, "preset_bytes": 100,
     "diversity": 4.0, "best_of": {"1": 5.0, "3": 4.0, "5": 3.0}},
    {"seconds": 4.0, "engine_seconds": 3.0, "renders": 60, "loads": True, "silent": True, "preset_bytes": 300,
     "diversity": None, "best_of": {"1": 9.0}},
    {"seconds": 1.0, "error": "the engine crashed"},
    {"seconds": 0.0, "skipped": "no preset is known"},
]  # fmt: skip


def test_figures_of_an_arm():
    found = product_figures(ROWS)
    assert (found["n"], found["failures"], found["skipped"]) == (3, 1, 1)
    # The failure is an answer that does not load.
    assert found["loads"] == pytest.approx(2 / 3)
    assert found["silent"] == pytest.approx(1 / 3)
    assert (found["seconds"], found["engine_seconds"], found["renders"]) == (3.0, 2.0, 50.0)
    assert (found["preset_bytes"], found["diversity"]) == (200.0, 4.0)
    # The second item has one answer alone, which stays its best of 3 and of 5.
    assert found["best_of"] == {"1": 7.0, "3": 6.5, "5": 6.0}


def test_an_arm_that_never_answered():
    found = product_figures(ROWS[2:])
    assert (found["n"], found["failures"], found["loads"], found["silent"]) == (1, 1, 0.0, 0.0)
    assert found["seconds"] is None
    assert found["best_of"] == {}
    assert product_figures([])["loads"] is None


def test_more_answers_are_never_worse():
    rng = np.random.default_rng(0)
    items = []
    for count in (1, 2, 4, 8, 8):
        distances = rng.lognormal(size=count)
        items.append({str(k): float(distances[:k].min()) for k in (1, 2, 4, 8) if k <= count})
    found = best_of(items)
    assert list(found) == ["1", "2", "4", "8"]
    assert list(found.values()) == sorted(found.values(), reverse=True)
