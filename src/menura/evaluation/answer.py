"""What an arm answers to one item. Owns the value; knows no arm and no metric."""

from __future__ import annotations

from dataclasses import dataclass

from menura.audio import Audio
from menura.note import Note
from menura.preset import Preset


@dataclass(frozen=True, slots=True)
class Point:
    """A moment at which the best candidate became nearer."""

    renders: int
    seconds: float
    mss: float
    """MSS of the best candidate so far as the search heard it, dB."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Presets that answer a sound, nearest first, or a sound where the arm makes none."""

    note: Note
    """The note at which the presets play the target."""
    presets: tuple[Preset, ...] = ()
    """Nearest first; empty where the arm answers with a sound."""
    sound: Audio | None = None
    """The answer itself, where there is no preset."""
    against: Audio | None = None
    """What it is held against, where that is not the item's own sound."""
    renders: int = 0
    engine_seconds: float = 0.0
    stopped_by: str = "stages"
    verdict: str = ""
    lineage: tuple[str, ...] = ()
    curve: tuple[Point, ...] = ()
    """How the best candidate came nearer, in the order of renders."""
