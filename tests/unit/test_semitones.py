"""Pictures in semitones: what is where in them, and what they do not hear."""

from __future__ import annotations

import numpy as np
import pytest

from menura.errors import AudioError
from menura.features.semitones import BANDS, FRAMES, LOWEST, SAMPLE_RATE, semitone_picture


def tone(pitch: float, seconds: float = 1.0, partials: int = 1) -> np.ndarray:
    hertz = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    waves = [np.sin(2.0 * np.pi * hertz * k * times) / k for k in range(1, partials + 1)]
    return (0.3 * np.sum(waves, axis=0)).astype(np.float32)


@pytest.mark.parametrize("pitch", [30, 45, 69, 100, 127])
def test_a_tone_is_loudest_in_the_band_of_its_pitch(pitch: int) -> None:
    picture = semitone_picture(tone(pitch))
    assert picture.shape == (FRAMES, BANDS)
    assert picture.max() == 0.0
    assert int(picture[20].argmax()) == pytest.approx(pitch - LOWEST, abs=1 if pitch < 40 else 0)


def test_a_transposition_moves_the_spectrum_without_bending_it() -> None:
    low, high = (semitone_picture(tone(pitch, partials=8))[20] for pitch in (60, 67))
    # The tops of the partials; what lies between them is the window's.
    bands = [round(60 - LOWEST + 12.0 * np.log2(k)) for k in range(1, 9)]
    np.testing.assert_allclose(low[bands], high[[band + 7 for band in bands]], atol=1.5)
    assert (low[bands] > low[[band + 7 for band in bands]]).sum() > 5


def test_gain_and_silence_around_a_sound_are_not_heard() -> None:
    sound = tone(60, partials=8) * np.exp(-3.0 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    picture = semitone_picture(sound)
    # Where a value lies between two steps, rounding may go either way.
    assert np.abs(semitone_picture(sound * np.float32(0.125)) - picture).max() <= 0.5
    # What remains before the onset moves the frames by less than a hop.
    around = np.pad(sound, (SAMPLE_RATE // 2, SAMPLE_RATE))
    assert (semitone_picture(around, trim=False)[:18] == -80.0).all()
    padded = semitone_picture(around)
    assert padded.shape == picture.shape
    assert np.abs(padded - picture).mean() < 1.5


def test_what_is_shorter_is_followed_by_silence_and_what_is_longer_is_seen_longer() -> None:
    short = semitone_picture(tone(60, 0.3))
    assert short.shape[0] == FRAMES
    assert (short[FRAMES // 2 :] == -80.0).all()
    assert semitone_picture(tone(60, 3.0)).shape[0] == 1 + 3 * SAMPLE_RATE // 1024


def test_silence_is_all_floor_and_what_is_no_sound_is_refused() -> None:
    assert (semitone_picture(np.zeros(1_000, dtype=np.float32)) == -80.0).all()
    with pytest.raises(AudioError):
        semitone_picture(np.zeros(0, dtype=np.float32))
