"""Attributes of sound, each tied to one of Vital's controls, and patches on which it is to be heard.

Owns which control stands for which attribute, over which range, and what a patch needs so that it matters. Renders
nothing and knows no embedder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from menura.note import Note
from menura.preset import Preset, Route
from menura.synths.registry import synth_of
from menura.synths.vital.controls import controls
from menura.synths.vital.init import initial, with_settings
from menura.synths.vital.stock import families, stock_table

NOTE = Note(pitch=60.0, velocity=100 / 127, hold=2.0, total=3.0)
"""The paper's key and velocity; its five seconds are three here, since no release of ours is longer."""
DEPTH = "modulation_1_amount"

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One way in which a sound can change, and the control that does it."""

    name: str
    control: str
    """By Vital's name, in its stored units."""
    low: float
    high: float
    """Ends of the steps, in stored units; of a control with two sides, each patch takes one of them."""
    needs: Mapping[str, Range] = field(default_factory=dict[str, Range])
    """Control to range: what a patch must have, so that the attribute is to be heard; drawn uniformly."""
    modulates: str = ""
    """Destination of LFO 1, if the attribute is about it."""
    families: tuple[str, ...] = ("analogue", "sync", "sweep", "harmonic", "formant", "fm", "organ", "string", "wind")
    """Kinds of stock tables that the patches play."""


_RINGING: Mapping[str, Range] = {"env_1_decay": (0.6, 0.9), "env_1_sustain": (0.0, 0.2)}
_FILTERED: Mapping[str, Range] = {"filter_1_on": (1.0, 1.0)}
_BRIGHT = ("analogue", "sync", "harmonic", "fm")

ATTRIBUTES: Mapping[str, Attribute] = {
    attribute.name: attribute
    for attribute in (
        # Times grow as the fourth power of the stored value: an attack of 1.15 is 1.7 s.
        Attribute("attack", "env_1_attack", 0.0, 1.15, {"env_1_sustain": (0.7, 1.0)}),
        Attribute("decay", "env_1_decay", 0.4, 1.3, {"env_1_sustain": (0.0, 0.0), "env_1_attack": (0.0, 0.2)}),
        Attribute("sustain", "env_1_sustain", 0.0, 1.0, {"env_1_decay": (0.5, 0.8), "env_1_attack": (0.0, 0.2)}),
        Attribute("release", "env_1_release", 0.2, 1.0, {"env_1_sustain": (0.7, 1.0)}),
        Attribute("cutoff", "filter_1_cutoff", 28.0, 120.0, _FILTERED, families=_BRIGHT),
        Attribute(
            "resonance", "filter_1_resonance", 0.0, 1.0, {**_FILTERED, "filter_1_cutoff": (55.0, 95.0)},
            families=_BRIGHT,
        ),
        Attribute("wavetable position", "osc_1_wave_frame", 0.0, 256.0, families=("sweep", "harmonic")),
        Attribute("drive", "distortion_drive", 0.0, 30.0, {"distortion_on": (1.0, 1.0), "osc_1_level": (0.4, 0.6)}),
        Attribute("noise level", "sample_level", 0.0, 1.0, {"sample_on": (1.0, 1.0), "osc_1_level": (0.4, 0.7)}),
        Attribute("pitch", "osc_1_transpose", -19.0, 19.0),
        Attribute("detune", "osc_1_unison_detune", 0.0, 10.0, {"osc_1_unison_voices": (3.0, 8.0)}),
        Attribute("vibrato depth", DEPTH, 0.0, 1.0, {"lfo_1_frequency": (1.5, 3.0)}, "osc_1_tune"),
        # The rate is the logarithm to base 2 of Hz.
        Attribute(
            "LFO rate", "lfo_1_frequency", 0.0, 4.5, {**_FILTERED, DEPTH: (0.3, 0.6), "filter_1_cutoff": (40.0, 70.0)},
            "filter_1_cutoff", _BRIGHT,
        ),
        Attribute(
            "LFO depth", DEPTH, 0.0, 0.7,
            {**_FILTERED, "lfo_1_frequency": (0.5, 3.0), "filter_1_cutoff": (35.0, 70.0)},
            "filter_1_cutoff", _BRIGHT,
        ),
        Attribute("reverb mix", "reverb_dry_wet", 0.0, 1.0, {**_RINGING, "reverb_on": (1.0, 1.0)}),
        Attribute("chorus mix", "chorus_dry_wet", 0.0, 1.0, {"chorus_on": (1.0, 1.0)}),
        Attribute("delay mix", "delay_dry_wet", 0.0, 1.0, {**_RINGING, "delay_on": (1.0, 1.0)}),
    )
}  # fmt: skip
"""By name, in the order of the table."""

