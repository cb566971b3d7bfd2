"""One item of a corpus once it is rendered, and the draws that were not worth it. Knows no file."""

from __future__ import annotations

from dataclasses import dataclass

from menura.datasets.listening import Sounding
from menura.preset import Preset


@dataclass(frozen=True, slots=True, eq=False)
class RenderedItem:
    """A preset and how it sounds at each of the plan's notes."""

    index: int
    attempt: int
    preset: Preset
    file: bytes
    """As the synth writes the preset."""
    soundings: tuple[Sounding, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A draw that was replaced by the item's next one."""

    index: int
    attempt: int
    why: str
    """``"silent"`` or ``"failed"``."""
