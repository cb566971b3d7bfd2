"""A preset that may become an answer. Owns its value; knows no stage."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from menura.audio import Audio
from menura.matching.hearing import Heard, Picture
from menura.preset import Preset


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A preset with what is known of it so far."""

    preset: Preset
    lineage: tuple[str, ...] = ()
    """How it came to be, first step first, e.g. ``("start:pluck", "choices", "cma-es")``."""
    distance: float = math.nan
    """Distance to the target, lower is nearer; NaN before the audition, infinite where there is no sound."""
    audio: Audio | None = None
    """Its sound at the target's note, where it was kept: the workers that render also compare, and send back
    numbers alone."""
    heard: Heard | None = field(default=None, repr=False)
    """What the audition noted."""

    @property
    def auditioned(self) -> bool:
        """True once its distance is known."""
        return not math.isnan(self.distance)

    @property
    def picture(self) -> Picture | None:
        """A picture of its sound, or None."""
        return None if self.heard is None else self.heard.picture

    def after(self, heard: Heard | None, audio: Audio | None = None) -> Candidate:
        """The same candidate with what was heard; None is a render that failed."""
        distance = math.inf if heard is None else heard.distance
        return replace(self, distance=distance, heard=heard, audio=audio)
