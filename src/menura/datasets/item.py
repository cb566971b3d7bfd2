"""One sound of a set, on disk, with what is known of it. Knows no synth and no metric."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from menura.note import Note


@dataclass(frozen=True, slots=True)
class Item:
    """A sound to match, and what an answer to it is held against."""

    id: str
    """Unique in its set and the same on every machine; relative names with ``/`` are usual."""
    sound: Path
    """The file that is heard."""
    pitch: float | None = None
    """MIDI pitch that is told to the matcher; None: it listens."""
    note: Note | None = None
    """The whole note, where the sound was played by machine; it is told in place of the pitch. None for recordings."""
    category: str = ""
    """What kind of sound it is."""
    source: str = ""
    """Author, library or instrument: splits and groups go by it."""
    articulation: str = ""
    """How the note is played (stroke, velocity layer, round robin), where the set states it; pairs keep to it."""
    tags: tuple[str, ...] = ()
    """Further words for it: qualities, labels."""
    licence: str = ""
    """Of the sound, as its source states it."""
    synth: str = ""
    """Name of the synth that made the sound, where a preset of it is known."""
    preset: Path | None = None
    """The preset that made the sound, without chance."""
    original: Path | None = None
    """The same preset as its author left it, chance included."""
    judged: Path | None = None
    """The file an answer is held against; None is the sound itself."""
    judged_pitch: float | None = None
    """MIDI pitch at which an answer is played to be judged; None is the pitch of the match."""
    condition: str = "clean"
    """What was done to the sound, from `menura.datasets.conditions`."""
    sha256: str = ""
    """Of the sound's file, where the set states it; checked before use."""
    error: str = ""
    """Why the item cannot be used; it stays in the set, so that a row of the table says so."""

    @property
    def key(self) -> str:
        """The item and its condition."""
        return self.id if self.condition == "clean" else f"{self.id}@{self.condition}"


@dataclass(frozen=True, slots=True)
class SoundSet:
    """Items in a fixed order, and where they came from."""

    name: str
    items: tuple[Item, ...]
    origin: dict[str, object] = field(default_factory=dict[str, object])
    """Provenance that JSON can hold: file and its hash, seed, counts, what was left out and why."""
