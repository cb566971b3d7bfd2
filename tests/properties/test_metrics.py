"""Laws of the metrics: identity, symmetry and invariance where claimed, farther with more noise and more detuning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menura.evaluation.metrics import DEFAULT, METRICS, measure_all

RATE = 44_100
QUICK = tuple(name for name in DEFAULT if not name.startswith("f0"))
"""All but the pitch, whose ear takes long."""
SYMMETRIC = ("mss", "wmfcc", "sot", "rms", "logmel", "mfccd")
RELATIVE_TO_TARGET = ("stft", "mstft", "mel")
IGNORE_GAIN = ("mss", "sot", "rms")
FARTHER_WITH_NOISE = ("mss", "wmfcc", "sot", "logmel", "stft", "mstft", "mel", "mfccd")
FARTHER_WITH_DETUNING = ("mss", "logmel", "f0_cents")


@st.composite
def sounds(draw, quietest: float = 1e-3):
    """A tone with noise and a decay, 30 ms to 0.4 s."""
    time = np.arange(draw(st.integers(1_323, 17_640))) / RATE
    hz, decay = draw(st.floats(20, 8_000)), draw(st.floats(0, 8))
    noise = draw(st.sampled_from((quietest, 0.03, 0.3)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    wave = np.sin(2 * np.pi * hz * time) + noise * rng.normal(size=time.size)
    return (0.3 * wave * np.exp(-decay * time)).astype(np.float32)


def tone(hz: float, partials: int) -> np.ndarray:
    """A steady harmonic tone of 0.6 s whose ends fade over 50 ms."""
    time = np.arange(int(0.6 * RATE)) / RATE
    fade = np.minimum(1.0, np.minimum(time, 0.6 - time) / 0.05)
    return (0.1 * fade * sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, partials + 1))).astype(np.float32)


def cost(name: str, target: np.ndarray, prediction: np.ndarray) -> float:
    value = measure_all([name], target, prediction, RATE)[name]
    assert value is not None
    return METRICS.get(name).cost(value)


@settings(max_examples=15)
@given(sounds())
def test_nothing_is_nearer_than_the_sound_itself(sound):
    for name, value in measure_all(QUICK, sound, sound.copy(), RATE).items():
        assert value == pytest.approx(1.0 if name == "rms" else 0.0, abs=1e-6), name


@settings(max_examples=5)
@given(sounds())
def test_the_pitch_of_a_sound_is_its_own(sound):
    found = measure_all(["f0_cents", "f0_gross"], sound, sound, RATE)
    assert found in ({"f0_cents": 0.0, "f0_gross": 0.0}, {"f0_cents": None, "f0_gross": None})


@settings(max_examples=15)
@given(sounds(), sounds())
def test_symmetry_where_it_is_claimed(first, second):
    there, back = measure_all(QUICK, first, second, RATE), measure_all(QUICK, second, first, RATE)
    for name in SYMMETRIC:
        assert there[name] == pytest.approx(back[name], rel=1e-4, abs=1e-6), name
    assert there["loudness"] == pytest.approx(-(back["loudness"] or 0.0), abs=1e-9)


def test_the_others_are_relative_to_the_target():
    soft, loud = 0.1 * tone(220.0, 8), tone(220.0, 8)
    for name in RELATIVE_TO_TARGET:
        assert cost(name, soft, loud) > 2.0 * cost(name, loud, soft), name


@settings(max_examples=15)
@given(sounds(0.03), sounds(0.03), st.floats(0.25, 4.0))
def test_gain_does_not_matter_where_the_docstring_says_so(first, second, gain):
    before, after = (measure_all(IGNORE_GAIN, first, np.float32(g) * second, RATE) for g in (1.0, gain))
    tolerance = {"mss": 0.02, "sot": 1e-3, "rms": 1e-4}
    for name in IGNORE_GAIN:
        assert after[name] == pytest.approx(before[name], abs=tolerance[name]), name


@settings(max_examples=15)
@given(sounds(0.03), sounds(0.03), st.floats(0.25, 4.0))
def test_gain_of_both_alike_does_not_matter_to_log_mel_and_loudness(first, second, gain):
    before = measure_all(["logmel", "loudness"], first, second, RATE)
    after = measure_all(["logmel", "loudness"], np.float32(gain) * first, np.float32(gain) * second, RATE)
    assert after["logmel"] == pytest.approx(before["logmel"], abs=0.02)
    assert after["loudness"] == pytest.approx(before["loudness"], abs=0.02)


@settings(max_examples=15)
@given(sounds(), st.floats(1.0, 20.0), st.floats(1.5, 2.0))
def test_a_greater_error_of_gain_is_farther_where_level_counts(sound, db, times):
    for name in ("logmel", "loudness", "stft", "mstft", "mel", "mfccd", "wmfcc"):
        near, far = (cost(name, sound, sound * np.float32(10 ** (-d / 20))) for d in (db, db * times))
        assert 0.0 < near < far, name


@settings(max_examples=8)
@given(st.floats(60.0, 1_000.0), st.integers(4, 16), st.integers(0, 99))
def test_more_noise_is_farther(hz, partials, seed):
    clean = tone(hz, partials)
    noise = 0.1 * np.random.default_rng(seed).normal(size=clean.size)
    noisy = [clean + 10 ** (db / 20) * noise for db in (-60, -45, -30, -15, 0)]
    for name in FARTHER_WITH_NOISE:
        values = [cost(name, clean, sound) for sound in noisy]
        assert all(a < b for a, b in zip([0.0, *values], values, strict=False)), (name, values)


@settings(max_examples=8)
@given(st.floats(60.0, 1_000.0), st.integers(4, 16))
def test_more_detuning_is_farther(hz, partials):
    clean = tone(hz, partials)
    for name in FARTHER_WITH_DETUNING:
        values = [cost(name, clean, tone(hz * 2 ** (cents / 1200), partials)) for cents in (4, 15, 50, 150)]
        assert all(a < b for a, b in zip([0.0, *values], values, strict=False)), (name, values)
