"""Brings an answer to the target's loudness by Vital's master volume. Owns that one correction; renders nothing."""

from __future__ import annotations

import math

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.pool import Task
from menura.preset import Preset

HIGHEST_PEAK = 0.99
"""No answer is made louder than this peak, full scale is 1."""
LEAVE_DB = 0.5
"""A difference below this is left: it is not heard as one."""
_SILENT_DB, _LOUDEST = -80.0, 7399.44


def at_target_loudness(task: Task, candidate: Candidate) -> Preset:
    """The candidate's preset with a master volume at which it is as loud as the target, as far as the synth goes.

    In-loop distances ignore gain, so that the search says nothing about loudness. What the user wants kept is kept:
    a locked volume, and any preset that was to be stayed near.
    """
    heard, preset = candidate.heard, candidate.preset
    free = not task.constraints.near and "volume" not in task.constraints.locked
    if heard is None or not free or heard.rms <= 0.0 or heard.peak <= 0.0:
        return preset
    mono = task.target.audio.mono
    wanted = float(np.sqrt(np.mean(np.square(mono, dtype=np.float64))))
    gain = 20.0 * math.log10(max(1e-6, min(wanted / heard.rms, HIGHEST_PEAK / heard.peak)))
    if abs(gain) < LEAVE_DB:
        return preset
    # Vital's volume in dB is the square root of the control, less 80.
    shown = math.sqrt(max(0.0, preset.values.get("volume", 0.0))) + _SILENT_DB + gain
    return preset.with_values(volume=min(_LOUDEST, max(0.0, shown - _SILENT_DB) ** 2))
