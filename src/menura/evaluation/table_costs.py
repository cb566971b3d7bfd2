"""What answers cost and what they are good for: products, playability, parameters. Writes no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from menura.evaluation.playability import CLICK_DB, SILENT_DB, SUSTAIN_DB
from menura.evaluation.product import product_figures
from menura.evaluation.table_rows import Row, Rows
from menura.evaluation.table_scores import Numbers, rounded

SOFTER_DB = -0.1
"""A softer note must be at least that much quieter: more than the engine's own chance."""


def arm_costs(rows: Rows, arm: str) -> Numbers:
    """Product figures, playability, parameter errors and verdicts of one arm on the undisturbed items.

    Args:
        rows: The run.
        arm: Name.
    """
    answered = rows.answered(arm, rows.base)
    held = rows.by_arm[arm]
    tried = [held[key] for key in rows.base if key in held and "skipped" not in held[key]]
    return {
        "product": {**product_figures(tried), **_shares(answered)},
        "playability": playability([row["play"] for row in answered if row.get("play")]),
        "parameters": _means([row["parameters"] for row in answered if row.get("parameters")]),
        "verdicts": _verdicts(answered),
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


def _mean(values: Sequence[float]) -> float | None:
    return rounded(np.mean(values)) if values else None


def _share(flags: Sequence[bool]) -> float | None:
    return round(sum(flags) / len(flags), 4) if flags else None
