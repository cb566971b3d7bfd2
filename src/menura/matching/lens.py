"""Which controls a search should turn, and how far. Owns the lens; knows no synth and no sound."""

from __future__ import annotations

import math
from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

from menura.matching.idiom import idiom_of
from menura.preset import Preset
from menura.space import ParameterSpace
from menura.synths.base import Synth


def active_lens(synth: Synth, preset: Preset, locked: Set[str] = frozenset()) -> ParameterSpace:
    """The continuous controls that matter for this preset, as far as its synth's idiom knows, without the locked ones.

    Raises:
        SpaceError: everything is locked.
    """
    names = idiom_of(preset.synth).active(preset)
    space = synth.space.of_kind("continuous")
    wanted = [
        parameter.name
        for parameter in space.parameters
        if parameter.name not in locked and (names is None or parameter.name in names)
    ]
    return space.subset(*wanted)


def useful_bounds(
    lens: ParameterSpace, low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds narrowed to the useful ranges that the synth's idiom knows of; shapes (dim,) each."""
    ranges = idiom_of(lens.synth).ranges
    low, high = low.copy(), high.copy()
    for index, parameter in enumerate(lens.parameters):
        found = ranges.get(parameter.name)
        if found is None:
            continue
        span = parameter.high - parameter.low
        low[index] = max(low[index], (found[0] - parameter.low) / span)
        high[index] = min(high[index], (found[1] - parameter.low) / span)
        if not math.isfinite(span) or low[index] >= high[index]:
            low[index], high[index] = 0.0, 1.0
    return low, high
