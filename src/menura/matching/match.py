"""One answer of a match. Owns the value and its verdict; knows no search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from menura.audio import Audio
from menura.note import Note
from menura.preset import Preset

# Upper bounds of MSS in dB, nearest first. Source: docs/decisions/032-verdict.md.
VERDICTS: tuple[tuple[float, str], ...] = (
    (2.0, "very close"),
    (4.0, "close"),
    (7.0, "near"),
    (11.0, "a relative"),
)
BEYOND = "the synth cannot reach this closely"
"""The verdict above the last bound."""


def verdict_of(mss: float) -> str:
    """The word for an MSS in dB."""
    return next((word for bound, word in VERDICTS if mss <= bound), BEYOND)


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A preset that answers a sound, rendered by a pristine engine from the written preset, and scored."""

    preset: Preset
    audio: Audio
    """The preset's sound at `note`."""
    note: Note
    distance: float
    """What the search minimised, lower is nearer."""
    scores: Mapping[str, float]
    """The protocol's metrics: mss, wmfcc and sot (lower is nearer), rms (1 is equal)."""
    lineage: tuple[str, ...]
    """How it was found, first step first."""
    verdict: str
    """An honest word, from `VERDICTS` or `BEYOND`."""
    seed: int
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Versions of menura and of the engine."""

    @property
    def reached(self) -> bool:
        """False where the synth could not come close."""
        return self.verdict != BEYOND

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the preset's file.

        Args:
            path: Where to; the synth's suffix is added where it has none.
            force: Overwrite what is there.

        Returns:
            The path that was written.

        Raises:
            OutputError: the place is taken or cannot be written.
        """
        from menura.storage import write_bytes
        from menura.synths.registry import synth_of

        synth = synth_of(self.preset.synth)
        place = Path(path)
        if not place.suffix:
            place = place.with_suffix(synth.suffix)
        return write_bytes(place, synth.write(self.preset), force=force)
