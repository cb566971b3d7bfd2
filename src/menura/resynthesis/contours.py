"""Curves as few points: knots of a polyline, keyframes of a spectrum. Knows no synth."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Worst = Callable[[int, int], tuple[float, int]]


def polyline_knots(
    times: NDArray[np.float64], values: NDArray[np.float64], count: int, *, floor: float = 0.02, enough: float = 0.004
) -> NDArray[np.int64]:
    """Indices of the points that a polyline needs to follow a curve from 0 to 1.

    Points go where the line is worst, its error seen relative to the level (`floor` keeps silence
    from drawing them all); Douglas and Peucker's rule with a bounded count.

    Args:
        times: Ascending, shape (n,).
        values: Shape (n,).
        count: Most points, at least 2.
        floor: Level below which errors are absolute.
        enough: Error at which no more points are spent.
    """

    def worst(first: int, last: int) -> tuple[float, int]:
        span = times[last] - times[first]
        line = values[first] + (values[last] - values[first]) * (times[first : last + 1] - times[first]) / span
        piece = values[first : last + 1]
        error = np.abs(line - piece) / (np.abs(piece) + floor)
        at = int(np.argmax(error))
        return float(error[at]), first + at

    return _split(len(times), count, worst, enough)


def keyframe_indices(
    amplitude: NDArray[np.float64], weight: NDArray[np.float64], count: int, *, enough: float = 0.0
) -> NDArray[np.int64]:
    """Frames between which a linear mix follows a changing spectrum best; they lie where it changes.

    Args:
        amplitude: Shape (frames, partials), above 0.
        weight: How much each of them counts, same shape.
        count: Most keyframes, at least 2.
        enough: Sum of weighted log errors over a stretch at which it is left alone.
    """
    logs = np.log(amplitude)

    def worst(first: int, last: int) -> tuple[float, int]:
        mix = np.linspace(0.0, 1.0, last - first + 1)[:, None]
        line = np.log(amplitude[first] * (1.0 - mix) + amplitude[last] * mix)
        error = np.sum(np.abs(line - logs[first : last + 1]) * weight[first : last + 1], axis=1)
        return float(error.sum()), first + min(max(int(np.argmax(error)), 1), last - first - 1)

    return _split(amplitude.shape[0], count, worst, enough)


def _split(size: int, count: int, worst: Worst, enough: float) -> NDArray[np.int64]:
    """Cut [0, size) again and again where `worst` says, at most `count` points with both ends."""
    chosen = [0, size - 1] if size > 1 else [0]
    open_stretches: list[tuple[float, int, int, int]] = []

    def push(first: int, last: int) -> None:
        if last - first >= 2:
            error, at = worst(first, last)
            heapq.heappush(open_stretches, (-error, at, first, last))

    push(0, size - 1)
    while len(chosen) < count and open_stretches:
        error, at, first, last = heapq.heappop(open_stretches)
        if -error <= enough:
            break
        chosen.append(at)
        push(first, at)
        push(at, last)
    return np.array(sorted(set(chosen)), dtype=np.int64)
