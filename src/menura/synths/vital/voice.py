"""The patch that the knob search starts from on Vital: what is wired to what, and which knobs matter how far.

Three oscillators on stock tables (the first through filter 1, which its own envelope moves; the two others straight
on, with level envelopes of their own), a sampler with stock white noise through filter 2, an equaliser, and room
for pitch and vibrato routes. Owns this wiring, its knobs and their useful ranges; knows no target.
Nothing of it carries state from one render to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.preset import Preset, Route
from menura.synths.vital.init import initial, sample, with_settings
from menura.synths.vital.stock import families, stock_table, table_names

OSCILLATORS = (1, 2, 3)
ROUTES: tuple[tuple[str, str], ...] = (
    ("env_2", "filter_1_cutoff"),
    ("env_3", "osc_2_level"),
    ("env_4", "sample_level"),
    ("env_5", "osc_3_level"),
)
"""(source, destination) of the first slots, in slot order, in every patch of this wiring."""
NOISE_LENGTH = 32_768
"""Samples of the stock noise: 0.74 s, too long to be heard as a loop, 87 kB in the file."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A control with the part of its range that is of use here."""

    name: str
    low: float
    high: float


def _envelope(number: int, *, release: bool = False) -> list[Knob]:
    stem = f"env_{number}_"
    knobs = [
        Knob(stem + "attack", 0.0, 1.0),
        Knob(stem + "decay", 0.1, 2.378),
        Knob(stem + "decay_power", -20.0, 6.0),
        Knob(stem + "sustain", 0.0, 1.0),
    ]
    if release:
        knobs += [
            Knob(stem + "attack_power", -10.0, 10.0),
            Knob(stem + "hold", 0.0, 1.2),
            Knob(stem + "release", 0.1, 2.0),
            Knob(stem + "release_power", -20.0, 4.0),
        ]
    return knobs


KNOBS: tuple[Knob, ...] = (
    *_envelope(1, release=True),
    Knob("osc_1_wave_frame", 0.0, 256.0),
    Knob("osc_1_level", 0.0, 1.0),
    Knob("osc_2_wave_frame", 0.0, 256.0),
    Knob("osc_2_level", 0.0, 1.0),
    Knob("modulation_2_amount", -1.0, 1.0),
    *_envelope(3),
    Knob("osc_3_wave_frame", 0.0, 256.0),
    Knob("osc_3_level", 0.0, 1.0),
    Knob("modulation_4_amount", -1.0, 1.0),
    *_envelope(5),
    Knob("filter_1_cutoff", 20.0, 136.0),
    Knob("filter_1_resonance", 0.0, 0.7),
    Knob("filter_1_blend", 0.0, 1.5),
    Knob("modulation_1_amount", -1.0, 1.0),
    *_envelope(2),
    Knob("sample_level", 0.0, 1.0),
    Knob("modulation_3_amount", -1.0, 1.0),
    *_envelope(4),
    Knob("filter_2_cutoff", 8.0, 136.0),
    Knob("filter_2_resonance", 0.0, 0.7),
    Knob("filter_2_blend", 0.0, 2.0),
    Knob("eq_low_gain", -15.0, 15.0),
    Knob("eq_low_cutoff", 20.0, 100.0),
    Knob("eq_band_gain", -15.0, 15.0),
    Knob("eq_band_cutoff", 40.0, 130.0),
    Knob("eq_high_gain", -15.0, 15.0),
    Knob("eq_high_cutoff", 60.0, 130.0),
)
"""The knobs that the forecast understands, in the order of its vectors."""

NAMES: tuple[str, ...] = tuple(knob.name for knob in KNOBS)
INDEX: Mapping[str, int] = {name: index for index, name in enumerate(NAMES)}
LOW: NDArray[np.float64] = np.array([knob.low for knob in KNOBS])
HIGH: NDArray[np.float64] = np.array([knob.high for knob in KNOBS])

_DEEP = {name for family in ("bell", "noise") for name in families()[family]}
SOURCES: tuple[tuple[str, int], ...] = tuple(
    (name, octave) for name in table_names() for octave in ((-36,) if name in _DEEP else (0, -12))
)
"""What an oscillator may play: a stock table and its transposition in semitones. Bells and noises lie dense on a
fundamental three octaves down; the others also an octave down, where their harmonics stand between the note's."""

FINE_KNOBS: tuple[Knob, ...] = (
    Knob("osc_1_tune", -0.5, 0.5),
    Knob("osc_2_tune", -0.5, 0.5),
    Knob("osc_3_tune", -0.5, 0.5),
    Knob("osc_1_phase", 0.0, 1.0),
    Knob("osc_2_phase", 0.0, 1.0),
    Knob("osc_3_phase", 0.0, 1.0),
    Knob("env_2_attack_power", -10.0, 10.0),
    Knob("filter_2_drive", 0.0, 20.0),
    Knob("filter_1_drive", 0.0, 20.0),
)
"""Knobs beyond the forecast, for the search with the engine."""

