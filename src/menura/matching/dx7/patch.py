"""What a search turns on a DX7 voice: knobs of each operator in useful ranges, ratios, the algorithm, the tuning.

Owns the way between those and a preset. The rest of a voice (scaling over the keyboard, LFO, velocity) stays as in the
preset that a match starts from. Knows no sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from menura.preset import Preset
from menura.synths.dx7.algorithms import algorithm
from menura.synths.dx7.controls import OPERATORS, PITCH_REST, TRANSPOSE_REST

Knobs = NDArray[np.float64]

FIELDS = ("output_level", "rate_1", "rate_2", "rate_3", "rate_4", "level_2", "level_3")
"""What is turned on each operator; its envelope rises to level 1 = 99 and falls to level 4 = 0."""
RANGES = {
    "output_level": (0.0, 99.0),
    "rate_1": (35.0, 99.0),
    "rate_2": (15.0, 99.0),
    "rate_3": (10.0, 90.0),
    "rate_4": (25.0, 90.0),
    "level_2": (40.0, 99.0),
    "level_3": (0.0, 99.0),
}
"""Useful ranges: slower envelopes than these move nothing within a note, quicker ones click."""
NAMES = (*(f"op{number}_{field}" for number in OPERATORS for field in FIELDS), "feedback")
"""The knobs, operator 1 first."""
LOW: Knobs = np.array([*(RANGES[field][0] for _ in OPERATORS for field in FIELDS), 0.0])
HIGH: Knobs = np.array([*(RANGES[field][1] for _ in OPERATORS for field in FIELDS), 7.0])
COUNT = len(FIELDS)


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """What of a patch is no knob."""

    algorithm: int
    """1 to 32."""
    ratios: NDArray[np.float64]
    """Frequency of each operator as a multiple of the note's, shape (6,); the nearest that there is will be taken."""

    def settled(self) -> Wiring:
        """The same with ratios that the instrument has."""
        return Wiring(self.algorithm, np.array([ratio_of(*nearest_ratio(float(ratio))) for ratio in self.ratios]))


def patch(wiring: Wiring, knobs: Knobs, *, base: Preset, tune: float) -> Preset:
    """The voice of a wiring and its knobs.

    Args:
        wiring: Algorithm and ratios.
        knobs: Values in the order of `NAMES`, shape (43,); they are rounded and kept in the controls' ranges.
        base: Supplies all other controls.
        tune: Semitones by which everything is moved against the key.
    """
    values: dict[str, float] = {}
    for number, ratio in zip(OPERATORS, wiring.ratios, strict=True):
        coarse, fine = nearest_ratio(float(ratio))
        values |= {f"op{number}_mode": 0.0, f"op{number}_coarse": float(coarse), f"op{number}_fine": float(fine)}
        values |= {f"op{number}_level_1": 99.0, f"op{number}_level_4": 0.0}
    values |= {"algorithm": float(wiring.algorithm - 1), "oscillator_sync": 1.0, **tuned(tune)}
    return with_knobs(base.with_values(**values), knobs)


def with_knobs(preset: Preset, knobs: Knobs) -> Preset:
    """The same patch with these knobs, rounded and kept in their controls' ranges."""
    values = {name: float(np.clip(np.rint(value), 0.0, 99.0)) for name, value in zip(NAMES, knobs, strict=True)}
    values["feedback"] = min(values["feedback"], 7.0)
    return preset.with_values(**values)


def knobs_of(preset: Preset) -> Knobs:
    """The knobs as a preset has them, shape (43,)."""
    return np.array([preset.values[name] for name in NAMES])


def wiring_of(preset: Preset) -> Wiring:
    """Algorithm and ratios of a preset."""
    ratios = [
        ratio_of(int(preset.values[f"op{number}_coarse"]), int(preset.values[f"op{number}_fine"]))
        for number in OPERATORS
    ]
    return Wiring(int(preset.values["algorithm"]) + 1, np.array(ratios))


def active_names(preset: Preset) -> set[str]:
    """The continuous controls that matter for a voice: those of operators that are heard or move one that is."""
    plan = algorithm(int(preset.values["algorithm"]) + 1)
    loud = {number for number in OPERATORS if preset.values.get(f"op{number}_output_level", 0.0) > 0.0}
    heard = loud & set(plan.carriers)
    while more := {source for source, target in plan.edges if target in heard and source in loud} - heard:
        heard |= more
    names = {f"op{number}_{field}" for number in heard for field in (*FIELDS, "level_1", "fine", "detune")}
    if plan.feedback[0] in heard:
        names.add("feedback")
    if preset.values.get("lfo_pitch_depth", 0.0) and preset.values.get("pitch_mod_sensitivity", 0.0):
        names |= {"lfo_speed", "lfo_delay", "lfo_pitch_depth"}
    return names


def choices(preset: Preset) -> tuple[float, ...]:
    """What two voices of one kind share, whatever their levels and envelopes: the algorithm, and the coarse ratios."""
    return (preset.values["algorithm"], *(preset.values[f"op{number}_coarse"] for number in OPERATORS))


def ratio_of(coarse: int, fine: int) -> float:
    """Frequency of an operator as a multiple of the note's."""
    return (coarse or 0.5) * (1.0 + fine / 100.0)


def nearest_ratio(ratio: float) -> tuple[int, int]:
    """Coarse and fine settings that come nearest; plain multiples win where they are as good as the ear can tell."""
    coarse, fine, table = _ratios()
    cents = np.abs(1200.0 * np.log2(table / ratio)) + np.where(fine == 0, 0.0, 2.0)
    best = int(np.argmin(cents))
    return int(coarse[best]), int(fine[best])


@cache
def _ratios() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    coarse, fine = (grid.ravel() for grid in np.meshgrid(np.arange(32), np.arange(100), indexing="ij"))
    return coarse, fine, np.where(coarse == 0, 0.5, coarse) * (1.0 + fine / 100.0)


def tuned(semitones: float) -> dict[str, float]:
    """Controls that move a whole voice, within 7 cents: the transposition, and a pitch envelope that stands still.

    A voice has no fine tuning of its own. A pitch envelope whose levels are all alike moves the voice for good, by 37.5
    cents a step, and with the transposition reaches every multiple of 12.5 cents.
    """
    steps = np.arange(-8, 9)
    keys = np.rint(semitones - 0.375 * steps)
    error = np.abs(keys + 0.375 * steps - semitones) + 1e-4 * np.abs(steps)
    error[np.abs(keys) > TRANSPOSE_REST] = np.inf
    best = int(np.argmin(error)) if np.isfinite(error).any() else steps.size // 2
    key = float(np.clip(keys[best], -TRANSPOSE_REST, TRANSPOSE_REST))
    levels = {f"pitch_level_{stage}": float(PITCH_REST + steps[best]) for stage in (1, 2, 3, 4)}
    return {"transpose": TRANSPOSE_REST + key, **levels}
