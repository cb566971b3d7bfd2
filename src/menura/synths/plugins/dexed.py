"""DX7 voices as the settings of Dexed, and back: Dexed's controls are the DX7's bytes, each over its highest value.

Knows names and numbers; loads no plug-in. Source: Dexed, PluginParam.cpp, the controls and their steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from menura.synths.dx7.controls import controls
from menura.synths.dx7.format import initial_voice, name_bytes

_SHARED = {
    "algorithm": "algorithm",
    "feedback": "feedback",
    "osc_key_sync": "oscillator_sync",
    "lfo_speed": "lfo_speed",
    "lfo_delay": "lfo_delay",
    "lfo_pm_depth": "lfo_pitch_depth",
    "lfo_am_depth": "lfo_amp_depth",
    "lfo_key_sync": "lfo_sync",
    "lfo_wave": "lfo_wave",
    "middle_c": "transpose",
    "p_mode_sens": "pitch_mod_sensitivity",
}
_OPERATOR = {
    "output_level": "output_level",
    "mode": "mode",
    "f_coarse": "coarse",
    "f_fine": "fine",
    "osc_detune": "detune",
    "break_point": "break_point",
    "l_scale_depth": "left_depth",
    "r_scale_depth": "right_depth",
    "l_key_scale": "left_curve",
    "r_key_scale": "right_curve",
    "rate_scaling": "rate_scaling",
    "a_mod_sens": "amp_mod_sensitivity",
    "key_velocity": "velocity_sensitivity",
}


def dx7_name(control: str) -> str | None:
    """The DX7's control that a control of Dexed is, by its plain name; None where it is Dexed's own."""
    if control in _SHARED:
        return _SHARED[control]
    if found := re.fullmatch(r"pitch_eg_(rate|level)_([1-4])", control):
        return f"pitch_{found[1]}_{found[2]}"
    if found := re.fullmatch(r"op([1-6])_eg_(rate|level)_([1-4])", control):
        return f"op{found[1]}_{found[2]}_{found[3]}"
    if (found := re.fullmatch(r"op([1-6])_(\w+)", control)) and found[2] in _OPERATOR:
        return f"op{found[1]}_{_OPERATOR[found[2]]}"
    return None


def raws_of_voice(voice: bytes) -> dict[str, float]:
    """The raw value, 0 to 1, of each of the DX7's controls, by the DX7's name, of 155 bytes."""
    return {one.name: voice[number] / one.high for number, one in enumerate(controls())}


def voice_of_raws(raws: Mapping[str, float], name: str = "") -> bytes:
    """155 bytes of a voice; what is not among the raw values is as in the instrument's initial voice."""
    rest = initial_voice()
    body = [round(raws[one.name] * one.high) if one.name in raws else rest[n] for n, one in enumerate(controls())]
    return bytes(body) + name_bytes(name)