_SWITCHES: Mapping[str, float] = {
    **{f"osc_{n}_on": 1.0 for n in OSCILLATORS},
    **{f"osc_{n}_random_phase": 0.0 for n in OSCILLATORS},
    **{f"osc_{n}_stereo_spread": 0.0 for n in OSCILLATORS},
    "osc_1_destination": 0.0,
    "osc_2_destination": 3.0,
    "osc_3_destination": 3.0,
    "sample_on": 1.0,
    "sample_destination": 1.0,
    "filter_1_on": 1.0,
    "filter_2_on": 1.0,
    "eq_on": 1.0,
    # Softer keys are quieter, as on most instruments.
    "velocity_track": 1.0,
}
_SLOTS = {f"modulation_{slot}_amount": slot for slot in range(1, len(ROUTES) + 1)}


@cache
def white_noise() -> NDArray[np.float64]:
    """What the sampler plays, the same in every patch, shape (NOISE_LENGTH,) at 44.1 kHz."""
    return np.random.default_rng(1).uniform(-1.0, 1.0, NOISE_LENGTH)


@cache
def stock_noise() -> dict[str, Any]:
    """White noise for the sampler, as a preset stores it."""
    return sample(white_noise(), 44_100, name="Menura White")


@cache
def table_block(name: str) -> dict[str, Any]:
    """A stock table as a preset stores it; one object for each, never changed."""
    return stock_table(name).block()


def voice(
    knobs: NDArray[np.float64],
    tables: tuple[int, ...],
    *,
    base: Preset | None = None,
    tune: float = 0.0,
    extra: Mapping[str, float] | None = None,
    routes: tuple[Route, ...] = (),
) -> Preset:
    """A preset of this wiring.

    Args:
        knobs: Values in the order of `KNOBS`, in the engine's units, shape (len(KNOBS),).
        tables: Index in `SOURCES` of each oscillator; one of -1 is off.
        base: What all else is taken from; None is the initial patch.
        tune: Semitones that all oscillators are moved by, -12 to 12.
        extra: Further controls.
        routes: Further routes, after those of `ROUTES`.
    """
    start = initial() if base is None else base
    values = {**start.values, **_SWITCHES}
    amounts: dict[int, float] = {}
    for name, value in zip(NAMES, knobs, strict=True):
        slot = _SLOTS.get(name)
        if slot is None:
            values[name] = float(value)
        else:
            amounts[slot] = float(value)
    whole = round(tune)
    for number, table in zip(OSCILLATORS, tables, strict=True):
        if table < 0:
            values[f"osc_{number}_on"] = 0.0
            continue
        values[f"osc_{number}_transpose"] = float(np.clip(SOURCES[table][1] + whole, -48, 48))
        values[f"osc_{number}_tune"] = float(tune - whole)
    values.update(extra or {})
    blocks = [table_block(SOURCES[max(0, table)][0]) for table in tables]
    wired = tuple(
        Route(source, destination, amounts[slot], slot) for slot, (source, destination) in enumerate(ROUTES, 1)
    )
    added = tuple(replace(route, slot=len(ROUTES) + 1 + index) for index, route in enumerate(routes))
    patch = with_settings(start, wavetables=blocks, sample=stock_noise())
    return replace(patch, values=values, routes=wired + added)


def knobs_of(preset: Preset) -> NDArray[np.float64]:
    """The values of `KNOBS` in a preset of this wiring, shape (len(KNOBS),)."""
    amounts = {route.slot: route.amount for route in preset.routes}
    return np.array([amounts.get(_SLOTS[n], 0.0) if n in _SLOTS else preset.values[n] for n in NAMES])


def with_knobs(preset: Preset, knobs: NDArray[np.float64]) -> Preset:
    """A preset of this wiring with other values of `KNOBS`, all else as it was."""
    found = dict(zip(NAMES, (float(value) for value in knobs), strict=True))
    amounts = {slot: found.pop(name) for name, slot in _SLOTS.items()}
    routes = tuple(replace(r, amount=amounts[r.slot]) if r.slot in amounts else r for r in preset.routes)
    return replace(preset, values={**preset.values, **found}, routes=routes)


def sources_of(preset: Preset, tune: float) -> NDArray[np.int64] | None:
    """Index in `SOURCES` that is nearest to what each oscillator plays, -1 for one that is off, shape (3,).

    Args:
        preset: A Vital preset.
        tune: As in `voice`.

    Returns:
        None where the preset has another wiring or other tables, of which a forecast knows nothing.
    """
    ends = {route.slot: (route.source, route.destination) for route in preset.routes}
    if preset.synth != "vital" or any(ends.get(slot) != route for slot, route in enumerate(ROUTES, 1)):
        return None
    found: list[int] = []
    for number, block in zip(OSCILLATORS, preset.blocks["settings"]["wavetables"], strict=True):
        if preset.values.get(f"osc_{number}_on", 0.0) < 0.5:
            found.append(-1)
            continue
        octave = preset.values[f"osc_{number}_transpose"] - round(tune)
        usual = [(abs(octave - t), i) for i, (name, t) in enumerate(SOURCES) if name == block.get("name")]
        if not usual or block.get("author") != "menura":
            return None
        found.append(min(usual)[1])
    return np.array(found, dtype=np.int64)
