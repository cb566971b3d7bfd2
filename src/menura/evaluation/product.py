"""What a user gets besides a near sound: presets that load and sound, soon, and several different ones.

Reads rows of a benchmark; measures only how different answers are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from menura.features.distances import MssTarget

Row = Mapping[str, Any]


def diversity(sounds: Sequence[ArrayLike], sample_rate: int = 44_100) -> float | None:
    """Mean MSS between each two answers, in dB: 0 where all sound alike; None for fewer than two.

    Args:
        sounds: Mono, each of shape (samples,).
        sample_rate: Samples a second.

    Raises:
        AudioError: one of them is not a finite mono sound.
    """
    if len(sounds) < 2:
        return None
    prepared = [MssTarget(sound, sample_rate) for sound in sounds]
    return float(np.mean([first.distance(second.signal) for first, second in combinations(prepared, 2)]))


def product_figures(rows: Iterable[Row]) -> dict[str, Any]:
    """Figures of one arm.

    Args:
        rows: Of one arm: each with ``"error"`` (it failed), ``"skipped"`` (it had nothing to say) or its results.

    Returns:
        ``n`` rows that were tried, ``failures`` and ``skipped`` among all; ``loads`` and ``silent`` as shares of those
        tried, a failure counting as an answer that does not load; ``seconds``, ``engine_seconds``, ``renders``,
        ``preset_bytes`` as medians, ``diversity`` as the mean and ``best_of`` (k to mean MSS of the nearest of the
        first k) over the rows that have it. None where no row does.
    """
    rows = list(rows)
    skipped = [row for row in rows if "skipped" in row]
    tried = [row for row in rows if "skipped" not in row]
    good = [row for row in tried if "error" not in row]
    return {
        "n": len(tried),
        "failures": len(tried) - len(good),
        "skipped": len(skipped),
        "loads": _share(sum(bool(row.get("loads")) for row in good), len(tried)),
        "silent": _share(sum(bool(row.get("silent")) for row in good), len(tried)),
        **{name: _median(good, name) for name in ("seconds", "engine_seconds", "renders", "preset_bytes")},
        "diversity": _mean([row["diversity"] for row in good if row.get("diversity") is not None]),
        "best_of": best_of([row["best_of"] for row in good if row.get("best_of")]),
    }


def best_of(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean distance of the nearest of the first k answers, for every k that was looked at.

    An item with fewer than k answers counts with all that it has, so that every mean is over the same items.

    Args:
        found: For each item k, as text, to the least distance among its first k answers.
    """
    counts = sorted({int(k) for item in found for k in item})
    return {
        str(count): float(np.mean([item[str(max(int(k) for k in item if int(k) <= count))] for item in found]))
        for count in counts
        if all(any(int(k) <= count for k in item) for item in found)
    }


def _median(rows: Sequence[Row], name: str) -> float | None:
    values = [float(row[name]) for row in rows if row.get(name) is not None]
    return float(np.median(values)) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
