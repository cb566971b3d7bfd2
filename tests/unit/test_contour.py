"""The contour tells attacks and spectra apart, and not levels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from menura.errors import AudioError
from menura.features.contour import BANDS, RANGE_DB, SLOTS, contour, contour_distance, outline_distance

RATE = 44_100


def tone(hz: float = 440.0, attack: float = 0.001, decay: float = 0.5, seconds: float = 1.5) -> NDArray[np.float32]:
    at = np.arange(round(seconds * RATE)) / RATE
    return (np.minimum(at / attack, 1.0) * np.exp(-at / decay) * np.sin(2 * np.pi * hz * at)).astype(np.float32)


def test_its_shape_and_range() -> None:
    found = contour(tone(), RATE)
    assert found.shape == (len(SLOTS) - 1, BANDS)
    assert found.max() == 0.0
    assert found.min() >= -RANGE_DB


def test_gain_is_no_part_of_it() -> None:
    assert contour(np.float32(0.01) * tone(), RATE) == pytest.approx(contour(tone(), RATE), abs=0.01)


def test_a_slow_attack_is_quiet_at_first() -> None:
    fast, slow = contour(tone(), RATE).max(axis=1), contour(tone(attack=0.4, decay=5.0), RATE).max(axis=1)
    assert fast[0] > -3.0
    assert slow[0] < -20.0
    assert (np.diff(slow) > 0).all()


def test_what_is_over_is_silence() -> None:
    found = contour(tone(seconds=0.1), RATE)
    assert (found[-1] < -50.0).all()


def test_nothing_is_no_sound() -> None:
    with pytest.raises(AudioError):
        contour(np.zeros(0, np.float32), RATE)


def test_what_lasts_counts_more_than_an_attack() -> None:
    target = np.full((1, len(SLOTS) - 1, BANDS), -30.0, dtype=np.float32)
    early, late = target.copy(), target.copy()
    early[:, 0] = 0.0
    late[:, -1] = 0.0
    others = np.concatenate([early, late, target]).reshape(3, -1)
    found = contour_distance(others, target.reshape(-1))
    assert found[2] == 0.0
    assert 0.0 < 4.0 * found[0] < found[1]


def test_another_course_and_colour_is_nearly_no_distance(rng: np.random.Generator) -> None:
    target = rng.uniform(-40.0, -10.0, (len(SLOTS) - 1, BANDS)).astype(np.float32)
    slope = np.linspace(-8.0, 8.0, BANDS, dtype=np.float32)
    outlined = target + np.linspace(0.0, -12.0, len(SLOTS) - 1, dtype=np.float32)[:, None] + slope
    another = rng.permuted(target, axis=1)
    found = outline_distance(np.stack([target, outlined, another]).reshape(3, -1), target.reshape(-1))
    plain = contour_distance(np.stack([target, outlined, another]).reshape(3, -1), target.reshape(-1))
    assert found[0] == pytest.approx(0.0, abs=1e-6)
    assert found[1] < 0.3 * found[2]
    assert plain[1] > 2.0 * found[1]
