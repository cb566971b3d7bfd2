"""From rows of a benchmark to its numbers: means, medians, categories, shares. Runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from menura.evaluation.playability import SILENT_DB, SUSTAIN_DB
from menura.features.distances import METRICS

Result = Mapping[str, Any]


def summarise(results: Sequence[Result], workers: int) -> dict[str, Any]:
    """The numbers of a benchmark.

    Args:
        results: Rows, each with its metrics or with an ``error``.
        workers: Engines that could work at the same time.

    Returns:
        Metrics as ``{"mean", "median"}`` (None where every row failed), ``n``, ``failures``, ``renders``,
        ``seconds``, ``engine_share``, and ``playability`` where it was measured.
    """
    good = [result for result in results if "error" not in result]
    seconds = float(sum(result["seconds"] for result in results))
    engine = float(sum(result["engine_seconds"] for result in good))
    summary: dict[str, Any] = {name: _centre([float(result[name]) for result in good]) for name in METRICS}
    summary |= {
        "n": len(results),
        "failures": len(results) - len(good),
        "renders": int(sum(result["renders"] for result in good)),
        "seconds": round(seconds, 2),
        "engine_share": round(engine / (seconds * workers), 4) if seconds > 0.0 else 0.0,
    }
    played = [result["play"] for result in good if "play" in result]
    if played:
        summary["playability"] = playability_shares(played)
    return summary


def playability_shares(played: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """Shares of answers that sustain, end and answer to velocity; of the sustaining targets the first two."""
    held = [p for p in played if p["held_db"] is not None and p["released_db"] is not None]
    sustains = [float(p["held_db"] or 0.0) >= -SUSTAIN_DB for p in held]
    ends = [float(p["released_db"] or 0.0) < SILENT_DB for p in held]
    softer = [float(p["softer_db"] or 0.0) < -0.1 for p in played]
    return {
        "sustaining_targets": len(held),
        "sustains": _share(sustains),
        "ends": _share(ends),
        "sustains_and_ends": _share([a and b for a, b in zip(sustains, ends, strict=True)]),
        "softer_is_quieter": _share(softer),
    }


def by_category(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """`summarise`'s metrics for each category, in the order of their names."""
    kinds = sorted({str(result["category"]) for result in results})
    return {
        kind: _of_category([result for result in results if str(result["category"]) == kind]) for kind in kinds
    }  # fmt: skip


def progress_line(number: int, total: int, result: Result) -> str:
    """One line on a row that was done."""
    head = f"[{number:>{len(str(total))}}/{total}]"
    if "error" in result:
        return f"{head} FAILED  {result['file']}: {result['error']}"
    values = f"MSS {result['mss']:5.2f}  wMFCC {result['wmfcc']:5.2f}  SOT {result['sot']:.4f}  RMS {result['rms']:.4f}"
    return f"{head} {values}  {result['renders']:4d} renders  {result['seconds']:5.1f} s  {result['file']}"


def table_lines(results: Sequence[Result], summary: Mapping[str, Any]) -> list[str]:
    """The numbers as lines of text: mean and median of each metric, all and per category."""
    lines = [f"{'':14}{'n':>5}" + "".join(f"{_TITLES[name]:>18}" for name in METRICS), f"{'':19}" + _HEADER]
    groups = [("all", {**summary, "n": summary["n"] - summary["failures"]})]
    groups += [(kind or "(none)", values) for kind, values in by_category(results).items()]
    for kind, values in groups:
        cells = "".join(_cell(values[name], name) for name in METRICS)
        lines.append(f"{kind[:14]:14}{values['n']:>5}{cells}")
    lines.append(
        f"{summary['n']} sounds, {summary['failures']} failures, {summary['renders']} renders, "
        f"{summary['seconds']:.0f} s, engine share {summary['engine_share']:.2f}"
    )
    played = summary.get("playability")
    if played:
        lines.append(
            f"held twice as long, of {played['sustaining_targets']} sustaining targets: {_percent(played['sustains'])} "
            f"still sound, {_percent(played['ends'])} end after key up, {_percent(played['sustains_and_ends'])} both; "
            f"softer is quieter: {_percent(played['softer_is_quieter'])}"
        )
    return lines


_TITLES = {"mss": "MSS dB", "wmfcc": "wMFCC", "sot": "SOT", "rms": "RMS"}
_HEADER = f"{'mean':>9}{'median':>9}" * len(METRICS)


def _of_category(results: Sequence[Result]) -> dict[str, Any]:
    good = [result for result in results if "error" not in result]
    centres = {name: _centre([float(result[name]) for result in good]) for name in METRICS}
    return {**centres, "n": len(good), "failures": len(results) - len(good)}


def _centre(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"mean": None, "median": None}
    return {"mean": round(float(np.mean(values)), 6), "median": round(float(np.median(values)), 6)}


def _share(flags: Sequence[bool]) -> float | None:
    return round(sum(flags) / len(flags), 4) if flags else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100.0 * share:.0f}%"


def _cell(centre: Mapping[str, float | None], name: str) -> str:
    places = 4 if name in ("sot", "rms") else 2
    return "".join(f"{'-':>9}" if centre[key] is None else f"{centre[key]:>9.{places}f}" for key in ("mean", "median"))
