"""Least absolute deviations: knobs whose forecast picture is nearest to a target. Knows no synth and no pool.

A picture is two thousand numbers of which each tells something of the knobs; a search that is told their mean alone
needs three to five times as many forecasts to come as near (docs/decisions/031-forecast.md).

Source: Levenberg-Marquardt (Marquardt, SIAM J. Applied Mathematics 11 (1963) 431-441) on least squares reweighted to
absolute deviations (Holland and Welsch, Communications in Statistics A6 (1977) 813-827).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
Cells = NDArray[np.float32]

PROBE = 0.01
"""How far a control is moved to see what it does."""
SMALL = 1.0
"""Deviations below this (dB) count as in least squares: an absolute value has no curvature."""
DAMPINGS = (0.1, 1.0, 10.0)
"""Shares of the damping that are tried at once, each with the whole step and part of it."""
PART = 0.4
MOST_DAMPING = 100.0
STILL = 0.002
"""dB: an iteration that gains less is the last."""


def least_deviations(
    predict: Callable[[Vectors], Cells],
    target: Cells,
    weights: Cells,
    start: Vectors,
    bounds: tuple[Vectors, Vectors],
    *,
    iterations: int,
    reach: float = 1.0,
    step: float = 0.3,
) -> tuple[Vectors, float]:
    """The vector of least weighted absolute deviation that is found from a start, and that deviation.

    Args:
        predict: Of many vectors, shape (n, dim), their cells, shape (n, cells).
        target: shape (cells,).
        weights: Of the cells, shape (cells,), sum 1.
        start: shape (dim,); what lies outside of the bounds is brought inside.
        bounds: Lowest and highest, shape (dim,) each.
        iterations: At most; each predicts dim + 7 vectors.
        reach: How far from the start any coordinate may go, a share of its range.
        step: How far in one iteration.
    """
    lowest, span = bounds[0], bounds[1] - bounds[0]
    here = np.clip((start - lowest) / span, 0.0, 1.0)
    low, high = np.maximum(here - reach, 0.0), np.minimum(here + reach, 1.0)
    damping, loss, moved = 1e-2, np.inf, True
    curvature, downhill = np.empty((0, 0)), np.empty(0)
    for _ in range(iterations):
        if moved:
            probes = np.where(here > 0.5, -PROBE, PROBE)
            cells = predict(lowest + span * np.concatenate([here[None], here[None] + np.diag(probes)]))
            deviation = cells[0] - target
            loss = float(weights @ np.abs(deviation))
            slopes = (cells[1:] - cells[0]) / probes[:, None].astype(np.float32)
            weighted = slopes * (weights / np.maximum(np.abs(deviation), np.float32(SMALL)))
            curvature = (weighted @ slopes.T).astype(np.float64)
            downhill = -(weighted @ deviation).astype(np.float64)
        steps = [_step(curvature, downhill, damping * share, here, low, high) for share in DAMPINGS]
        shorter = [s * min(1.0, step / max(float(np.abs(s).max()), 1e-12)) for s in steps]
        tried = np.clip([here + share * s for s in shorter for share in (1.0, PART)], low, high)
        losses = np.abs(predict(lowest + span * tried) - target) @ weights
        best = int(np.argmin(losses))
        moved = bool(losses[best] < loss)
        if not moved:
            damping *= 3.0 * DAMPINGS[-1]
            if damping > MOST_DAMPING:
                break
            continue
        gained, here, loss = loss - losses[best], tried[best], float(losses[best])
        damping = float(np.clip(damping * DAMPINGS[best // 2], 1e-4, DAMPINGS[-1]))
        if gained < STILL:
            break
    return lowest + span * here, loss


def _step(curvature: Vectors, downhill: Vectors, damping: float, here: Vectors, low: Vectors, high: Vectors) -> Vectors:
    """A damped step; what would leave the bounds from a bound stays, and the rest is solved again."""
    diagonal = np.diag(curvature)
    free = np.ones(here.size, dtype=np.bool_)
    step = np.zeros(here.size)
    for _ in range(3):
        rows = np.ix_(free, free)
        ridge = damping * (diagonal + diagonal.mean()) + 1e-9
        step = np.zeros(here.size)
        step[free] = np.linalg.solve(curvature[rows] + np.diag(ridge[free]), downhill[free])
        stuck = ((here <= low) & (step < 0.0)) | ((here >= high) & (step > 0.0))
        if not stuck.any():
            break
        free &= ~stuck
        if not free.any():
            return np.zeros(here.size)
    return step
