"""What a table's numbers are worth: intervals, paired differences and their p-values. Knows no arm and no metric.

Sounds of one source (an instrument, an author) are alike, so that a table of 55 sounds over 20 sources holds less than
55 independent observations. Where `groups` are given, whole groups are resampled and flipped, each with all of its
items; without them, items are. See decision 061.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from menura.errors import InputError

Values = NDArray[np.float64]
Statistic = Literal["mean", "median"]

RESAMPLES = 10_000

LEAST = 5
"""Fewer independent observations give no interval: with two the bootstrap says as little as a coin."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and how sure it is."""

    estimate: float | None
    """Mean or median; None where there is no value."""
    low: float | None
    """Lower end; None where fewer than five items, or groups, leave it unknown."""
    high: float | None
    n: int
    """Values that went in."""
    groups: int
    """Independent observations: groups, or values where no groups were given."""


@dataclass(frozen=True, slots=True)
class Paired:
    """How two arms differ on the same items."""

    mean: float | None
    """Mean of first less second; None where no item has both."""
    low: float | None
    """Bootstrap interval of `mean`; None where fewer than five observations leave it unknown."""
    high: float | None
    p: float | None
    """Two-sided; 1 where all differences are 0; None where there is no item. Not corrected, see `holm`."""
    n: int
    """Items that both have."""
    wins: int
    """Items on which the first is lower, that is nearer for a cost."""
    losses: int
    """Items on which the second is lower."""
    groups: int
    """Independent observations."""


