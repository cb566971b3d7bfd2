"""The table of a run: its numbers as JSON, and as Markdown. Owns what is told; reads no file and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from menura.evaluation.table_cells import Section
from menura.evaluation.table_costs import arm_costs
from menura.evaluation.table_curves import curves
from menura.evaluation.table_rows import Row, Rows, sorted_rows
from menura.evaluation.table_scores import arm_scores, paired_tests
from menura.evaluation.table_sections import sections_of

__all__ = ["markdown", "summary"]


def summary(run: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """The numbers of a run, finished or not.

    The order of `rows` changes nothing. Every score is over the undisturbed items, unless it says otherwise; an item
    on which an arm failed has no score, is counted under ``failures``, and is left out of that arm's means.

    Args:
        run: The content of ``run.json``.
        rows: The lines of ``rows.jsonl``.

    Returns:
        What JSON can hold. ``arms`` maps each arm to the numbers of `arm_scores`, `arm_costs` and `curves`, ``pairs``
        holds `paired_tests`, ``common`` how many items all arms of a track answered, ``failed`` every failure.
    """
    table = sorted_rows(run, rows)
    costs = curves(run, table)
    done = sum(len(held) for held in table.by_arm.values())
    return {
        "set": str(run.get("set", "")),
        "targets": len(table.base),
        "independent": table.independent,
        "rows": done,
        "expected": len(table.arms) * len(table.items),
        "finished": done == len(table.arms) * len(table.items),
        "main": list(table.main),
        "judge": table.judge,
        "metrics": [dict(metric) for metric in table.metrics],
        "categories": {name: len(keys) for name, keys in table.groups("category").items()},
        "sources": {name: len(keys) for name, keys in table.groups("source").items()},
        "conditions": {name: len(keys) for name, keys in table.disturbed().items()},
        "common": {track: len(table.common(track)) for track in table.tracks},
        "arms": {
            str(arm["name"]): {
                "what": arm.get("what", ""),
                "track": arm["track"],
                "optimised": list(arm.get("optimised", ())),
                **arm_scores(table, str(arm["name"])),
                **arm_costs(table, str(arm["name"])),
                "curve": costs[str(arm["name"])],
            }
            for arm in table.arms
        },
        "pairs": paired_tests(table),
        "failed": _failed(table),
    }


def markdown(run: Mapping[str, Any], numbers: Mapping[str, Any]) -> str:
    """The numbers of `summary` as a page of Markdown."""
    state = "" if numbers["finished"] else f" (unfinished: {numbers['rows']} of {numbers['expected']} rows)"
    parts = [f"# Benchmark: {_plain(numbers['set'])}{state}\n"]
    parts += [_section(section) for section in sections_of(run, numbers)]
    return "\n".join(parts)


def _failed(table: Rows) -> list[dict[str, str]]:
    keys = [str(item["key"]) for item in table.items]
    return [
        {"arm": arm, "item": key, "error": str(held[key]["error"])}
        for arm, held in table.by_arm.items()
        for key in keys
        if key in held and "error" in held[key]
    ]


def _section(section: Section) -> str:
    lines = [f"{'#' * (section.level + 1)} {_plain(section.title)}", ""]
    for note in section.notes:
        lines += [_plain(note), ""]
    if section.rows:
        # The first column is words, the others are numbers.
        dashes = ["---", *["---:"] * (len(section.columns) - 1)] if section.numeric else ["---"] * len(section.columns)
        lines += [_line([_plain(column) for column in section.columns]), _line(dashes)]
        lines += [_line([f"**{_plain(c.text)}**" if c.strong else _plain(c.text) for c in row]) for row in section.rows]
        lines.append("")
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Text that stays text: no cell, tag or heading comes of it."""
    for sign, code in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("*", "\\*"), ("_", "\\_"), ("`", "\\`")):
        text = text.replace(sign, code)
    return " ".join(text.split())
