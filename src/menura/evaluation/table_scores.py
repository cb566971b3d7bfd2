"""Scores of arms: means with intervals, groups, conditions, paired differences. Writes no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from menura.evaluation.statistics import RESAMPLES, bootstrap_interval, holm, paired_difference
from menura.evaluation.table_rows import REFERENCE, Rows

Numbers = dict[str, Any]


def score_of(rows: Rows, values: Mapping[str, float], resamples: int = RESAMPLES) -> Numbers:
    """Mean, median, 95% bootstrap interval of the mean, and how many; None where there is too little.

    Args:
        rows: The run, which says what is independent.
        values: Item key to value.
        resamples: Bootstrap samples.
    """
    found = bootstrap_interval(list(values.values()), resamples=resamples, groups=[rows.owner(key) for key in values])
    return {
        "mean": rounded(found.estimate),
        "median": rounded(np.median(list(values.values()))) if values else None,
        "low": rounded(found.low),
        "high": rounded(found.high),
        "n": found.n,
    }


def arm_scores(rows: Rows, arm: str) -> Numbers:
    """All metrics of one arm on the undisturbed items, and the main ones by group and condition.

    Returns:
        ``n``, ``failures``, ``skipped``, ``missing``, ``metrics``, ``common``, ``categories``, ``sources``,
        ``source_mean`` (the mean over sources, each of which weighs the same) and ``conditions``.
    """
    base, held = rows.base, rows.by_arm[arm]
    track = next(str(described["track"]) for described in rows.arms if described["name"] == arm)
    categories = _grouped(rows, arm, "category")
    sources = _grouped(rows, arm, "source")
    return {
        **_counts(rows, arm, base),
        "missing": sum(key not in held for key in base),
        "metrics": {m["name"]: _score(rows, arm, m["name"], base) for m in rows.metrics},
        "common": {name: _score(rows, arm, name, rows.common(track)) for name in rows.main},
        "categories": categories,
        "sources": sources,
        "source_mean": {name: _mean_of_means(sources, name) for name in rows.main},
        "conditions": _conditions(rows, arm),
    }


def paired_tests(rows: Rows) -> dict[str, dict[str, list[Numbers]]]:
    """Paired differences within each track: matchers among themselves, and each with every reference.

    P-values are corrected by Holm over all pairs of one track and metric.

    Returns:
        Track, then metric, to pairs ``{"a", "b", "mean", "low", "high", "p", "p_holm", "n", "groups", "wins",
        "losses"}``; `mean` is a minus b over the items that both answered, `wins` counts those on which a is nearer.
    """
    found: dict[str, dict[str, list[Numbers]]] = {}
    for track in rows.tracks:
        matchers = rows.track(track)
        pairs = list(combinations(matchers, 2))
        pairs += [(matcher, reference) for matcher in matchers for reference in rows.track(REFERENCE)]
        found[track] = {name: _tests(rows, name, pairs) for name in rows.main}
    return found


def rounded(value: Any, digits: int = 6) -> float | None:
    """A number that JSON can hold; None for none, and for what is not finite."""
    if value is None or not np.isfinite(float(value)):
        return None
    return round(float(value), digits)


def _score(rows: Rows, arm: str, metric: str, keys: Sequence[str]) -> Numbers:
    return score_of(rows, rows.values(arm, metric, keys))


def _counts(rows: Rows, arm: str, keys: Sequence[str]) -> Numbers:
    held = [rows.by_arm[arm][key] for key in keys if key in rows.by_arm[arm]]
    return {
        "n": sum("metrics" in row for row in held),
        "failures": sum("error" in row for row in held),
        "skipped": sum("skipped" in row for row in held),
    }


def _grouped(rows: Rows, arm: str, column: str) -> dict[str, Numbers]:
    return {
        group: {**_counts(rows, arm, keys), "metrics": {name: _score(rows, arm, name, keys) for name in rows.main}}
        for group, keys in rows.groups(column).items()
    }


def _mean_of_means(groups: Mapping[str, Numbers], metric: str) -> float | None:
    means = [group["metrics"][metric]["mean"] for group in groups.values()]
    known = [mean for mean in means if mean is not None]
    return rounded(np.mean(known)) if known else None


def _conditions(rows: Rows, arm: str) -> dict[str, Numbers]:
    found: dict[str, Numbers] = {}
    for condition, undisturbed in rows.disturbed().items():
        keys = tuple(undisturbed)
        found[condition] = {
            **_counts(rows, arm, keys),
            "metrics": {name: _loss(rows, arm, name, undisturbed) for name in rows.main},
        }
    return found


def _loss(rows: Rows, arm: str, metric: str, undisturbed: Mapping[str, str]) -> Numbers:
    """Score on the disturbed sounds, and the paired difference disturbed minus clean of the same sounds."""
    disturbed = rows.values(arm, metric, tuple(undisturbed))
    clean = rows.values(arm, metric, tuple(undisturbed.values()))
    before = {key: clean[undisturbed[key]] for key in disturbed if undisturbed[key] in clean}
    return {**score_of(rows, disturbed), "loss": _paired(rows, metric, disturbed, before)}


def _tests(rows: Rows, metric: str, pairs: Sequence[tuple[str, str]]) -> list[Numbers]:
    found: list[Numbers] = []
    for first, second in pairs:
        test = _paired(rows, metric, *(rows.values(arm, metric, rows.base) for arm in (first, second)))
        if test is not None:
            found.append({"a": first, "b": second, **test})
    for test, corrected in zip(found, holm([test["p"] for test in found]), strict=True):
        test["p_holm"] = rounded(corrected)
    return found


def _paired(rows: Rows, metric: str, first: Mapping[str, float], second: Mapping[str, float]) -> Numbers | None:
    both = [key for key in first if key in second]
    if not both:
        return None
    paired = paired_difference(
        [first[key] for key in both], [second[key] for key in both], groups=[rows.owner(key) for key in both]
    )
    lower, higher = paired.wins, paired.losses
    wins, losses = (higher, lower) if rows.better(metric) == "higher" else (lower, higher)
    return {
        "mean": rounded(paired.mean),
        "low": rounded(paired.low),
        "high": rounded(paired.high),
        "p": rounded(paired.p),
        "n": paired.n,
        "groups": paired.groups,
        "wins": wins,
        "losses": losses,
    }
