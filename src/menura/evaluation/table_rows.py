"""The rows of a run in the run's own order, and which of them belong together. Computes no statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from menura.evaluation.statistics import LEAST

Row = Mapping[str, Any]

MAIN = ("mss", "wmfcc", "sot", "rms")
"""The metrics of the first table, of categories, conditions and paired tests, as far as a run has them."""
REFERENCE = "reference"


@dataclass(frozen=True)
class Rows:
    """What a run measured, by arm and item, so that the order of completion changes nothing."""

    arms: tuple[Mapping[str, Any], ...]
    items: tuple[Mapping[str, Any], ...]
    metrics: tuple[Mapping[str, Any], ...]
    by_arm: Mapping[str, Mapping[str, Row]] = field(repr=False)
    """Arm, then item key, to the row."""

    @property
    def main(self) -> tuple[str, ...]:
        """Names of the metrics that every section shows; the first four of the run where it has none of `MAIN`."""
        names = [str(metric["name"]) for metric in self.metrics]
        return tuple(name for name in MAIN if name in names) or tuple(names[:4])

    @property
    def base(self) -> tuple[str, ...]:
        """Keys of the undisturbed items; of all items where a run has only disturbed ones."""
        clean = tuple(str(item["key"]) for item in self.items if item.get("condition", "clean") == "clean")
        return clean or tuple(str(item["key"]) for item in self.items)

    @property
    def independent(self) -> str:
        """What intervals and tests take as independent: ``sources``, or ``sounds`` where they are too few."""
        return "sources" if len(self.groups("source")) >= LEAST else "sounds"

    def owner(self, key: str) -> str:
        """The independent observation that an item belongs to: its source, or its sound in whatever condition."""
        return self._owners[key]

    @cached_property
    def _owners(self) -> dict[str, str]:
        column = "source" if self.independent == "sources" else "id"
        return {str(item["key"]): str(item.get(column) or item["id"]) for item in self.items}

    @property
    def judge(self) -> str:
        """The first main metric that no arm optimised; the first of all where each was optimised by one."""
        optimised = {name for arm in self.arms for name in arm.get("optimised", ())}
        return next((name for name in self.main if name not in optimised), self.main[0] if self.main else "")

    def track(self, name: str) -> tuple[str, ...]:
        """Arms of one track, in the run's order."""
        return tuple(str(arm["name"]) for arm in self.arms if arm["track"] == name)

    @property
    def tracks(self) -> tuple[str, ...]:
        """Tracks of matchers that the run has, `knobs` before `any`."""
        return tuple(name for name in ("knobs", "any") if self.track(name))

    def answered(self, arm: str, keys: Sequence[str]) -> list[Row]:
        """The arm's rows with metrics, in the order of `keys`."""
        rows = self.by_arm[arm]
        return [rows[key] for key in keys if key in rows and "metrics" in rows[key]]

    def values(self, arm: str, metric: str, keys: Sequence[str]) -> dict[str, float]:
        """Item key to the arm's value, where it has one; without its sign where zero is best."""
        found = {str(row["item"]): row["metrics"].get(metric) for row in self.answered(arm, keys)}
        known = {key: float(value) for key, value in found.items() if value is not None}
        return {key: abs(value) for key, value in known.items()} if self.better(metric) == "zero" else known

    def better(self, metric: str) -> str:
        """``lower``, ``higher`` or ``zero``."""
        return next(str(described["better"]) for described in self.metrics if described["name"] == metric)

    def common(self, track: str) -> tuple[str, ...]:
        """Undisturbed items that every arm of a track has answered which has answers at all."""
        matchers = [arm for arm in self.track(track) if self.answered(arm, self.base)]
        have = [{str(row["item"]) for row in self.answered(arm, self.base)} for arm in matchers]
        return tuple(key for key in self.base if all(key in keys for keys in have)) if have else ()

    def groups(self, column: str) -> dict[str, tuple[str, ...]]:
        """Undisturbed items by `category` or `source`, groups in alphabetical order."""
        base = set(self.base)
        found: dict[str, list[str]] = {}
        for item in self.items:
            if str(item["key"]) in base:
                found.setdefault(str(item.get(column) or "(none)"), []).append(str(item["key"]))
        return {name: tuple(found[name]) for name in sorted(found)}

    def disturbed(self) -> dict[str, dict[str, str]]:
        """Condition to its items: key to the key of the same sound undisturbed."""
        clean = {str(item["id"]): str(item["key"]) for item in self.items if item.get("condition", "clean") == "clean"}
        found: dict[str, dict[str, str]] = {}
        for item in self.items:
            condition = str(item.get("condition", "clean"))
            if condition != "clean" and str(item["id"]) in clean:
                found.setdefault(condition, {})[str(item["key"])] = clean[str(item["id"])]
        return found


def sorted_rows(run: Mapping[str, Any], rows: Sequence[Row]) -> Rows:
    """The rows by arm and item; of two rows for one arm and item the later one counts.

    Arms and items that `run` does not name (the rows of an older run in the same folder) are left out.

    Args:
        run: The content of ``run.json``.
        rows: The lines of ``rows.jsonl``, in any order.
    """
    arms = tuple(run["arms"])
    items = tuple(run["items"])
    keys = {str(item["key"]) for item in items}
    by_arm: dict[str, dict[str, Row]] = {str(arm["name"]): {} for arm in arms}
    for row in rows:
        if row["arm"] in by_arm and row["item"] in keys:
            by_arm[row["arm"]][str(row["item"])] = row
    return Rows(arms, items, tuple(run["metrics"]), by_arm)
