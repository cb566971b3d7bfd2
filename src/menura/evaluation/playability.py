"""Does an answer play as an instrument does? Renders a preset longer and softer, and measures. Knows no matcher."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True)
class Playability:
    """How an answer behaved when it was played differently from the recording."""

    held_db: float | None
    """Level at the end of a note held twice as long, relative to its middle; None for a decaying target."""
    released_db: float | None
    """Level 4 s after its key up, relative to its loudest moment; None for a decaying target."""
    softer_db: float
    """Level of a softer note relative to the note itself; below 0 is quieter."""

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


def play(preset: Preset, note: Note, pool: RenderPool, *, sustaining: bool) -> Playability:
    """Play an answer held twice as long, and more softly.

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
    rendered = pool.render_many([(preset, wanted) for wanted in notes])
    sounds: list[Audio] = []
    for answer in rendered:
        if answer.audio is None:
            raise RenderError(f"a render of the answer failed: {answer.error}")
        sounds.append(answer.audio)
    softer_db = _level(sounds[1].samples) - _level(sounds[0].samples)
    if not sustaining:
        return Playability(None, None, softer_db)
    held, released = _held(sounds[2], 2.0 * note.total)
    return Playability(held, released, softer_db)


def _held(sound: Audio, key_up: float) -> tuple[float, float]:
    window = min(0.2, 0.2 * key_up)
    end = _level(sound.cut(key_up - window, key_up).samples)
    middle = _level(sound.cut(0.5 * (key_up - window), 0.5 * (key_up + window)).samples)
    size = max(1, round(0.05 * sound.sample_rate))
    samples = sound.samples
    loudest = max(_level(samples[:, first : first + size]) for first in range(0, samples.shape[1], size))
    last = _level(samples[:, -size:])
    return end - middle, last - loudest


def _level(samples: NDArray[np.float32]) -> float:
    """RMS in dB of full scale, not under -120."""
    mean = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    return 10.0 * float(np.log10(max(mean, 1e-12)))
