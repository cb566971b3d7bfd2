"""Partials, noise and curves of made sounds, whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.resynthesis.analysis import analyse_dense, analyse_pitched, comb_fundamental, level_contour
from menura.resynthesis.contours import keyframe_indices, polyline_knots
from menura.resynthesis.gesture import Gesture
from menura.resynthesis.noise import NoiseBands, band_edges, band_power, estimate_noise, folded, shaped_noise
from menura.resynthesis.partials import track_partials

RATE = 44_100


def vibrato_tone(seconds: float = 1.0, f0: float = 220.0, depth: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """A tone of three partials (0.4, 0.2, 0.1) whose pitch swings by `depth` semitones, and its f0."""
    time = np.arange(int(seconds * RATE)) / RATE
    hz = f0 * 2.0 ** (depth * np.sin(2.0 * np.pi * 5.0 * time) / 12.0)
    phase = 2.0 * np.pi * np.cumsum(hz) / RATE
    sound = np.sum([a * np.sin(k * phase) for k, a in ((1, 0.4), (2, 0.2), (3, 0.1))], axis=0)
    return sound.astype(np.float32), hz


def hiss(seconds: float = 1.0, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal(int(seconds * RATE)) * level).astype(np.float32)


@pytest.mark.parametrize("f0", [41.2, 220.0, 1760.0])
def test_partials_of_a_vibrato_tone_have_their_amplitudes(f0: float) -> None:
    sound, hz = vibrato_tone(f0=f0)
    times = np.arange(0.2, 0.8, 0.005)
    found = track_partials(sound, RATE, times, np.interp(times, np.arange(sound.size) / RATE, hz))
    assert np.allclose(found.amplitude[:, :3], (0.4, 0.2, 0.1), rtol=0.03)
    assert found.amplitude[:, 3:8].max() < 0.004


def test_phases_of_true_harmonics_stand_still() -> None:
    sound, hz = vibrato_tone()
    times = np.arange(0.2, 0.8, 0.005)
    found = track_partials(sound, RATE, times, np.interp(times, np.arange(sound.size) / RATE, hz))
    turning = np.unwrap(found.phase[:, :3], axis=0)
    assert np.ptp(turning, axis=0).max() < 0.5


def test_noise_beside_a_tone_is_measured_between_its_partials() -> None:
    tone, _ = vibrato_tone(depth=0.0)
    sound = tone + hiss(level=0.01)
    times = np.arange(0.0, 1.0, 0.005)
    raw = track_partials(sound, RATE, times, np.full(len(times), 220.0))
    noise, clean = estimate_noise(sound, RATE, raw, pitched=True)
    middle = slice(60, 140)
    density = 10.0 * np.log10(np.exp(np.log(noise.density[middle]).mean(axis=0)) / (0.01**2 / (RATE / 2)))
    assert np.abs(density[10:]).max() < 3.0
    assert np.allclose(clean.amplitude[middle, :3], (0.4, 0.2, 0.1), rtol=0.05)


def test_shaped_noise_has_the_power_that_was_asked_for() -> None:
    times, edges = np.arange(0.0, 2.0, 0.005), band_edges(RATE)
    white = np.full((len(times), len(edges) - 2), 0.1**2 / (RATE / 2))
    bands = NoiseBands(times, edges[1:-1], (edges[2:] - edges[:-2]) / 2, white)
    made = shaped_noise(bands, 2.0, RATE, np.random.default_rng(2))
    assert np.std(made) == pytest.approx(0.1, rel=0.05)
    power = band_power(made.astype(np.float32), RATE, times, edges)[20:-20].mean(axis=0)
    assert np.abs(10.0 * np.log10(power / (0.1**2 / (RATE / 2)))).max() < 2.5


def test_noise_folds_to_the_time_that_is_kept() -> None:
    analysis = analyse_dense(hiss(1.0), RATE)
    short = folded(analysis.noise, 0.4)
    assert short.times[-1] <= 0.4
    assert len(short.density) == len(short.times)
    assert folded(analysis.noise, 5.0) is analysis.noise


def test_levels_split_between_tone_and_noise() -> None:
    tone, hz = vibrato_tone()
    track = np.arange(tone.size) / RATE
    pure = analyse_pitched(tone, RATE, track, hz)
    middle = slice(40, 160)
    assert pure.noise_level[middle].max() < 0.05 * pure.tonal_level[middle].min()
    noisy = analyse_dense(hiss(1.0), RATE)
    assert np.median(noisy.noise_level) > np.median(noisy.tonal_level)


def test_comb_falls_on_the_strongest_partials() -> None:
    time = np.arange(RATE) / RATE
    tones = [np.sin(2 * np.pi * f * time) * np.exp(-3 * time) for f in (523.0, 1402.3, 2711.9)]
    bell = np.sum(tones, axis=0).astype(np.float32)
    comb = comb_fundamental(bell, RATE)
    missed = [abs(f / comb - round(f / comb)) * comb for f in (523.0, 1402.3, 2711.9)]
    assert max(missed) < 4.0


def test_level_contour_of_a_constant_is_constant_up_to_its_ends() -> None:
    contour = level_contour(np.full(RATE, 0.5, np.float32), RATE, np.arange(0.0, 1.0, 0.005), 0.01)
    assert np.allclose(contour, 0.5, atol=1e-4)


def test_a_straight_line_needs_two_knots() -> None:
    times = np.linspace(0.0, 2.0, 400)
    assert list(polyline_knots(times, 0.2 + 0.3 * times / 2, 100)) == [0, 399]


@given(st.integers(3, 40), st.integers(0, 1000))
def test_more_knots_never_follow_worse(count: int, seed: int) -> None:
    times = np.linspace(0.0, 1.0, 200)
    values = np.abs(np.cumsum(np.random.default_rng(seed).normal(size=200))) / 20

    def error(n: int) -> float:
        knots = polyline_knots(times, values, n, enough=0.0)
        assert len(knots) <= n
        assert knots[0] == 0
        assert knots[-1] == 199
        return float(np.mean(np.abs(np.interp(times, times[knots], values[knots]) - values) / (values + 0.02)))

    assert error(200) == pytest.approx(0.0, abs=1e-9)
    assert error(2 * count + 20) <= error(2) + 1e-9


def test_keyframes_lie_where_the_spectrum_changes() -> None:
    spectrum = np.ones((100, 4)) * 0.1
    spectrum[30:36, 1] = np.linspace(0.1, 1.0, 6)
    spectrum[36:, 1] = 1.0
    chosen = keyframe_indices(spectrum, np.ones_like(spectrum), 4)
    assert {0, 99} <= set(chosen)
    assert all(28 <= row <= 38 for row in chosen[1:-1])


def test_a_faded_cut_is_held_at_the_level_before_the_fade() -> None:
    times = np.arange(0.0, 3.0, 0.005)
    level = np.where(times > 2.9, 0.2 * (3.0 - times) / 0.1, 0.2)
    gesture = Gesture.of(level, times, 3.0, sustaining=True, hold=3.0)
    assert 2.8 < gesture.sustain_at < 2.95
    at, drawn = gesture.drawn(times, level, kind="level")
    assert np.interp(gesture.sustain_at, at, drawn) > 0.15
    assert gesture.length > 3.0


def test_a_decaying_sound_goes_on_beyond_its_recording_and_ends() -> None:
    times = np.arange(0.0, 2.0, 0.005)
    level = 10.0 ** (-20.0 * times / 20.0)
    gesture = Gesture.of(level, times, 2.0, sustaining=False, hold=2.0)
    assert gesture.tail_db_per_second == pytest.approx(-20.0, abs=1.0)
    at, drawn = gesture.drawn(times, np.sqrt(level), kind="level")
    assert at[-1] == pytest.approx(gesture.length)
    assert drawn[-1] == 0.0
    assert 20.0 * np.log10(np.interp(2.5, at, drawn) ** 2) == pytest.approx(-50.0, abs=2.0)
