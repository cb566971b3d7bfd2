"""Plain LFO shapes to stand for drawn ones, and the curve of any drawn line. Knows no engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.synths.vital.init import shape

_SHAPES: Mapping[str, tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]] = {
    # Name: times, values (upwards), powers of the segments.
    "triangle": ((0, 0.5, 1), (0, 1, 0), (0, 0, 0)),
    "dip": ((0, 0.5, 1), (1, 0, 1), (0, 0, 0)),
    "rise": ((0, 1), (0, 1), (0, 0)),
    "fall": ((0, 1), (1, 0), (0, 0)),
    "quick fall": ((0, 1), (1, 0), (-8, 0)),
    "slow fall": ((0, 1), (1, 0), (8, 0)),
    "quick rise": ((0, 1), (0, 1), (-8, 0)),
    "slow rise": ((0, 1), (0, 1), (8, 0)),
    "square": ((0, 0.5, 0.5, 1), (1, 1, 0, 0), (0, 0, 0, 0)),
    "late square": ((0, 0.5, 0.5, 1), (0, 0, 1, 1), (0, 0, 0, 0)),
    "pulse": ((0, 0.15, 0.15, 1), (1, 1, 0, 0), (0, 0, 0, 0)),
    "gate": ((0, 0.85, 0.85, 1), (1, 1, 0, 0), (0, 0, 0, 0)),
    "blip": ((0, 0.12, 1), (1, 0, 0), (-4, 0, 0)),
    "swell": ((0, 0.25, 1), (0, 1, 0), (0, -4, 0)),
    "early peak": ((0, 0.1, 1), (0, 1, 0), (0, 0, 0)),
    "late peak": ((0, 0.9, 1), (0, 1, 0), (0, 0, 0)),
    "two peaks": ((0, 0.25, 0.5, 0.75, 1), (0, 1, 0, 1, 0), (0, 0, 0, 0, 0)),
    "two falls": ((0, 0.5, 0.5, 1), (1, 0, 1, 0), (0, 0, 0, 0)),
    "four falls": ((0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1), (1, 0, 1, 0, 1, 0, 1, 0), (0,) * 8),
    "stairs down": ((0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1), (1, 1, 0.67, 0.67, 0.33, 0.33, 0, 0), (0,) * 8),
    "high": ((0, 1), (1, 1), (0, 0)),
    "low": ((0, 1), (0, 0), (0, 0)),
}


def shape_names() -> list[str]:
    """Names of the plain shapes, in a fixed order."""
    return list(_SHAPES)


@cache
def plain_shape(name: str) -> dict[str, Any]:
    """A plain shape as a preset stores it; KeyError where there is none."""
    times, values, powers = _SHAPES[name]
    return shape(times, values, powers=powers, name=name.title())


def curve(line: Mapping[str, Any], n: int) -> NDArray[np.float64]:
    """A drawn line as the engine plays it, 0 to 1 upwards, at n times from 0 to 1, shape (n,).

    A segment of power p runs as (exp(p t) - 1) / (exp(p) - 1).

    Source: Vital's published source, `futils::powerScale`.
    """
    points: Sequence[float] = line["points"]
    x, y = np.array(points[::2], dtype=np.float64), 1.0 - np.array(points[1::2], dtype=np.float64)
    powers = np.array(line["powers"], dtype=np.float64)
    times = np.linspace(0.0, 1.0, n)
    after = np.clip(np.searchsorted(x, times, side="right"), 1, max(1, len(x) - 1))
    if len(x) == 1:
        return np.full(n, y[0])
    start, end = x[after - 1], x[after]
    share = np.clip((times - start) / np.maximum(end - start, 1e-9), 0.0, 1.0)
    power = powers[after - 1]
    bent = np.abs(power) > 0.01
    safe = np.where(bent, power, 1.0)
    share = np.where(bent, np.expm1(safe * share) / np.expm1(safe), share)
    return y[after - 1] + share * (y[after] - y[after - 1])


def nearest_shape(line: Mapping[str, Any]) -> str:
    """The plain shape whose curve is nearest to a drawn line's."""
    found = curve(line, _POINTS)
    return min(shape_names(), key=lambda name: float(np.abs(_plain_curve(name) - found).mean()))


_POINTS = 128


@cache
def _plain_curve(name: str) -> NDArray[np.float64]:
    return curve(plain_shape(name), _POINTS)
