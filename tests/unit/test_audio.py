"""The `Audio` value: shapes, channels, rates, cutting."""

from __future__ import annotations

import numpy as np
import pytest

from menura.audio import Audio
from menura.errors import AudioError

RATE = 44_100


def tone(hz: float, seconds: float = 0.5, rate: int = RATE, peak: float = 0.5) -> np.ndarray:
    return peak * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def test_samples_are_copied_and_read_only() -> None:
    source = np.zeros(100, np.float32)
    audio = Audio(source, RATE)
    source[:] = 1.0
    assert audio.samples.shape == (1, 100)
    assert audio.samples.dtype == np.float32
    assert audio.peak == 0.0
    with pytest.raises(ValueError, match="read-only"):
        audio.samples[0, 0] = 1.0


@pytest.mark.parametrize("shape", [(2, 3, 4), (0, 10)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match=r"give \(channels, samples\)"):
        Audio(np.zeros(shape, np.float32), RATE)


def test_a_rate_must_be_positive() -> None:
    with pytest.raises(AudioError):
        Audio(np.zeros(10, np.float32), 0)


def test_mono_is_the_mean() -> None:
    audio = Audio(np.stack([tone(440), np.zeros(RATE // 2)]), RATE)
    np.testing.assert_allclose(audio.to_mono().samples[0], 0.5 * audio.samples[0], atol=1e-7)
    assert audio.channels == 2
    assert audio.to_mono().channels == 1


def test_channels_that_cancel_do_not_become_silence() -> None:
    audio = Audio(np.stack([tone(440), -tone(440), 0.1 * tone(440)]), RATE)
    assert Audio(audio.samples[:2], RATE).to_mono().peak == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000, 384_000])
def test_resampling_keeps_pitch_level_and_length(rate: int) -> None:
    audio = Audio(tone(440.0), RATE).resample(rate)
    assert audio.sample_rate == rate
    assert audio.samples.shape[1] == round(0.5 * rate)
    middle = audio.cut(0.1, 0.4).samples[0]
    expected = tone(440.0, rate=rate)[round(0.1 * rate) : round(0.4 * rate)]
    np.testing.assert_allclose(middle, expected, atol=2e-3)


def test_resampling_keeps_every_channel() -> None:
    audio = Audio(np.stack([tone(200.0 * (k + 1)) for k in range(8)]), RATE).resample(22_050)
    assert audio.channels == 8
    for k in range(8):
        spectrum = np.abs(np.fft.rfft(audio.samples[k]))
        assert np.argmax(spectrum) * 2 == pytest.approx(200.0 * (k + 1), abs=2)


@pytest.mark.parametrize("rate", [0, 999, 2_000_000])
def test_a_rate_out_of_range_is_refused(rate: int) -> None:
    with pytest.raises(AudioError, match="out of range"):
        Audio(tone(440), RATE).resample(rate)


def test_the_same_rate_is_the_same_sound() -> None:
    audio = Audio(tone(440), RATE)
    assert audio.resample(RATE) is audio


def test_cut_and_pad() -> None:
    audio = Audio(np.arange(RATE, dtype=np.float32), RATE)
    assert audio.cut(0.5).samples[0, 0] == 22_050
    assert audio.cut(0.25, 0.5).seconds == 0.25
    assert audio.cut(2.0).samples.shape == (1, 0)
    assert audio.cut(-1.0, 5.0).seconds == 1.0
    padded = audio.pad_to(RATE + 10)
    assert padded.samples.shape == (1, RATE + 10)
    assert not padded.samples[0, RATE:].any()
    assert audio.pad_to(5) is audio


def test_gain_and_peak() -> None:
    audio = Audio(tone(440, peak=0.25), RATE)
    assert audio.gain(6.0206).peak == pytest.approx(0.5, rel=1e-3)
    assert audio.at_peak(0.9).peak == pytest.approx(0.9, rel=1e-5)
    silent = Audio(np.zeros(100, np.float32), RATE)
    assert silent.at_peak() is silent


def test_transposed_is_faster_and_higher() -> None:
    at = np.arange(44_100) / 44_100
    tone = Audio(np.sin(2 * np.pi * 440.0 * at).astype(np.float32), 44_100)
    up = tone.transposed(12.0)
    assert (up.sample_rate, up.samples.shape[1]) == (44_100, 22_050)
    spectrum = np.abs(np.fft.rfft(up.samples[0] * np.hanning(22_050)))
    assert np.argmax(spectrum) * 2.0 == pytest.approx(880.0, abs=2.0)
    assert np.array_equal(tone.transposed(0.0).samples, tone.samples)
