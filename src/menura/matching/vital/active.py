"""Which continuous controls matter for a Vital patch: those of its sounding parts. Knows no sound."""

from __future__ import annotations

import re

from menura.preset import Preset

_OSCILLATOR = r"wave_frame|level|tune|phase"
_FILTER = r"cutoff|resonance|blend|drive"
_ENVELOPE = r"attack|attack_power|hold|decay|decay_power|sustain|release|release_power"
_LFO = r"frequency|delay_time|fade_time"
_EQUALISER = r"(low|band|high)_(gain|cutoff)"


def active_names(preset: Preset) -> set[str]:
    """Of an oscillator, a filter or an envelope that is switched on and led somewhere."""
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
