"""Laws of the distances, on sounds that Hypothesis draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menura.features.distances import mss, rms_similarity, sot, wmfcc

RATE = 44_100
LOWER_IS_NEARER = (mss, wmfcc, sot)


@st.composite
def sounds(draw):
    """A tone with noise and a decay, 10 ms to 0.4 s."""
    time = np.arange(draw(st.integers(441, 17_640))) / RATE
    hz, decay = draw(st.floats(20, 8000)), draw(st.floats(0, 20))
    noise = draw(st.sampled_from((0.0, 1e-3, 0.3)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    wave = np.sin(2 * np.pi * hz * time) + noise * rng.normal(size=time.size)
    return (0.5 * wave * np.exp(-decay * time)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(sounds(), sounds())
def test_distances_are_symmetric_and_not_negative(first, second):
    for distance in LOWER_IS_NEARER:
        there, back = distance(first, second), distance(second, first)
        assert there == pytest.approx(back, rel=1e-5, abs=1e-7)
        assert there >= 0.0
    assert rms_similarity(first, second) == pytest.approx(rms_similarity(second, first))
    assert 0.0 <= rms_similarity(first, second) <= 1.0


@settings(max_examples=25, deadline=None)
@given(sounds())
def test_a_sound_is_nearest_to_itself(sound):
    for distance in LOWER_IS_NEARER:
        assert distance(sound, sound) == 0.0
    assert rms_similarity(sound, sound) == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(sounds(), sounds(), st.floats(0.25, 4.0))
def test_gain_does_not_matter_where_the_docstring_says_so(first, second, gain):
    louder = np.float32(gain) * second
    assert mss(first, louder) == pytest.approx(mss(first, second), abs=0.02)
    assert rms_similarity(first, louder) == pytest.approx(rms_similarity(first, second), abs=1e-4)
    assert sot(first, louder) == pytest.approx(sot(first, second), abs=1e-3)
