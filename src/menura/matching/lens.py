"""Which controls a search should turn: those that a preset really uses. Owns the choice; knows no sound."""

from __future__ import annotations

import math
import re
from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

from menura.preset import Preset
from menura.space import ParameterSpace
from menura.synths.base import Synth

_OSCILLATOR = r"wave_frame|level|tune|phase"
_FILTER = r"cutoff|resonance|blend|drive"
_ENVELOPE = r"attack|attack_power|hold|decay|decay_power|sustain|release|release_power"
_LFO = r"frequency|delay_time|fade_time"
_EQUALISER = r"(low|band|high)_(gain|cutoff)"


def active_lens(synth: Synth, preset: Preset, locked: Set[str] = frozenset()) -> ParameterSpace:
    """The continuous controls that matter for this preset, without the locked ones.

    For Vital these are the sounding parts' own: of an oscillator, a filter or an envelope that is switched on and
    led somewhere. For any other synth, all continuous controls.

    Raises:
        SpaceError: everything is locked.
    """
    names = _vital_names(preset) if preset.synth == "vital" else None
    space = synth.space.of_kind("continuous")
    wanted = [
        parameter.name
        for parameter in space.parameters
        if parameter.name not in locked and (names is None or parameter.name in names)
    ]
    return space.subset(*wanted)


def _vital_names(preset: Preset) -> set[str]:
    values = preset.values
    routes = [route for route in preset.routes if route.connected and not route.bypass]
    used = {route.source for route in routes} | {"env_1"}
    patterns: list[str] = []
    for number in (1, 2, 3):
        if values.get(f"osc_{number}_on", 0.0) >= 0.5:
            patterns.append(f"osc_{number}_({_OSCILLATOR})")
            if values.get(f"osc_{number}_spectral_morph_type", 0.0):
                patterns.append(f"osc_{number}_spectral_morph_amount")
            if values.get(f"osc_{number}_distortion_type", 0.0):
                patterns.append(f"osc_{number}_distortion_amount")
            if values.get(f"osc_{number}_unison_voices", 1.0) > 1.0:
                patterns.append(f"osc_{number}_unison_(detune|blend)")
    patterns += [f"filter_{number}_({_FILTER})" for number in (1, 2) if values.get(f"filter_{number}_on", 0.0) >= 0.5]
    patterns += [f"env_{number}_({_ENVELOPE})" for number in range(1, 7) if f"env_{number}" in used]
    patterns += [f"lfo_{number}_({_LFO})" for number in range(1, 9) if f"lfo_{number}" in used]
    patterns += [f"modulation_{route.slot}_amount" for route in routes]
    if values.get("sample_on", 0.0) >= 0.5:
        patterns.append("sample_level")
    if values.get("eq_on", 0.0) >= 0.5:
        patterns.append(f"eq_{_EQUALISER}")
    if values.get("distortion_on", 0.0) >= 0.5:
        patterns.append("distortion_(drive|mix)")
    if values.get("reverb_on", 0.0) >= 0.5:
        patterns.append("reverb_(dry_wet|decay_time|size|pre_high_cutoff)")
    joined = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    names = {*values, *(f"modulation_{route.slot}_amount" for route in routes)}
    return {name for name in names if joined.fullmatch(name)}


def useful_bounds(
    lens: ParameterSpace, low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds narrowed to the useful ranges that a wiring knows of, where it knows any; shapes (dim,) each."""
    from menura.matching.vital_voice import FINE_KNOBS, KNOBS

    if lens.synth != "vital":
        return low, high
    ranges = {knob.name: (knob.low, knob.high) for knob in (*KNOBS, *FINE_KNOBS)}
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
