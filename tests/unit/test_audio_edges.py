"""Trimming: what is quiet goes, what sounds stays."""

from __future__ import annotations

import numpy as np
import pytest

from menura.audio import Audio

RATE = 44_100


def decaying(seconds: float = 1.0, tau: float = 0.15) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return 0.8 * np.exp(-time / tau) * np.sin(2 * np.pi * 330.0 * time)


def with_lead(sound: np.ndarray, lead: float) -> Audio:
    return Audio(np.concatenate((np.zeros(round(lead * RATE)), sound)), RATE)


@pytest.mark.parametrize("lead", [0.03, 0.25, 1.7])
def test_a_silent_lead_goes_but_for_a_short_pre_roll(lead: float) -> None:
    trimmed = with_lead(decaying(), lead).trim(tail=False)
    assert 0.0 <= trimmed.seconds - 1.0 <= 0.008
    assert trimmed.samples[0, -1] == np.float32(decaying()[-1])


@pytest.mark.parametrize("lead", [0.0, 0.005, 0.019])
def test_a_lead_under_20_ms_stays(lead: float) -> None:
    audio = with_lead(decaying(), lead)
    assert audio.trim(tail=False) is audio


def test_a_silent_tail_goes_and_nothing_that_sounds() -> None:
    sound = decaying(1.0, tau=0.05)
    trimmed = Audio(np.concatenate((sound, np.zeros(RATE))), RATE).trim()
    # 60 dB below the loudest is 0.35 s into a decay of 0.05 s.
    assert 0.35 <= trimmed.seconds <= 0.5
    np.testing.assert_array_equal(trimmed.samples[0], sound[: trimmed.samples.shape[1]].astype(np.float32))


@pytest.mark.parametrize(("follows", "stays"), [(1.0, 0.5), (0.3, 0.3), (0.0, 0.0)])
def test_some_of_what_follows_the_end_may_stay(follows: float, stays: float) -> None:
    sound = np.concatenate((decaying(0.6, tau=0.05)[: round(0.4 * RATE)], np.zeros(round(follows * RATE))))
    audio = Audio(sound, RATE)
    trimmed = audio.trim(rest=0.5)
    assert trimmed.seconds - audio.trim().seconds == pytest.approx(min(stays, audio.seconds - audio.trim().seconds))
    assert trimmed.seconds >= 0.4 + min(stays, follows) - 0.05


@pytest.mark.parametrize("noise_db", [-70.0, -55.0, -45.0])
def test_background_noise_before_the_sound_goes_too(noise_db: float, rng: np.random.Generator) -> None:
    audio = with_lead(decaying(), 0.5)
    noise = 10 ** (noise_db / 20) * rng.standard_normal(audio.samples.shape[1])
    trimmed = Audio(audio.samples + noise, RATE).trim(tail=False)
    assert 0.98 <= trimmed.seconds <= 1.02


def test_a_sound_that_is_loud_throughout_stays(rng: np.random.Generator) -> None:
    for sound in (0.5 * np.sin(np.arange(RATE) * 0.05), 0.1 * rng.standard_normal(RATE)):
        audio = Audio(sound, RATE)
        assert audio.trim() is audio


def test_a_slow_swell_keeps_its_beginning() -> None:
    time = np.arange(2 * RATE) / RATE
    audio = Audio(0.8 * (time / 2.0) * np.sin(2 * np.pi * 220.0 * time), RATE)
    assert 2.0 - audio.trim(tail=False).seconds < 0.05


def test_channels_share_their_edges() -> None:
    late = np.concatenate((np.zeros(RATE // 2), decaying(0.5)))
    early = np.concatenate((np.zeros(RATE // 10), decaying(0.9)))
    trimmed = Audio(np.stack([late, early]), RATE).trim(tail=False)
    assert trimmed.channels == 2
    assert trimmed.seconds == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("count", [0, 1, 100, 441])
def test_silence_and_crumbs_stay_as_they_are(count: int) -> None:
    audio = Audio(np.zeros((2, count), np.float32), RATE)
    assert audio.trim() is audio
