"""Brings a DX7 voice to the target's loudness by its carriers' output levels. Renders nothing."""

from __future__ import annotations

import math

from menura.matching.candidate import Candidate
from menura.matching.loudness import wanted_gain_db
from menura.matching.pool import Task
from menura.preset import Preset
from menura.synths.dx7.algorithms import algorithm

STEP_DB = 0.7526
"""What a step of the output level is, from `LINEAR` on. Source: hexter 1.1.1, dx7_voice_tables.c."""
LINEAR, HIGHEST = 20.0, 99.0


def at_target_loudness(task: Task, candidate: Candidate) -> Preset:
    """The candidate's voice with all carriers raised or lowered alike, as far as the loudest of them goes.

    Modulators stay, so that the timbre does; a carrier that feeds itself back changes a little.
    """
    preset = candidate.preset
    names = [f"op{number}_output_level" for number in algorithm(int(preset.values["algorithm"]) + 1).carriers]
    heard = {name: preset.values[name] for name in names if preset.values[name] >= LINEAR}
    gain = wanted_gain_db(task, candidate, locked=names)
    if not heard or gain is None:
        return preset
    steps = min(round(gain / STEP_DB), HIGHEST - max(heard.values()))
    steps = max(steps, LINEAR - min(heard.values()))
    if not math.isfinite(steps) or steps == 0:
        return preset
    return preset.with_values(**{name: level + steps for name, level in heard.items()})
