"""Does an answer play as an instrument does? Renders a preset longer and softer, and measures. Knows no matcher."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from menura.audio import Audio
from menura.errors import RenderError
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool import RenderPool

SUSTAIN_DB = 9.0
"""A held note may end that far below its middle."""
SILENT_DB = -50.0
"""A released note is over that far below its loudest moment ..."""
SILENT_AFTER = 4.0
"""... that many seconds after key up."""
SOFTER_VELOCITY = 0.35
"""Velocity of the softer note; the other one has the note's own."""
CLICK_DB = 20.0
"""A burst in the part that no recording showed, that far above the sound around it, is a click."""
KEYS = tuple(range(24, 97, 6))
"""MIDI keys of the walk over the keyboard: C1 to C7 in tritones."""
KEY_SILENT_DB = -50.0
"""A key whose loudest moment is that far below the match's own note's is silent."""
KEY_LOUD_DB = 15.0
"""A key that far above it blows up."""


@dataclass(frozen=True, slots=True)
class Playability:
    """How an answer behaved when it was played differently from the recording."""

    held_db: float | None
    """Level at the end of a note held twice as long, relative to its middle; None for a decaying target."""
    released_db: float | None
    """Level 4 s after its key up, relative to its loudest moment; None for a decaying target."""
    softer_db: float
    """Level of a softer note relative to the note itself; below 0 is quieter."""
    click_db: float | None = None
    """Largest burst beyond the recording's length while the key is held, relative to the sound around it; None for a
    decaying target."""
    keys_silent: int = 0
    """How many of `KEYS` gave no sound."""
    keys_loud: int = 0
    """How many of `KEYS` blew up."""

    @property
    def sustains(self) -> bool | None:
        """True if the held note still sounded at its end; None for a decaying target."""
        return None if self.held_db is None else self.held_db >= -SUSTAIN_DB

    @property
    def ends(self) -> bool | None:
        """True if the released note fell silent; None for a decaying target."""
        return None if self.released_db is None else self.released_db < SILENT_DB

    @property
    def answers_velocity(self) -> bool:
        """True if the softer note was quieter, by more than the engine's own chance."""
        return self.softer_db < -0.1

    @property
    def clicks(self) -> bool | None:
        """True if something burst while the note was held on; None for a decaying target."""
        return None if self.click_db is None else self.click_db > CLICK_DB


def play(preset: Preset, note: Note, pool: RenderPool, *, sustaining: bool) -> Playability:
    """Play an answer held twice as long, more softly, and over the keyboard.

    Args:
        preset: The answer.
        note: The note of the match; its total is the length of the recording.
        pool: Renders exactly.
        sustaining: Whether the recording is of a sustaining sound; only then it is held longer.

    Raises:
        RenderError: one of the renders failed.
    """
    softer = replace(note, velocity=min(SOFTER_VELOCITY, note.velocity / 2.0))
    notes = [note, softer]
    if sustaining:
        notes.append(replace(note, hold=2.0 * note.total, total=2.0 * note.total + SILENT_AFTER))
    keys = [replace(note, pitch=float(key), hold=0.4, total=0.6) for key in KEYS]
    rendered = pool.render_many([(preset, wanted) for wanted in (*notes, *keys)])
    sounds: list[Audio] = []
    for answer in rendered:
        if answer.audio is None:
            raise RenderError(f"a render of the answer failed: {answer.error}")
        sounds.append(answer.audio)
    softer_db = _level(sounds[1].samples) - _level(sounds[0].samples)
    own = _loudest(sounds[0])
    levels = [_loudest(sound) - own for sound in sounds[len(notes) :]]
    silent, loud = sum(level < KEY_SILENT_DB for level in levels), sum(level > KEY_LOUD_DB for level in levels)
    if not sustaining:
        return Playability(None, None, softer_db, None, silent, loud)
    key_up = 2.0 * note.total
    held, released = _held(sounds[2], key_up)
    note_hz = 440.0 * 2.0 ** ((note.pitch - 69.0) / 12.0)
    return Playability(
        held, released, softer_db, _click(sounds[2].cut(0.9 * note.total, key_up), note_hz), silent, loud
    )


def _held(sound: Audio, key_up: float) -> tuple[float, float]:
    window = min(0.2, 0.2 * key_up)
    end = _level(sound.cut(key_up - window, key_up).samples)
    middle = _level(sound.cut(0.5 * (key_up - window), 0.5 * (key_up + window)).samples)
    last = _level(sound.cut(sound.seconds - 0.05).samples)
    return end - middle, last - _loudest(sound)


def _loudest(sound: Audio) -> float:
    """Level in dB of the loudest 50 ms."""
    size = max(1, round(0.05 * sound.sample_rate))
    return max(_level(sound.samples[:, first : first + size]) for first in range(0, sound.samples.shape[1], size))


def _click(sound: Audio, frequency_hz: float) -> float:
    """The largest burst of a steady sound in dB above the quarter of a second around it.

    A click has all frequencies: it shows in the second difference, where a steady sound's own high end is
    smallest. A frame holds two periods, or every period of a low buzz would look like one.
    """
    size = max(round(0.005 * sound.sample_rate), round(2.0 * sound.sample_rate / frequency_hz))
    bent = np.diff(sound.mono.astype(np.float64), 2)
    count = bent.size // size
    if count < 8:
        return 0.0
    levels = 10.0 * np.log10(np.maximum(np.square(bent[: count * size].reshape(count, size)).mean(axis=1), 1e-16))
    around = median_filter(levels, size=max(3, round(0.25 * sound.sample_rate / size)), mode="nearest")
    return float(np.max(levels - around))


def _level(samples: NDArray[np.float32]) -> float:
    """RMS in dB of full scale, not under -120."""
    mean = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    return 10.0 * float(np.log10(max(mean, 1e-12)))
