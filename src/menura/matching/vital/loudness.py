"""Vital's master volume: low while a search goes on, the target's loudness at its end. Renders nothing."""

from __future__ import annotations

import math

from menura.matching.candidate import Candidate
from menura.matching.loudness import wanted_gain_db
from menura.matching.pool import Task
from menura.preset import Preset

_SILENT_DB, _LOUDEST = -80.0, 7399.44
_ROOMY = 2500.0
"""-30 dB: a patch whose peak would be 30 at the usual volume is not clipped."""


def with_room(preset: Preset) -> Preset:
    """The preset with a master volume at which it is searched: distances ignore gain, and clipping is distortion.

    Without this a search finds patches whose sound is the engine's own clipping, which is gone as soon as they are
    brought to the target's loudness.
    """
    return preset.with_values(volume=_ROOMY) if preset.values.get("volume", 0.0) > _ROOMY else preset


def at_target_loudness(task: Task, candidate: Candidate) -> Preset:
    """The candidate's preset with a master volume at which it is as loud as the target, as far as the synth goes."""
    preset = candidate.preset
    gain = wanted_gain_db(task, candidate, locked=["volume"])
    if gain is None:
        return preset
    # Vital's volume in dB is the square root of the control, less 80.
    shown = math.sqrt(max(0.0, preset.values.get("volume", 0.0))) + _SILENT_DB + gain
    return preset.with_values(volume=min(_LOUDEST, max(0.0, shown - _SILENT_DB) ** 2))
