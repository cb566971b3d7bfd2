"""Quality against cost: a search's best answer so far, over renders or seconds. Runs no search, draws nothing.

A curve is a sequence of points ``(renders, seconds, distance)``, the fields of `menura.evaluation.answer.Point`: each
a moment at which a candidate was heard. Between points the best distance stays what it was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from menura.errors import InputError

Axis = Literal["renders", "seconds"]

_COLUMN = {"renders": 0, "seconds": 1}


def curve_at(
    points: Sequence[Sequence[float]], grid: ArrayLike, *, axis: Axis = "renders", before: float = math.nan
) -> NDArray[np.float64]:
    """Best distance so far at each cost of a grid.

    Args:
        points: Each (renders, seconds, distance), in any order.
        grid: Costs, shape (n,), in renders or seconds.
        axis: Which cost the grid is in.
        before: Distance where nothing has been heard yet.

    Returns:
        Shape (n,); never rises along a rising grid.

    Raises:
        InputError: a point is not three finite numbers.
    """
    costs, best = _steps(points, axis)
    place = np.searchsorted(costs, np.asarray(grid, dtype=np.float64), side="right")
    return np.concatenate(([before], best))[place]


def curve_area(
    points: Sequence[Sequence[float]],
    until: float,
    *,
    axis: Axis = "renders",
    start: float = 1.0,
    before: float | None = None,
) -> float | None:
    """Mean best distance so far over the logarithm of the cost, from `start` to `until`.

    Over the logarithm, because each doubling of the cost is one step of patience: over linear renders the first
    hundred of a thousand, where the arms differ most, would weigh a tenth, and the area would be the final value
    again.

    Args:
        points: Each (renders, seconds, distance).
        until: Cost at which the area ends; a search that stopped before keeps its last value.
        axis: Which cost.
        start: Cost at which the area begins.
        before: Distance where nothing has been heard yet, such as that of silence; None takes the first point's.

    Returns:
        In units of the distance, lower is better; `before` where nothing was heard up to `until`.

    Raises:
        InputError: a point is not three finite numbers, or not 0 < start < until.
    """
    if not 0.0 < start < until:
        raise InputError(f"an area from {start} to {until} {axis}; begin above 0 and end later")
    costs, best = _steps(points, axis)
    inside = (costs > start) & (costs < until)
    if not np.any(costs <= until):
        return before
    edges = np.concatenate(([start], costs[inside], [until]))
    held = curve_at(points, edges[:-1], axis=axis, before=float(best[0]) if before is None else before)
    return float(np.diff(np.log(edges)) @ held) / math.log(until / start)


def _steps(points: Sequence[Sequence[float]], axis: Axis) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Costs, ascending, and the best distance from each on."""
    if not len(points):
        return np.zeros(0), np.zeros(0)
    table = np.array([list(point) for point in points], dtype=np.float64)
    if table.shape[1:] != (3,) or not np.isfinite(table).all():
        raise InputError(f"a cost curve of shape {table.shape}; each point is (renders, seconds, distance), all finite")
    table = table[np.argsort(table[:, _COLUMN[axis]], kind="stable")]
    return table[:, _COLUMN[axis]], np.minimum.accumulate(table[:, 2])
