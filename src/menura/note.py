"""The `Note` value: which key is played, how hard and how long. Knows no sound and no engine."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from menura.errors import NoteError

_NAME = re.compile(r"^\s*([A-Ga-g])([#b♯♭]?)(-?\d+)\s*$")
_SEMITONE = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHIFT = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True, slots=True)
class Note:
    """One played note.

    Raises:
        NoteError: if a field is not finite or outside its range.
    """

    pitch: float = 60.0
    """MIDI note number, 0 to 127; 60 is C4 (261.63 Hz). A fraction is cents / 100."""
    velocity: float = 0.8
    """Key velocity, above 0 and up to 1."""
    hold: float = 1.0
    """Seconds from key down to key up."""
    total: float = 2.0
    """Seconds that are rendered, at least as long as something is to be heard."""

    def __post_init__(self) -> None:
        for field, low, high in (("pitch", 0, 127), ("velocity", 0, 1), ("hold", 0, 3600), ("total", 0, 3600)):
            value = getattr(self, field)
            if not math.isfinite(value) or not low <= value <= high:
                raise NoteError(f"note {field} is {value}; give a number from {low} to {high}")
        if self.total <= 0 or self.velocity <= 0:
            raise NoteError("note total and velocity must be above 0")

    @property
    def frequency_hz(self) -> float:
        """Fundamental in Hz at A4 = 440 Hz."""
        return 440.0 * 2.0 ** ((self.pitch - 69.0) / 12.0)

    @property
    def name(self) -> str:
        """Name of the nearest key, C4 = 60."""
        return note_name(self.pitch)


def note_name(pitch: float) -> str:
    """Name of the key nearest to a MIDI pitch, e.g. ``61.2 -> 'C#4'``."""
    key = math.floor(pitch + 0.5)
    return f"{_SHARPS[key % 12]}{key // 12 - 1}"


def parse_pitch(text: str) -> float:
    """MIDI pitch of ``'C3'``, ``'f#2'``, ``'Bb-1'`` or a number such as ``'60.5'``; C4 is 60.

    Raises:
        NoteError: if the text is neither, or lies outside 0 to 127.
    """
    found = _NAME.match(text)
    if found:
        letter, shift, octave = found.groups()
        pitch = float(12 * (int(octave) + 1) + _SEMITONE[letter.upper()] + _SHIFT[shift])
    else:
        try:
            pitch = float(text)
        except ValueError:
            raise NoteError(f"note {text!r} is not understood; write a key such as C3, F#2 or a MIDI number") from None
    if not 0.0 <= pitch <= 127.0:
        raise NoteError(f"note {text!r} is MIDI {pitch:g}; keys go from 0 (C-1) to 127 (G9)")
    return pitch
