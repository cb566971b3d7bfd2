"""How the quantities of patches are spread, key by key: what "bright" means. Owns the table; knows no words.

The table comes of `recipes/typical_qualities.py`: patches of Vital as people set them.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.features.qualities import graded, value_at

HOLD, TOTAL = 1.0, 2.5
"""Seconds for which a patch that is asked for in words is held, and those that are heard."""
KEYS = (36.0, 60.0, 84.0)
"""MIDI pitches at which the patches were measured."""
SHARES = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
"""Of patches that have less of a quantity than the table says."""
GRADED = ("brightness", "attack", "held", "length", "width", "tone", "pitch_swing", "level_swing", "colour_swing")
"""Quantities in the table; level and pitch belong to how a patch is played."""
_ALIKE = 0.05
"""Grades that are the same."""
TABLE = Path(__file__).with_name("typical.json")


def standing(quantity: str, value: float, pitch: float) -> tuple[float, float]:
    """The share of usual patches that have less of a quantity, and that have no more; both NaN where it has no value.

    The two differ where many patches have the same: half of all attacks are as quick as can be told.

    Args:
        quantity: one of `GRADED`.
        value: in the unit of `menura.features.qualities.Sound`.
        pitch: MIDI pitch at which it was measured; between two keys of the table both are mixed.
    """
    grade = graded(quantity, value)
    if math.isnan(grade):
        return math.nan, math.nan
    row = _row(quantity, pitch)
    low, high = (int(np.searchsorted(row, grade + step)) for step in (-_ALIKE, _ALIKE))
    if high > low:
        return 0.0 if low == 0 else SHARES[low], 1.0 if high == len(SHARES) else SHARES[high - 1]
    # Beyond the table, its last step leads on to none and all.
    ends = (2.0 * row[0] - row[1], *row, 2.0 * row[-1] - row[-2])
    share = float(np.interp(grade, ends, (0.0, *SHARES, 1.0)))
    return share, share


def usual(quantity: str, share: float, pitch: float) -> float:
    """The value that this share of usual patches stays below: what `standing` undoes."""
    return value_at(quantity, float(np.interp(share, SHARES, _row(quantity, pitch))))


def _row(quantity: str, pitch: float) -> NDArray[np.float64]:
    table = _table()
    rows = [table[f"{key:g}"][quantity] for key in KEYS]
    return np.array([np.interp(pitch, KEYS, column) for column in zip(*rows, strict=True)])


@cache
def _table() -> dict[str, dict[str, list[float]]]:
    known: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return known["keys"]
