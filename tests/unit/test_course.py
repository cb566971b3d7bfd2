"""Hold, release and sustain, on made sounds whose key-up is known and on recordings by people."""

from __future__ import annotations

import numpy as np
import pytest

from menura.audio import read_audio
from menura.evaluation.bench import recordings
from menura.features.course import level_course, level_db

RATE = 44_100


def adsr(attack: float, hold: float, release: float, total: float, *, sustain: float = 1.0, hz: float = 220.0):
    """A tone with key-up at `hold` and a release of `release` seconds to -60 dB."""
    time = np.arange(int(total * RATE)) / RATE
    level = np.minimum(1.0, time / attack)
    level = np.where(time > attack, sustain + (1 - sustain) * np.exp(-(time - attack) / 0.05), level)
    level = np.where(time > hold, level * 10 ** (-3 * (time - hold) / release), level)
    return (0.5 * level * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def pluck(seconds: float, t60: float, hz: float = 110.0):
    time = np.arange(int(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * hz * k * time) / k * 10 ** (-3 * time * (1 + 0.3 * k) / t60) for k in range(1, 8))
    return (0.3 * wave * np.minimum(1, time / 0.002)).astype(np.float32)


@pytest.mark.parametrize(
    ("hold", "release", "total"), [(0.5, 0.1, 0.8), (1.2, 0.3, 1.8), (2.0, 1.0, 3.0), (0.3, 0.05, 0.4)]
)
@pytest.mark.parametrize("attack", [0.005, 0.1])
def test_a_held_tone_with_a_release(attack, hold, release, total):
    course = level_course(adsr(attack, hold, release, total), RATE)
    assert course.sustaining
    assert course.hold == pytest.approx(hold, abs=0.05)
    assert course.release == pytest.approx(release, abs=0.12)


def test_a_lower_sustain_after_a_decay_is_still_a_sustain():
    course = level_course(adsr(0.01, 1.5, 0.2, 2.0, sustain=0.4), RATE)
    assert course.sustaining
    assert course.hold == pytest.approx(1.5, abs=0.06)


def test_a_tone_that_is_cut_off_is_held_to_its_end():
    course = level_course(adsr(0.02, 9.0, 0.1, 1.4), RATE)
    assert course.sustaining
    assert course.hold == pytest.approx(1.4, abs=1e-3)
    assert course.release == 0.0


def test_tremolo_and_a_slow_swell_sustain():
    time = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 300 * time)
    tremolo = tone * (1 + 0.4 * np.sin(2 * np.pi * 6 * time))
    swell = tone * np.minimum(1, time / 1.0)
    for sound in (tremolo, swell):
        course = level_course((0.4 * sound).astype(np.float32), RATE)
        assert course.sustaining
        assert course.hold == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize(("seconds", "t60"), [(3.0, 2.0), (3.0, 6.0), (1.0, 0.4), (0.5, 0.2)])
def test_plucks_decay_freely(seconds, t60):
    course = level_course(pluck(seconds, t60), RATE)
    assert not course.sustaining
    assert course.hold == pytest.approx(seconds, abs=0.02)
    assert course.slope_db < -5.0


def test_a_damped_pluck_has_a_key_up_but_no_sustain():
    sound = pluck(2.0, 3.0)
    time = np.arange(sound.size) / RATE
    damped = sound * np.where(time > 1.2, 10 ** (-3 * (time - 1.2) / 0.12), 1.0).astype(np.float32)
    course = level_course(damped, RATE)
    assert not course.sustaining
    assert course.hold == pytest.approx(1.2, abs=0.06)


def test_noise_bursts_do_not_sustain():
    time = np.arange(RATE // 2) / RATE
    burst = np.random.default_rng(0).normal(size=time.size) * np.exp(-20 * time)
    assert not level_course(burst.astype(np.float32), RATE).sustaining


def test_silence_has_a_course_too():
    course = level_course(np.zeros(1000, np.float32), RATE)
    assert (course.sustaining, course.hold, course.release) == (False, pytest.approx(1000 / RATE), 0.0)


def test_gain_changes_nothing():
    sound = adsr(0.02, 1.0, 0.2, 1.5)
    assert level_course(sound, RATE) == level_course(np.float32(0.25) * sound, RATE)
    times, level = level_db(sound, RATE)
    assert times.shape == level.shape
    assert level.max() == 0.0
    assert level.min() == -60.0


def test_recordings_by_people(shared_data):
    """Most winds, bows, voices and pads sustain; most plucks and all drums decay."""
    rows = recordings(shared_data / "real" / "manifest.csv")
    shares = {}
    for kind in ("brass", "synth_pad", "vocal", "bowed", "plucked", "percussive"):
        chosen = [row for row in rows if row.category == kind][::2]
        shares[kind] = np.mean([level_course(read_audio(row.sound).mono, RATE).sustaining for row in chosen])
    assert min(shares[kind] for kind in ("brass", "synth_pad", "vocal", "bowed")) > 0.6
    assert max(shares[kind] for kind in ("plucked", "percussive")) < 0.2
