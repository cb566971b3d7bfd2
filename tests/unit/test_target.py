"""What a match is prepared from: the sound, the quiet behind it, the note."""

from __future__ import annotations

import numpy as np
import pytest

from menura.audio import Audio
from menura.matching.hearing import Hearing
from menura.matching.target import LONGEST, REST, SAMPLE_RATE, Target
from menura.note import Note


def tone(seconds: float, quiet: float, tau: float = 0.08) -> Audio:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = 0.5 * np.exp(-time / tau) * np.sin(2.0 * np.pi * 220.0 * time)
    return Audio(np.concatenate([sound, np.zeros(round(quiet * SAMPLE_RATE))])[None].astype(np.float32), SAMPLE_RATE)


def test_the_quiet_that_follows_is_heard_but_is_no_part_of_the_sound() -> None:
    short, long = Target.of(tone(0.6, 0.0)), Target.of(tone(0.6, 3.0))
    assert long.audio.seconds == pytest.approx(long.estimate.total + REST)
    assert long.sound.seconds == pytest.approx(long.estimate.total)
    assert long.note.total == pytest.approx(long.audio.seconds)
    assert long.estimate.pitch == pytest.approx(short.estimate.pitch, abs=0.05)
    assert long.note.hold <= long.estimate.total


def test_no_quiet_is_made_up() -> None:
    assert Target.of(tone(0.3, 0.0, tau=10.0)).audio.seconds == pytest.approx(0.3, abs=1e-3)
    assert Target.of(tone(LONGEST - 0.2, 3.0, tau=10.0)).audio.seconds == pytest.approx(LONGEST)


def test_a_note_that_is_known_is_held_as_it_is_but_heard_as_the_sound() -> None:
    target = Target.of(tone(0.6, 3.0), Note(57.0, 0.8, 2.0, 4.0))
    assert target.note.hold == 2.0
    assert target.estimate.hold == target.estimate.total


def test_what_rings_on_behind_the_sound_is_further_away() -> None:
    target = Target.of(tone(0.6, 1.0))
    hearing = Hearing(target.audio.mono, target.note.frequency_hz)
    own = target.audio.mono.copy()
    echo = own.copy()
    behind = round((target.sound.seconds + 0.05) * SAMPLE_RATE)
    echo[behind:] += 0.3 * own[: echo.size - behind]
    same, ringing = (hearing.of(Audio(sound[None], SAMPLE_RATE)).distance for sound in (own, echo))
    assert same == pytest.approx(0.0, abs=1e-6)
    assert ringing > 2.0
