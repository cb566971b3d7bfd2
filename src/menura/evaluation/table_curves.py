"""Quality against cost of each arm: mean curves with their intervals, and areas. Writes no text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from menura.evaluation.cost_curve import Axis, curve_area, curve_at
from menura.evaluation.table_rows import Rows
from menura.evaluation.table_scores import Numbers, rounded, score_of

AXES: tuple[Axis, ...] = ("renders", "seconds")
GRID_POINTS = 40
"""Places at which curves are averaged."""
RESAMPLES = 1_000
"""Bootstrap samples at each of them: a band in a picture needs no more."""
FIRST_SECONDS = 0.1
"""Where areas and curves over seconds begin."""


def curves(run: Mapping[str, Any], rows: Rows) -> dict[str, dict[str, Numbers | None]]:
    """Arm, then ``renders`` or ``seconds``, to its mean curve over the undisturbed items; None where it has none.

    Until its first candidate an arm counts with the worst first candidate that any arm had on the sound: a search that
    renders many before it looks has no quality until then.

    Returns:
        For each: ``grid``, ``mean``, ``low``, ``high`` of the best MSS so far; ``start`` and ``until``, the ends
        of the ``area``; ``first`` and ``last``, the means of the first and the last value.
    """
    limits = _limits(run, rows)
    before = _before(rows)
    return {arm: {axis: _curve(rows, arm, axis, limits[axis], before) for axis in AXES} for arm in rows.by_arm}


def _limits(run: Mapping[str, Any], rows: Rows) -> dict[Axis, float]:
    """How far the curves go: the renders and seconds of the run, no further than its rows came."""
    answered = [row for arm in rows.by_arm for row in rows.answered(arm, rows.base) if row.get("curve")]
    renders = max([2.0, *(float(max(row["curve"][-1][0], row.get("renders") or 0)) for row in answered)])
    seconds = max([1.0, *(float(row["curve"][-1][1]) for row in answered)])
    return {
        "renders": max(2.0, min(float(run.get("renders") or renders), renders)),
        "seconds": max(2.0 * FIRST_SECONDS, min(float(run.get("seconds") or seconds), seconds)),
    }


def _before(rows: Rows) -> dict[str, float]:
    """Item key to the worst first value of any arm."""
    worst: dict[str, float] = {}
    for arm in rows.by_arm:
        for row in rows.answered(arm, rows.base):
            if row.get("curve"):
                key, value = str(row["item"]), float(row["curve"][0][2])
                worst[key] = max(value, worst.get(key, value))
    return worst


def _curve(rows: Rows, arm: str, axis: Axis, until: float, before: Mapping[str, float]) -> Numbers | None:
    points = {str(row["item"]): row["curve"] for row in rows.answered(arm, rows.base) if row.get("curve")}
    if not points:
        return None
    start = 1.0 if axis == "renders" else FIRST_SECONDS
    grid = np.unique(np.round(np.geomspace(start, until, GRID_POINTS), 0 if axis == "renders" else 4))
    values = np.array([curve_at(held, grid, axis=axis, before=before[key]) for key, held in points.items()])
    scores = [
        score_of(rows, dict(zip(points, map(float, column), strict=True)), resamples=RESAMPLES) for column in values.T
    ]
    areas = {key: _area(held, until, axis, start, before[key]) for key, held in points.items()}
    return {
        "grid": [float(at) for at in grid],
        "mean": [score["mean"] for score in scores],
        "low": [score["low"] for score in scores],
        "high": [score["high"] for score in scores],
        "start": start,
        "until": until,
        "area": score_of(rows, areas),
        "first": rounded(np.mean([held[0][2] for held in points.values()])),
        "last": rounded(np.mean([min(point[2] for point in held) for held in points.values()])),
    }


def _area(held: Any, until: float, axis: Axis, start: float, before: float) -> float:
    area = curve_area(held, until, axis=axis, start=start, before=before)
    return before if area is None else area  # all its candidates came too late