_BASE: Mapping[str, Range] = {
    "env_1_attack": (0.0, 0.5),
    "env_1_decay": (0.6, 1.2),
    "env_1_sustain": (0.4, 1.0),
    "env_1_release": (0.4, 0.7),
    "osc_1_level": (0.6, 0.8),
    "osc_1_wave_frame": (0.0, 256.0),
    "filter_1_model": (0.0, 4.0),
    "filter_1_style": (0.0, 1.0),
    "filter_1_cutoff": (60.0, 110.0),
    "filter_1_resonance": (0.1, 0.6),
    "lfo_1_frequency": (0.0, 3.0),
    "distortion_type": (0.0, 3.0),
    "reverb_decay_time": (-1.0, 1.5),
    "reverb_size": (0.3, 0.8),
    "chorus_feedback": (0.0, 0.5),
    "chorus_mod_depth": (0.3, 0.8),
    "delay_feedback": (0.3, 0.7),
    "delay_frequency": (1.0, 3.5),
}
"""What every patch draws, whatever is switched on."""
_SECONDS: Mapping[str, float] = {"lfo_1_sync": 0.0, "delay_sync": 0.0, "delay_aux_sync": 0.0, "osc_1_random_phase": 0.0}
_FILTER_SHARE, _SECOND_SHARE = 0.5, 0.4


def ranking_presets(attribute: Attribute, rng: np.random.Generator, *, steps: int = 20) -> list[Preset]:
    """One patch with one attribute at rising values.

    Args:
        attribute: what rises.
        rng: where the patch comes from; used up.
        steps: how many values, evenly spaced on the knob, both ends among them.

    Returns:
        Presets without chance, from the lowest value to the highest.
    """
    ranges = {**_BASE, **attribute.needs}
    values = {name: float(rng.uniform(*ranges[name])) for name in ranges}
    # The order of the draws is fixed: each is made whether it is of use or not.
    filtered, layered, side = rng.random(3)
    tables = [name for family in attribute.families for name in families()[family]]
    first, second = (stock_table(tables[place]).block() for place in rng.integers(len(tables), size=2))
    if "filter_1_on" not in attribute.needs:
        values["filter_1_on"] = float(filtered < _FILTER_SHARE)
    # A second oscillator would keep its pitch and its colour while the first changes.
    if layered < _SECOND_SHARE and not attribute.control.startswith(("osc_1", "modulation")):
        values |= {"osc_2_on": 1.0, "osc_2_level": 0.5, "osc_2_transpose": float(rng.choice([-12.0, 7.0, 12.0]))}
    depth = values.pop(DEPTH, 0.0)
    values = {name: _whole(name, value) for name, value in values.items()}
    routes = (Route("lfo_1", attribute.modulates, depth, slot=1),) if attribute.modulates else ()
    preset = with_settings(initial(), wavetables=[first, second, second]).with_values(**_SECONDS, **values)
    preset = synth_of("vital").freeze(replace(preset, name=attribute.name, routes=routes))
    low, high = attribute.low, attribute.high
    if low < 0.0 < high:
        low, high = (0.0, high) if side < 0.5 else (low, 0.0)
    return [_with(preset, attribute.control, float(value)) for value in np.linspace(low, high, steps)]


def _with(preset: Preset, control: str, value: float) -> Preset:
    if control == DEPTH:
        return replace(preset, routes=(replace(preset.routes[0], amount=value),))
    return preset.with_values(**{control: _whole(control, value)})


def _whole(control: str, value: float) -> float:
    return float(np.rint(value)) if controls()[control].indexed else value
