"""Loudness, against the reference values of ITU-R BS.1770 and EBU Tech 3341."""

from __future__ import annotations

import math

import numpy as np
import pytest

from menura.audio import Audio, at_lufs, measure_loudness


def sine(level_dbfs: float, seconds: float, rate: int, hz: float = 1_000.0) -> np.ndarray:
    return 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [32_000, 44_100, 48_000, 96_000])
def test_a_full_scale_sine_in_one_channel_is_minus_3_lufs(rate: int) -> None:
    """BS.1770-4, annex 1: a 997 Hz sine at 0 dBFS in one front channel reads -3.01 LKFS."""
    assert measure_loudness(Audio(sine(0.0, 5.0, rate, 997.0), rate)).lufs == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_stereo_sine_reads_its_level(level: float) -> None:
    """EBU Tech 3341, cases 1 and 2: a stereo 1 kHz sine at -23 (-33) dBFS reads -23.0 (-33.0) LUFS, +- 0.1."""
    wave = sine(level, 20.0, 48_000)
    assert measure_loudness(Audio(np.stack([wave, wave]), 48_000)).lufs == pytest.approx(level, abs=0.1)


def test_the_gate_leaves_quiet_parts_out() -> None:
    """EBU Tech 3341, case 3: -36 dBFS for 10 s, -23 dBFS for 60 s, -36 dBFS for 10 s reads -23.0 LUFS."""
    wave = np.concatenate([sine(-36.0, 10.0, 48_000), sine(-23.0, 60.0, 48_000), sine(-36.0, 10.0, 48_000)])
    assert measure_loudness(Audio(np.stack([wave, wave]), 48_000)).lufs == pytest.approx(-23.0, abs=0.1)


def test_peak_and_rms() -> None:
    measured = measure_loudness(Audio(sine(-6.0, 1.0, 44_100), 44_100))
    assert measured.peak_dbfs == pytest.approx(-6.0, abs=0.01)
    assert measured.rms_dbfs == pytest.approx(-9.01, abs=0.01)


def test_silence_and_nothing_have_no_loudness() -> None:
    for count in (0, 10, 44_100):
        measured = measure_loudness(Audio(np.zeros((1, count), np.float32), 44_100))
        assert (measured.peak_dbfs, measured.rms_dbfs, measured.lufs) == (-math.inf, -math.inf, -math.inf)


def test_a_short_sound_is_one_block() -> None:
    assert measure_loudness(Audio(sine(0.0, 0.1, 48_000), 48_000)).lufs == pytest.approx(-3.01, abs=0.4)


def test_bringing_to_a_loudness() -> None:
    audio = Audio(sine(-40.0, 1.0, 44_100), 44_100)
    assert measure_loudness(at_lufs(audio, -20.0)).lufs == pytest.approx(-20.0, abs=0.01)
    silent = Audio(np.zeros(44_100, np.float32), 44_100)
    assert at_lufs(silent) is silent
