"""What a library says of itself, and of a patch that was found. Owns these values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from menura.errors import InputError
from menura.library.listening import Ear
from menura.synths.base import Synth


@dataclass(frozen=True, slots=True)
class Card:
    """What a library is made of; a library of another make is refused."""

    synth: str
    space: str
    """Fingerprint of the synth's parameter space."""
    engine: str
    notes: tuple[float, ...]
    """MIDI pitches at which each patch was heard, ascending."""
    ear: Ear
    fingerprints: tuple[str, str]
    """Of the two embedders."""

    @classmethod
    def of(cls, synth: Synth, notes: Sequence[float], ear: Ear) -> Card:
        """The card of a new library. Raises MenuraError where an embedder is not there."""
        pitches = tuple(sorted(set(map(float, notes))))
        if not pitches or not all(0.0 <= pitch <= 127.0 for pitch in pitches):
            raise InputError(f"notes {list(notes)}; give MIDI pitches from 0 to 127, at least one")
        return cls(synth.name, synth.space.fingerprint, synth.version, pitches, ear, ear.fingerprints())


@dataclass(frozen=True, slots=True)
class Hit:
    """A patch that sounds like the query."""

    number: int
    """Its place in the library."""
    name: str
    path: str
    """The user's own file; empty where the patch was made for the library."""
    distance: float
    """Of the perceptual embeddings, lower is nearer."""
    note: float
    """MIDI pitch at which the two were compared."""
