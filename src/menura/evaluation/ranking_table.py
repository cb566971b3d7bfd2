"""The table of an attribute ranking: its numbers, and as Markdown. Runs nothing and reads no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Ranked:
    """One embedder's row."""

    name: str
    dim: int
    """0 where it follows from the length of the sound."""
    means: dict[str, float]
    """Attribute to the mean Spearman correlation over presets and both ends."""
    deviations: dict[str, float]
    """Attribute to the standard deviation over them."""

    @property
    def mean(self) -> float:
        """Over attributes, each with the same weight."""
        return float(np.mean(list(self.means.values())))

    @property
    def deviation(self) -> float:
        """Standard deviation of the attributes' means."""
        return float(np.std(list(self.means.values())))


def ranked(run: Mapping[str, Any]) -> list[Ranked]:
    """The embedders that have scored on every attribute of a run, best first.

    Args:
        run: the content of ``ranking.json``.
    """
    attributes: list[str] = run["settings"]["attributes"]
    rows: list[Ranked] = []
    for name, told in run["embedders"].items():
        scores = {each: run["scores"].get(each, {}).get(name) for each in attributes}
        if all(scores.values()):
            means = {each: float(np.mean(pairs)) for each, pairs in scores.items()}
            deviations = {each: float(np.std(pairs)) for each, pairs in scores.items()}
            rows.append(Ranked(name, told["dim"], means, deviations))
    return sorted(rows, key=lambda row: (-row.mean, row.name))


def ranking_markdown(run: Mapping[str, Any]) -> str:
    """A run as a page: a row for each embedder, a line for each that is not there."""
    told = run["settings"]
    rows = ranked(run)
    head = ["embedder", "dim", "mean", *told["attributes"]]
    lines = [
        "# Attribute ranking of embedders",
        "",
        f"Vital ({told['engine']}), {len(told['attributes'])} attributes, {told['presets']} presets each, "
        f"{told['steps']} rising values on each, seed {told['seed']}; {told['note']['total']:g} s at key "
        f"{told['note']['pitch']:g}. Spearman's correlation of the step with the L1 distance from the first and from "
        f"the last sound: mean ± standard deviation over {2 * told['presets']} rankings; the column mean: over "
        "attributes. After Combes et al. 2025, section 4.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    for row in rows:
        cells = [f"{row.means[each]:.3f} ± {row.deviations[each]:.2f}" for each in told["attributes"]]
        size = str(row.dim) if row.dim else "by length"
        lines.append(f"| {row.name} | {size} | **{row.mean:.3f}** ± {row.deviation:.3f} | " + " | ".join(cells) + " |")
    finished = {row.name for row in rows}
    lines += ["", *(f"- {name}: unfinished." for name in run["embedders"] if name not in finished)]
    lines += [f"- {name} failed on {each}: {why}" for each, held in run["failed"].items() for name, why in held.items()]
    lines += [f"- {name} is not there: {why}" for name, why in run["unavailable"].items()]
    return "\n".join(lines).rstrip() + "\n"
