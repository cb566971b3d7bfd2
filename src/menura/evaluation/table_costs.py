"""What answers cost and what they are good for: products, playability, parameters, curves. Writes no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from menura.evaluation.cost_curve import Axis, curve_area, curve_at
from menura.evaluation.playability import CLICK_DB, SILENT_DB, SUSTAIN_DB
from menura.evaluation.product import product_figures
from menura.evaluation.table_rows import Row, Rows
from menura.evaluation.table_scores import Numbers, rounded, score_of

SOFTER_DB = -0.1
"""A softer note must be at least that much quieter: more than the engine's own chance."""
GRID_POINTS = 40
"""Places at which curves are averaged."""
AXES: tuple[Axis, ...] = ("renders", "seconds")
CURVE_RESAMPLES = 1_000
"""Bootstrap samples at each of them: a band in a picture needs no more."""
BEGUN = 0.9
"""A mean curve begins where this share of the sounds has a first candidate."""


def arm_costs(rows: Rows, arm: str, limits: Mapping[str, float]) -> Numbers:
    """Product figures, playability, parameter errors, verdicts and curves of one arm on the undisturbed items.

    Args:
        rows: The run.
        arm: Name.
        limits: ``renders`` and ``seconds``: how far the curves go.
    """
    answered = rows.answered(arm, rows.base)
    held = rows.by_arm[arm]
    tried = [held[key] for key in rows.base if key in held and "skipped" not in held[key]]
    return {
        "product": {**product_figures(tried), **_shares(answered)},
        "playability": playability([row["play"] for row in answered if row.get("play")]),
        "parameters": _means([row["parameters"] for row in answered if row.get("parameters")]),
        "verdicts": _verdicts(answered),
        "curve": {axis: _curve(rows, answered, axis, limits[axis]) for axis in AXES},
    }


def curve_limits(run: Mapping[str, Any], rows: Rows) -> dict[str, float]:
    """How far the curves go: the renders and seconds of the run, no further than its rows came."""
    answered = [row for arm in rows.by_arm for row in rows.answered(arm, rows.base)]
    last = [row["curve"][-1] for row in answered if row.get("curve")]
    renders = max([1.0, *(float(row.get("renders") or 0) for row in answered)])
    seconds = max([1.0, *(float(point[1]) for point in last)])
    return {
        "renders": max(2.0, min(float(run.get("renders") or renders), renders)),
        "seconds": min(float(run.get("seconds") or seconds), seconds),
    }


def playability(played: Sequence[Mapping[str, Any]]) -> Numbers | None:
    """Shares of answers that play as an instrument does; None where none was played.

    Args:
        played: The ``play`` of rows. What needs a sustaining target is None for the others and not counted.
    """
    if not played:
        return None
    sustaining = [p for p in played if p.get("held_db") is not None and p.get("released_db") is not None]
    sustains = [float(p["held_db"]) >= -SUSTAIN_DB for p in sustaining]
    ends = [float(p["released_db"]) < SILENT_DB for p in sustaining]
    softer = [float(p["softer_db"]) for p in played if p.get("softer_db") is not None]
    clicks = [float(p["click_db"]) for p in played if p.get("click_db") is not None]
    keys = [int(p["keys_silent"]) + int(p["keys_loud"]) for p in played if p.get("keys_silent") is not None]
    return {
        "n": len(played),
        "sustaining_targets": len(sustaining),
        "sustains": _share(sustains),
        "ends": _share(ends),
        "sustains_and_ends": _share([a and b for a, b in zip(sustains, ends, strict=True)]),
        "no_click": _share([level <= CLICK_DB for level in clicks]),
        "softer_is_quieter": _share([level < SOFTER_DB for level in softer]),
        "all_keys": _share([wrong == 0 for wrong in keys]),
    }


def _shares(answered: Sequence[Row]) -> Numbers:
    seconds = [float(row["seconds"]) for row in answered]
    engine = sum(float(row.get("engine_seconds") or 0.0) for row in answered)
    # A row's seconds hold judging and playing too; where there is a curve, its end is when the answer was there.
    until = [float(row["curve"][-1][1] if row.get("curve") else row["seconds"]) for row in answered]
    return {
        "answer_seconds": {"mean": _mean(until), "median": rounded(np.median(until)) if until else None},
        "renders_mean": _mean([float(row.get("renders") or 0) for row in answered]),
        "engine_share": rounded(engine / sum(seconds), 4) if sum(seconds) > 0.0 else None,
        "answers": _mean([float(row.get("answers") or 0) for row in answered]),
        "stopped_by": dict(sorted(Counter(str(row.get("stopped_by", "")) for row in answered).items())),
    }


def _verdicts(answered: Sequence[Row]) -> dict[str, Numbers]:
    """Verdict to how often it was given, and the mean MSS that the judge then measured."""
    words = sorted({str(row["verdict"]) for row in answered if row.get("verdict")})
    found: dict[str, Numbers] = {}
    for word in words:
        rows = [row for row in answered if row.get("verdict") == word]
        values = [float(row["metrics"]["mss"]) for row in rows if row["metrics"].get("mss") is not None]
        found[word] = {"n": len(rows), "mss": _mean(values)}
    return found


def _means(dictionaries: Sequence[Mapping[str, Any]]) -> dict[str, Numbers] | None:
    if not dictionaries:
        return None
    names = list(dict.fromkeys(name for each in dictionaries for name in each))
    values = {name: [float(each[name]) for each in dictionaries if each.get(name) is not None] for name in names}
    return {name: {"mean": _mean(found), "n": len(found)} for name, found in values.items() if found}


def _curve(rows: Rows, answered: Sequence[Row], axis: Axis, until: float) -> Numbers | None:
    """Mean curve with its 95% interval on a logarithmic grid, and the area; None where no row has a curve."""
    curves = {str(row["item"]): row["curve"] for row in answered if row.get("curve")}
    if not curves:
        return None
    start = 1.0 if axis == "renders" else min(0.1, 0.5 * until)
    grid = np.unique(np.round(np.geomspace(start, until, GRID_POINTS), 0 if axis == "renders" else 4))
    values = np.array([curve_at(curve, grid, axis=axis) for curve in curves.values()], dtype=np.float64)
    begun = np.isfinite(values).mean(axis=0) >= BEGUN
    columns = [
        {key: float(value) for key, value in zip(curves, column, strict=True) if np.isfinite(value)}
        for column in values.T[begun]
    ]
    scores = [score_of(rows, column, resamples=CURVE_RESAMPLES) for column in columns]
    areas = {key: rounded(curve_area(curve, until, axis=axis, start=start)) for key, curve in curves.items()}
    return {
        "grid": [float(at) for at in grid[begun]],
        "mean": [score["mean"] for score in scores],
        "low": [score["low"] for score in scores],
        "high": [score["high"] for score in scores],
        "start": start,
        "until": until,
        "area": score_of(rows, {key: area for key, area in areas.items() if area is not None}),
    }


def _mean(values: Sequence[float]) -> float | None:
    return rounded(np.mean(values)) if values else None


def _share(flags: Sequence[bool]) -> float | None:
    return round(sum(flags) / len(flags), 4) if flags else None
