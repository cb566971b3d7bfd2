"""Other choices for a DX7 voice, one at a time: ratios, algorithms, operators. Owns what may be tried."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from menura.matching.dx7.patch import nearest_ratio, ratio_of
from menura.matching.dx7.starts import RATIOS
from menura.preset import Preset
from menura.synths.dx7.algorithms import algorithm
from menura.synths.dx7.controls import OPERATOR_FIELDS, OPERATORS

Variant = tuple[Preset, str]
"""A changed preset and the word for the change."""


def dx7_variant(preset: Preset, rng: np.random.Generator) -> Variant:
    """The preset with one choice changed."""
    moves: tuple[Callable[[Preset, np.random.Generator], Variant], ...] = (
        _ratio,
        _ratio,
        _nudge,
        _algorithm,
        _another,
        _detune,
        _vibrato,
    )
    return moves[int(rng.integers(len(moves)))](preset, rng)


def _ratio(preset: Preset, rng: np.random.Generator) -> Variant:
    number = _sounding(preset, rng)
    ratio = float(rng.choice(RATIOS))
    return _with_ratio(preset, number, ratio), f"ratio:{ratio:g}"


def _nudge(preset: Preset, rng: np.random.Generator) -> Variant:
    """A ratio a little beside where it is, or an octave or a fifth from it."""
    number = _sounding(preset, rng)
    here = ratio_of(int(preset.values[f"op{number}_coarse"]), int(preset.values[f"op{number}_fine"]))
    factor = float(rng.choice((0.5, 2.0, 1.5, 0.99, 1.01, 1.02, 0.98)))
    return _with_ratio(preset, number, min(max(here * factor, 0.5), 60.0)), f"ratio:{here * factor:.2f}"


def _algorithm(preset: Preset, rng: np.random.Generator) -> Variant:
    """Another algorithm, among those with the same carriers where there are any."""
    here = int(preset.values["algorithm"]) + 1
    alike = [n for n in range(1, 33) if n != here and algorithm(n).carriers == algorithm(here).carriers]
    number = int(rng.choice(alike)) if alike and rng.random() < 0.7 else int(rng.integers(1, 33))
    return preset.with_values(algorithm=float(number - 1)), f"algorithm:{number}"


def _another(preset: Preset, rng: np.random.Generator) -> Variant:
    """An operator takes the settings of another one but for its level, or falls silent."""
    number = int(rng.choice(OPERATORS))
    if rng.random() < 0.3:
        return preset.with_values(**{f"op{number}_output_level": 0.0}), f"operator {number} off"
    other = int(rng.choice([op for op in OPERATORS if op != number]))
    taken = {
        f"op{number}_{field}": preset.values[f"op{other}_{field}"]
        for field in OPERATOR_FIELDS
        if field != "output_level"
    }
    level = float(rng.integers(50, 95))
    return preset.with_values(**taken, **{f"op{number}_output_level": level}), f"operator {number} as {other}"


def _detune(preset: Preset, rng: np.random.Generator) -> Variant:
    number = _sounding(preset, rng)
    return preset.with_values(**{f"op{number}_detune": float(rng.integers(15))}), "detune"


def _vibrato(preset: Preset, rng: np.random.Generator) -> Variant:
    values = {
        "lfo_wave": 0.0,
        "lfo_speed": float(rng.integers(25, 45)),
        "lfo_pitch_depth": float(rng.integers(3, 40)),
        "lfo_delay": float(rng.integers(0, 60)),
        "pitch_mod_sensitivity": float(rng.integers(1, 4)),
    }
    return preset.with_values(**values), "vibrato"


def _with_ratio(preset: Preset, number: int, ratio: float) -> Preset:
    coarse, fine = nearest_ratio(ratio)
    return preset.with_values(**{f"op{number}_coarse": float(coarse), f"op{number}_fine": float(fine)})


def _sounding(preset: Preset, rng: np.random.Generator) -> int:
    """An operator that is turned up; any where none is."""
    found = [number for number in OPERATORS if preset.values[f"op{number}_output_level"] > 0.0]
    return int(rng.choice(found or OPERATORS))
