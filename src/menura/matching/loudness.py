"""How much louder an answer should be than it was heard. Knows no synth: what turns the gain is in its idiom."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.pool import Task

HIGHEST_PEAK = 0.99
"""No answer is made louder than this peak, full scale is 1."""
LEAVE_DB = 0.5
"""A difference below this is left: it is not heard as one."""


def wanted_gain_db(task: Task, candidate: Candidate, *, locked: Iterable[str]) -> float | None:
    """Gain at which a candidate is as loud as the target, in dB; None where it is to stay as it is.

    In-loop distances ignore gain, so that the search says nothing about loudness. What the user wants kept is kept:
    a locked control, and any preset that was to be stayed near.

    Args:
        task: The match.
        candidate: As it was heard.
        locked: Controls that would be moved.
    """
    heard = candidate.heard
    kept = task.constraints.near or any(name in task.constraints.locked for name in locked)
    if heard is None or kept or not task.target.audible or heard.rms <= 0.0 or heard.peak <= 0.0:
        return None
    mono = task.target.audio.mono
    wanted = float(np.sqrt(np.mean(np.square(mono, dtype=np.float64))))
    gain = 20.0 * math.log10(max(1e-6, min(wanted / heard.rms, HIGHEST_PEAK / heard.peak)))
    return None if abs(gain) < LEAVE_DB else gain