def bootstrap_interval(
    values: Sequence[float | None],
    *,
    statistic: Statistic = "mean",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    groups: Sequence[Hashable] | None = None,
) -> Interval:
    """Expanded percentile bootstrap interval of a mean or median.

    The plain percentile interval of few observations is too narrow; its tails are widened as Student's t widens the
    normal's.

    Args:
        values: One for each item; None is left out.
        statistic: Of all values together; a group of many items weighs as many.
        level: Share of repeated experiments whose interval holds the truth, about.
        resamples: Bootstrap samples.
        seed: Where chance comes from; the same values and seed give the same interval.
        groups: Of each item; whole groups are drawn.

    Raises:
        InputError: values and groups differ in number, a value is not finite, or the level is not between 0 and 1.

    Source: Hesterberg, "What teachers should know about the bootstrap", 2015, section 5.3.2, over scipy's bootstrap;
    groups: Davison and Hinkley, "Bootstrap methods and their application", 1997, section 3.8.
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"an interval of level {level}; give a share between 0 and 1, such as 0.95")
    kept, owners = _kept(values, groups)
    if kept.size == 0:
        return Interval(None, None, None, 0, 0)
    count = int(owners.max()) + 1
    estimate = float(np.mean(kept) if statistic == "mean" else np.median(kept))
    if count < LEAST:
        return Interval(estimate, None, None, kept.size, count)
    measure = _GroupedMean(kept, owners) if statistic == "mean" else _GroupedMedian(kept, owners)
    low, high = _bootstrapped(measure, count, level, resamples, seed)
    return Interval(estimate, low, high, kept.size, count)


def paired_difference(
    first: Sequence[float | None],
    second: Sequence[float | None],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    groups: Sequence[Hashable] | None = None,
) -> Paired:
    """Mean difference of two arms over the items that both have, with interval and p-value.

    The p-value is that of a two-sided sign-flip test of the mean: under the null hypothesis either arm could have
    given either value of an item. All flips where there are no more than `resamples`, else as many random ones.

    Args:
        first: Cost of one arm on each item; None where it failed or is not defined.
        second: Of the other arm, on the same items.
        level: Of the interval.
        resamples: Bootstrap samples, and most flips.
        seed: Where chance comes from.
        groups: Of each item; whole groups are drawn and flipped.

    Raises:
        InputError: the sequences differ in length, or a value is not finite.

    Source: Fisher's paired randomisation test; Good, "Permutation, parametric and bootstrap tests", 2005, section 3.
    """
    if len(first) != len(second):
        raise InputError(f"{len(first)} values against {len(second)}; a paired test takes the same items of both")
    differences = [None if a is None or b is None else a - b for a, b in zip(first, second, strict=True)]
    interval = bootstrap_interval(differences, level=level, resamples=resamples, seed=seed, groups=groups)
    kept, owners = _kept(differences, groups)
    wins, losses = int(np.count_nonzero(kept < 0.0)), int(np.count_nonzero(kept > 0.0))
    sums = np.bincount(owners, weights=kept).astype(np.float64)
    p = _sign_flip(sums, resamples, seed) if kept.size else None
    return Paired(interval.estimate, interval.low, interval.high, p, interval.n, wins, losses, interval.groups)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction: reject what is under 0.05 and the chance of any false rejection is under 0.05.

    Args:
        p_values: Of all the comparisons that are looked at together; None is passed through and not counted.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    known = sorted((p, number) for number, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, number) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        corrected[number] = highest
    return corrected


class _GroupedMean:
    """Mean of all items of the drawn groups, for scipy: takes drawn group numbers along the last axis."""

    def __init__(self, values: Values, owners: NDArray[np.int64]) -> None:
        self.sums, self.counts = np.bincount(owners, weights=values), np.bincount(owners)

    def __call__(self, drawn: NDArray[Any], axis: int = -1) -> Values:
        drawn = drawn.astype(np.intp)
        return self.sums[drawn].sum(axis=axis) / self.counts[drawn].sum(axis=axis)


class _GroupedMedian:
    """Median of all items of the drawn groups: each value weighs as often as its group was drawn."""

    def __init__(self, values: Values, owners: NDArray[np.int64]) -> None:
        order = np.argsort(values, kind="stable")
        self.values, self.owners, self.count = values[order], owners[order], int(owners.max()) + 1

    def __call__(self, drawn: NDArray[Any], axis: int = -1) -> Values:
        rows = np.moveaxis(drawn, axis, -1).astype(np.intp)
        shape, rows = rows.shape[:-1], rows.reshape(-1, rows.shape[-1])
        cells = rows + self.count * np.arange(len(rows))[:, None]
        times = np.bincount(cells.ravel(), minlength=len(rows) * self.count).reshape(len(rows), self.count)
        passed = np.cumsum(times[:, self.owners], axis=1)
        total = passed[:, -1]
        # The two middle ones of an even number, the same one twice of an odd number.
        lower = np.argmax(passed >= ((total + 1) // 2)[:, None], axis=1)
        upper = np.argmax(passed >= (total // 2 + 1)[:, None], axis=1)
        return (0.5 * (self.values[lower] + self.values[upper])).reshape(shape)


def _bootstrapped(
    measure: _GroupedMean | _GroupedMedian, count: int, level: float, resamples: int, seed: int
) -> tuple[float, float]:
    tail = float(stats.norm.cdf(math.sqrt(count / (count - 1)) * stats.t.ppf(0.5 - 0.5 * level, count - 1)))
    found = stats.bootstrap(
        (np.arange(count),),
        measure,
        vectorized=True,
        n_resamples=resamples,
        batch=2_000,
        confidence_level=1.0 - 2.0 * tail,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _sign_flip(differences: Values, resamples: int, seed: int) -> float:
    # One observation flips into nothing nearer: its p-value is 1.
    if differences.size < 2 or not np.any(differences):
        return 1.0
    found = stats.permutation_test(
        (differences,),
        lambda flipped, axis: np.sum(flipped, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=2_000,
        rng=np.random.default_rng(seed),
    )
    return min(1.0, float(found.pvalue))


def _kept(
    values: Sequence[float | None], groups: Sequence[Hashable] | None
) -> tuple[Values, NDArray[np.int64]]:  # fmt: skip
    """Values that there are, and the number of the group of each, groups counted in order of appearance."""
    if groups is not None and len(groups) != len(values):
        raise InputError(f"{len(values)} values with {len(groups)} groups; name one group for each value")
    places = [place for place, value in enumerate(values) if value is not None]
    kept = np.array([values[place] for place in places], dtype=np.float64)
    if not np.isfinite(kept).all():
        raise InputError("a value is NaN or infinite; give None where there is none")
    if groups is None:
        return kept, np.arange(kept.size)
    numbers: dict[Hashable, int] = {}
    return kept, np.array([numbers.setdefault(groups[place], len(numbers)) for place in places], dtype=np.int64)
