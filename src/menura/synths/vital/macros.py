"""Vital's macros: which controls, routes and drawn contours make a patch brighter, softer, wider. Knows no sound.

They work on patches of both kinds: those that menura draws from a sound, where LFOs of one pass hold level, pitch and
colour (docs/decisions/050-resynthesis.md), and those that are made of envelopes and filters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from menura.preset import Preset, Route
from menura.synths.macros import Macro
from menura.synths.vital import init as vital_init
from menura.synths.vital.controls import SLOTS, controls

_OSCILLATORS = ("osc_1", "osc_2", "osc_3")
_ENVELOPE, _SUSTAIN = 2, 3
"""Modes of an LFO that runs once: to its end, or to its phase while the key is held."""
_SPARE_LFO, _SPARE_ENVELOPE = 8, 6
_VIBRATO_HZ = 5.5
_SLOWEST = 3.0
"""Times that a contour is stretched or hastened at the ends of a macro."""


def _set(preset: Preset, **wanted: float) -> Preset:
    """Controls at values, each held in its range."""
    known = controls()
    return preset.with_values(
        **{name: float(np.clip(value, known[name].low, known[name].high)) for name, value in wanted.items()}
    )


def _added(preset: Preset, **steps: float) -> Preset:
    return _set(preset, **{name: preset.values[name] + step for name, step in steps.items()})


def _scaled(preset: Preset, factor: float, *names: str) -> Preset:
    return _set(preset, **{name: preset.values[name] * factor for name in names})


def _switched(preset: Preset, switch: str, at_rest: Mapping[str, float]) -> Preset:
    """An effect that is on; where it was off, in a state that changes nothing yet."""
    return preset if preset.values[switch] >= 0.5 else _set(preset, **{switch: 1.0}, **at_rest)


def _on(preset: Preset) -> list[str]:
    return [name for name in _OSCILLATORS if preset.values[f"{name}_on"] >= 0.5]


def _routed(preset: Preset, *routes: Route) -> Preset:
    """The patch with more routes, in free slots; as many as there is room for."""
    taken = {route.slot for route in preset.routes}
    # A slot that another route moves by its number is not free.
    taken |= {int(r.destination.split("_")[1]) for r in preset.routes if r.destination.startswith("modulation_")}
    free = [slot for slot in range(1, SLOTS + 1) if slot not in taken]
    placed = tuple(replace(route, slot=slot) for route, slot in zip(routes, free, strict=False))
    return replace(preset, routes=(*preset.routes, *placed))


def _uses(preset: Preset, source: str) -> bool:
    return any(route.source == source for route in preset.routes)


def _drawn(preset: Preset, name: str, goal: float, amount: float) -> Preset:
    """A control that goes to a place as the amount goes to an end, whichever: nothing jumps on the way."""
    return _added(preset, **{name: abs(amount) * (goal - preset.values[name])})


_FLAT = {"eq_low_gain": 0.0, "eq_band_gain": 0.0, "eq_high_gain": 0.0}


def _brighter(preset: Preset, amount: float) -> Preset:
    rest = {**_FLAT, "eq_high_cutoff": 88.0, "eq_high_mode": 0.0}
    preset = _drawn(_switched(preset, "eq_on", rest), "eq_high_cutoff", 88.0 if amount > 0 else 76.0, amount)
    before = preset.values["eq_high_gain"]
    preset = _added(preset, eq_high_gain=13.0 * amount)
    # What the shelf has no room for, what lies below it gives.
    rest_db = before + 13.0 * amount - preset.values["eq_high_gain"]
    return _added(preset, eq_low_gain=-rest_db, eq_band_gain=-0.5 * rest_db)


def _warmer(preset: Preset, amount: float) -> Preset:
    preset = _switched(preset, "eq_on", {**_FLAT, "eq_low_mode": 0.0})
    return _added(_drawn(preset, "eq_low_cutoff", 58.0, amount), eq_low_gain=10.0 * amount)


def _closer(preset: Preset, amount: float) -> Preset:
    rest = {**_FLAT, "eq_band_cutoff": 92.0, "eq_band_mode": 0.0, "eq_band_resonance": 0.35}
    return _added(_drawn(_switched(preset, "eq_on", rest), "eq_band_cutoff", 92.0, amount), eq_band_gain=11.0 * amount)


def _softer_attack(preset: Preset, amount: float) -> Preset:
    if amount > 0:
        return _added(preset, env_1_attack=0.8 * amount)
    preset = _set(preset, env_1_attack=preset.values["env_1_attack"] * (1.0 + amount))
    if _uses(preset, f"env_{_SPARE_ENVELOPE}"):
        return preset
    # The sound behind the onset steps back: a fresh envelope rises, and takes level away as it does.
    preset = _set(preset, env_6_attack=0.55, env_6_sustain=1.0, env_6_release=1.2, env_6_delay=0.0, env_6_hold=0.0)
    return _routed(preset, Route(f"env_{_SPARE_ENVELOPE}", "voice_amplitude", 0.65 * amount))


def _contours(preset: Preset, mode: int) -> list[int]:
    """LFOs of one pass in that mode that a route uses."""
    return [
        n for n in range(1, 9) if round(preset.values[f"lfo_{n}_sync_type"]) == mode
        and round(preset.values[f"lfo_{n}_sync"]) == 0 and _uses(preset, f"lfo_{n}")
    ]  # fmt: skip


def _stretched(preset: Preset, lfo: int, factor: float, pivot: float) -> Preset:
    """A drawn contour whose course behind `pivot` (0 to 1 of its length) takes `factor` times as long."""
    shapes: list[Any] = list(preset.blocks["settings"]["lfos"])
    shape = dict(shapes[lfo - 1])
    length = pivot + (1.0 - pivot) * factor
    points = list(shape["points"])
    times = [t if t <= pivot else pivot + (t - pivot) * factor for t in points[0::2]]
    points[0::2] = [time / length for time in times]
    shapes[lfo - 1] = {**shape, "points": points}
    changed = {f"lfo_{lfo}_frequency": preset.values[f"lfo_{lfo}_frequency"] - float(np.log2(length))}
    if round(preset.values[f"lfo_{lfo}_sync_type"]) == _SUSTAIN:
        changed[f"lfo_{lfo}_phase"] = preset.values[f"lfo_{lfo}_phase"] / length
    return _set(vital_init.with_settings(preset, lfos=shapes), **changed)


def _longer_release(preset: Preset, amount: float) -> Preset:
    factor = _SLOWEST**amount
    for lfo in _contours(preset, _SUSTAIN):
        preset = _stretched(preset, lfo, factor, preset.values[f"lfo_{lfo}_phase"])
    step = 0.75 * amount if amount > 0 else amount * (preset.values["env_1_release"] - 0.2)
    return _added(preset, env_1_release=step)


def _longer_decay(preset: Preset, amount: float) -> Preset:
    factor = _SLOWEST**amount
    for lfo in _contours(preset, _ENVELOPE):
        seconds = 2.0 ** -preset.values[f"lfo_{lfo}_frequency"]
        preset = _stretched(preset, lfo, factor, min(0.02 / seconds, 0.5))
    if _contours(preset, _ENVELOPE):
        return preset
    if amount < 0:
        preset = _drawn(preset, "env_1_decay", 0.9, amount)
        return _added(preset, env_1_sustain=0.9 * amount)
    return _added(preset, env_1_decay=0.5 * amount, env_1_sustain=0.5 * amount)


def _more_vibrato(preset: Preset, amount: float) -> Preset:
    if amount < 0:
        steadied = tuple(
            replace(r, amount=r.amount * (1.0 + amount)) if r.destination.endswith(("_tune", "_transpose")) else r
            for r in preset.routes
        )
        return replace(preset, routes=steadied)
    source = f"lfo_{_SPARE_LFO}"
    if _uses(preset, source):
        return preset
    sine = 0.5 + 0.5 * np.sin(np.linspace(0.0, 2.0 * np.pi, 33))
    shapes: list[Any] = list(preset.blocks["settings"]["lfos"])
    shapes[_SPARE_LFO - 1] = vital_init.shape(list(np.linspace(0.0, 1.0, 33)), list(sine), name="vibrato")
    preset = _set(
        vital_init.with_settings(preset, lfos=shapes),
        lfo_8_sync=0.0,
        lfo_8_sync_type=0.0,
        lfo_8_frequency=float(np.log2(_VIBRATO_HZ)),
        lfo_8_fade_time=0.25,
        lfo_8_smooth_mode=0.0,
    )
    depth = 0.35 * amount
    return _routed(preset, *(Route(source, f"{name}_tune", depth, bipolar=True) for name in _on(preset)))


def _wider(preset: Preset, amount: float) -> Preset:
    if amount < 0:
        return _scaled(
            preset, 1.0 + amount, "stereo_routing", "chorus_spread", *(f"{n}_stereo_spread" for n in _on(preset))
        )
    rest = {"chorus_dry_wet": 0.0, "chorus_mod_depth": 0.25, "chorus_feedback": 0.1, "chorus_spread": 1.0}
    preset = _switched(
        preset, "chorus_on", {**rest, "chorus_cutoff": 136.0, "chorus_sync": 0.0, "chorus_frequency": -1.5}
    )
    return _added(preset, chorus_dry_wet=0.45 * amount)


def _thicker(preset: Preset, amount: float) -> Preset:
    for name in _on(preset):
        if amount < 0:
            preset = _scaled(preset, 1.0 + amount, f"{name}_unison_detune", f"{name}_unison_blend")
            continue
        voices = preset.values[f"{name}_unison_voices"]
        if voices < 2:
            preset = _set(
                preset, **{f"{name}_unison_voices": 4.0, f"{name}_unison_detune": 1.0, f"{name}_detune_power": 1.5}
            )
        preset = _added(preset, **{f"{name}_unison_detune": 2.5 * amount})
    return preset


def _breathier(preset: Preset, amount: float) -> Preset:
    if amount < 0:
        lowered = _scaled(preset, 1.0 + amount, "sample_level")
        return _set(lowered, sample_on=0.0) if amount < -0.95 else lowered
    if preset.values["sample_on"] < 0.5:
        noise = vital_init.initial().blocks["settings"]["sample"]
        preset = vital_init.with_settings(preset, sample=noise)
        preset = _set(preset, sample_on=1.0, sample_level=0.0, sample_loop=1.0, sample_destination=3.0)
    return _added(preset, sample_level=0.4 * amount)


def _cleaner(preset: Preset, amount: float) -> Preset:
    if amount < 0:
        rest = {"distortion_drive": 0.0, "distortion_mix": 1.0, "distortion_type": 0.0, "distortion_filter_order": 0.0}
        preset = _switched(preset, "distortion_on", rest)
        return _added(preset, distortion_drive=-26.0 * amount)
    left = 1.0 - amount
    preset = _scaled(preset, left, "distortion_mix", "sample_level", *(f"filter_{n}_drive" for n in (1, 2, "fx")))
    return _set(preset, sample_on=0.0) if amount > 0.95 else preset


def _roomier(preset: Preset, amount: float) -> Preset:
    if amount < 0:
        return _scaled(preset, 1.0 + amount, "reverb_dry_wet", "delay_dry_wet")
    rest = {"reverb_dry_wet": 0.0, "reverb_size": 0.55, "reverb_decay_time": 1.0}
    return _added(_switched(preset, "reverb_on", rest), reverb_dry_wet=0.45 * amount)


_FORMANTS = 2.0


def _bigger(preset: Preset, amount: float) -> Preset:
    for name in _on(preset):
        kind = round(preset.values[f"{name}_spectral_morph_type"])
        if kind == 0:
            preset = _set(preset, **{f"{name}_spectral_morph_type": _FORMANTS, f"{name}_spectral_morph_amount": 0.5})
        elif kind != _FORMANTS:
            continue
        preset = _added(preset, **{f"{name}_spectral_morph_amount": -0.25 * amount})
    return preset


MACROS: tuple[Macro, ...] = (
    Macro("brighter", "Brighter", "Darker", "a shelf above 1.3 kHz", _brighter),
    Macro("warmer", "Warmer", "Thinner", "a shelf below 230 Hz", _warmer),
    Macro("closer", "Closer", "Further", "a bell at 1.7 kHz", _closer),
    Macro("bigger", "Bigger body", "Smaller body", "formants of the oscillators", _bigger),
    Macro("softer_attack", "Softer attack", "Harder attack", "how the note begins", _softer_attack),
    Macro("longer_decay", "Longer decay", "Shorter decay", "how fast it fades under the key", _longer_decay),
    Macro("longer_release", "Longer release", "Shorter release", "what rings on after the key", _longer_release),
    Macro("more_vibrato", "More vibrato", "Steadier pitch", "movement of the pitch", _more_vibrato),
    Macro("wider", "Wider", "Narrower", "chorus and stereo spread", _wider),
    Macro("thicker", "Thicker", "Leaner", "voices in unison", _thicker),
    Macro("breathier", "Breathier", "Less breath", "noise beside the tone", _breathier),
    Macro("cleaner", "Cleaner", "Dirtier", "noise and drive", _cleaner),
    Macro("roomier", "More room", "Drier", "reverb", _roomier),
)
"""In the order in which they are shown and applied."""
