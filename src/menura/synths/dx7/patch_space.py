"""The DX7's space for estimators: its controls, the coarse ratios of its operators as choices. Knows no network.

A ratio of 2 is no compromise of 1 and 3: what an estimator is unsure of must stay one of the two.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from menura.space import ParameterSpace
from menura.synths.dx7.controls import OPERATORS
from menura.synths.dx7.synth import Dx7
from menura.synths.patches import PatchSpace, by_group

_RATIOS = {f"op{number}_coarse" for number in OPERATORS}


@cache
def dx7_patch_space() -> PatchSpace:
    """The space, a part for each operator and for what they share; no two operators are interchangeable."""
    space = Dx7().space
    told = [
        replace(parameter, kind="choice", choices=tuple(str(step) for step in range(parameter.steps)))
        if parameter.name in _RATIOS
        else parameter
        for parameter in space.parameters
    ]
    return by_group(ParameterSpace(space.synth, told, slots=0))
