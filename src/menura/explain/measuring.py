"""What is kept of a render, how far two renders are apart, and what became of the one in the other; knows no preset."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.explain.tutorial import Effect, Shift
from menura.features.qualities import Sound, noticed, sound_of
from menura.features.spectra import mel_power
from menura.note import Note

Picture = NDArray[np.float16]
"""Log-mel levels in dB of full scale, shape (2, frames, bands)."""

INAUDIBLE_DB = 0.2
"""A difference up to this is none, however exactly an engine repeats itself; one hears half a dB at best."""
_OF_TONES = ("pitch", "pitch_swing")
_CLEAR = 0.9
"""Chords, beats and noise have no pitch that a tracker could be believed."""
_RANGE_DB = 60.0
_WINDOW, _HOP, _BANDS = 2048, 441, 64
_LOWEST_DB = -120.0


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is kept of a render."""

    picture: Picture
    sound: Sound | None
    """None where only the picture was asked for."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Turns a render into what is kept of it; runs in the workers."""

    note: Note
    whole: bool = True
    """False takes the picture alone, which is quicker."""

    def __call__(self, audio: Audio) -> Heard:
        """Listens."""
        both = audio.samples if audio.channels > 1 else np.repeat(audio.samples, 2, axis=0)
        pictures = [mel_power(channel, audio.sample_rate, _WINDOW, _HOP, _BANDS) for channel in both[:2]]
        levels = 10.0 * np.log10(np.maximum(np.stack(pictures), 10.0 ** (_LOWEST_DB / 10.0)))
        return Heard(levels.astype(np.float16), sound_of(audio, self.note) if self.whole else None)


def difference_db(first: Picture, second: Picture) -> float:
    """How far two pictures are apart: the mean of absolute dB, by two counts of which the larger one is taken.

    One takes every cell alike that is within 60 dB of the louder picture's loudest cell; the other each by its
    amplitude, so that a change of the few bands that carry a sound is not lost among the many that do not.
    """
    a, b = first.astype(np.float32), second.astype(np.float32)
    loudest = np.maximum(a, b)
    top = float(loudest.max())
    if top <= _LOWEST_DB + 10.0:
        return 0.0
    floor = np.float32(top - _RANGE_DB)
    apart = np.abs(np.maximum(a, floor) - np.maximum(b, floor))
    weights = 10.0 ** ((loudest - top) / 20.0)
    return max(float(apart[loudest > floor].mean()), float((apart * weights).sum() / weights.sum()))


def effect_between(before: Heard, after: Heard, floor_db: float) -> Effect:
    """What became of one sound: the quantities that moved by more than one notices, the largest three.

    Args:
        before: the sound without the step.
        after: the sound with it.
        floor_db: differences up to it are none.
    """
    difference = difference_db(before.picture, after.picture)
    if difference <= floor_db or before.sound is None or after.sound is None:
        return Effect(difference, difference > floor_db)
    old, new = before.sound, after.sound
    if math.isinf(old.level) or math.isinf(new.level):
        moved = math.isinf(old.level) != math.isinf(new.level)
        return Effect(difference, True, (Shift("level", old.level, new.level),) if moved else ())
    found = [
        (size, Shift(field.name, getattr(old, field.name), getattr(new, field.name)))
        for field in fields(Sound)
        if (field.name not in _OF_TONES or min(old.tone, new.tone) >= _CLEAR)
        and (size := noticed(field.name, getattr(old, field.name), getattr(new, field.name))) >= 1.0
    ]
    found.sort(key=lambda pair: -pair[0])
    return Effect(difference, True, tuple(shift for _, shift in found[:3]))
