"""How one control is set: a quantile function with steps where many set it alike. Knows no preset.

No value of one preset alone is kept: a value stands for itself where at least a floor of rows share it; the others are
given by the means of groups of at least as many rows, and fewer rows than that between two steps are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]
_Piece = tuple[float, float, bool]
"""Mass, value, and whether it is a step: one value that many rows share, not the mean of a group."""


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """A quantile function, linear between knots; two knots at one rank are a step."""

    ranks: Row
    """Ascending, from 0 to 1, shape (knots,)."""
    values: Row
    """Shape (knots,)."""

    def value(self, rank: float) -> float:
        """The value at a rank in (0, 1)."""
        return float(np.interp(rank, self.ranks, self.values))


def fit_marginal(values: Row, weights: Row, floor: int, groups: int = 12) -> Marginal | None:
    """The quantile function of an ordered column.

    Args:
        values: one a row, shape (n,).
        weights: of the rows, shape (n,).
        floor: rows that a knot must stand for.
        groups: knots of a stretch without steps, at most.

    Returns:
        None where there are fewer rows than the floor.
    """
    if len(values) < floor:
        return None
    order = np.argsort(values, kind="stable")
    pieces: list[_Piece] = []
    for is_step, part, masses in _stretches(values[order], weights[order], floor):
        if is_step:
            pieces.append((float(masses.sum()), float(part[0]), True))
        elif len(part) >= floor:
            size = max(floor, -(-len(part) // groups))
            pieces += [(mass, float(chunk.mean()), False) for chunk, mass in _chunks(part, masses, size)]
    return _joined(pieces)


def fit_choice(values: Row, weights: Row, floor: int) -> Marginal | None:
    """The steps of a column without order: the most usual value first; those of fewer rows than the floor left out."""
    found, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    masses = np.bincount(inverse, weights, len(found))
    kept = [place for place in np.argsort(-masses, kind="stable") if counts[place] >= floor]
    if not kept:
        return None
    return _joined([(float(masses[place]), float(found[place]), True) for place in kept])


def _stretches(ordered: Row, mass: Row, floor: int) -> list[tuple[bool, Row, Row]]:
    """(one value shared by the floor, values, masses) of the ascending pieces of a column."""
    found, first, counts = np.unique(ordered, return_index=True, return_counts=True)
    pieces: list[tuple[bool, Row, Row]] = []
    start = 0
    for _, begin, count in zip(found, first, counts, strict=True):
        if count < floor:
            continue
        if begin > start:
            pieces.append((False, ordered[start:begin], mass[start:begin]))
        pieces.append((True, ordered[begin : begin + count], mass[begin : begin + count]))
        start = int(begin + count)
    if start < len(ordered):
        pieces.append((False, ordered[start:], mass[start:]))
    return pieces


def _chunks(values: Row, masses: Row, size: int) -> list[tuple[Row, float]]:
    """Groups of at least `size` rows: the last takes what is left over."""
    ends = [*range(size, len(values) - size + 1, size), len(values)]
    starts = [0, *ends[:-1]]
    return [(values[a:b], float(masses[a:b].sum())) for a, b in zip(starts, ends, strict=True)]


def _joined(pieces: list[_Piece]) -> Marginal:
    total = sum(mass for mass, _, _ in pieces)
    ranks: list[float] = []
    values: list[float] = []
    rank = 0.0
    for mass, value, is_step in pieces:
        share = mass / total
        places = [rank, rank + share] if is_step else [rank + share / 2]
        ranks += places
        values += [value] * len(places)
        rank += share
    return Marginal(np.clip([0.0, *ranks, 1.0], 0.0, 1.0), np.array([values[0], *values, values[-1]]))
