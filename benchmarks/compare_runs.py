r"""Two runs of one set side by side: does another seed, commit or machine tell the same? Prints one JSON line.

    python benchmarks/compare_runs.py bench/seed-0 bench/seed-1

For each arm and metric that both have: both means, whether each lies within the other's 95% interval, and the paired
difference (second minus first) over the targets that both answered, with its p-value. On stderr the same as a table.
Exit code 1 where a mean lies outside the other run's interval.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from menura.errors import InputError, MenuraError
from menura.evaluation.results import read_rows, read_run
from menura.evaluation.statistics import paired_difference
from menura.evaluation.table import summary
from menura.evaluation.table_cells import interval, number
from menura.evaluation.table_rows import Rows, sorted_rows


def main() -> None:
    """Parse, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path, help="folder of a run")
    parser.add_argument("second", type=Path, help="folder of another one of the same set")
    arguments = parser.parse_args()
    try:
        found = compared(arguments.first, arguments.second)
    except MenuraError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    for row in found["rows"]:
        places = row["places"]
        first, second = interval(row["first"], places), interval(row["second"], places)
        difference = f"{number(row['difference'], places, signed=True)} (p {row['p']:.3f})"
        print(
            f"{'ok ' if row['agree'] else 'NOT'} {row['arm']:14} {row['metric']:6} {first:26} {second:26} {difference}",
            file=sys.stderr,
        )
    print(json.dumps(found, ensure_ascii=False))
    raise SystemExit(0 if found["agree"] else 1)


def compared(first: Path, second: Path) -> dict[str, Any]:
    """Means, intervals and paired differences of two runs.

    Args:
        first: Folder of a run.
        second: Folder of another.

    Raises:
        OutputError: one of the folders holds no run.
        InputError: they have no arm, or no target, in common.
    """
    runs = [read_run(folder) for folder in (first, second)]
    rows = [read_rows(folder) for folder in (first, second)]
    tables = [sorted_rows(run, some) for run, some in zip(runs, rows, strict=True)]
    numbers = [summary(run, some) for run, some in zip(runs, rows, strict=True)]
    arms = [name for name in numbers[0]["arms"] if name in numbers[1]["arms"]]
    targets = [key for key in tables[0].base if key in tables[1].base]
    if not arms or not targets:
        raise InputError(f"{first} and {second} share no arm and target; compare two runs of one set")
    metrics = {name: tables[0].better(name) for name in numbers[0]["main"] if name in numbers[1]["main"]}
    places = {metric["name"]: metric["places"] for metric in numbers[0]["metrics"]}
    found = [
        {
            "arm": arm,
            "metric": metric,
            "places": places[metric],
            **_pair(*(n["arms"][arm]["metrics"][metric] for n in numbers)),
            **_difference(tables, arm, metric, targets),
        }
        for arm in arms
        for metric in metrics
    ]
    return {
        "targets": len(targets),
        "seeds": [run.get("seed") for run in runs],
        "commits": [run.get("commit") for run in runs],
        "agree": all(row["agree"] for row in found),
        "rows": found,
    }


def _pair(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    agree = all(
        a["low"] is None or b["mean"] is None or a["low"] <= b["mean"] <= a["high"]
        for a, b in ((first, second), (second, first))
    )
    return {"first": first, "second": second, "agree": agree}


def _difference(tables: list[Rows], arm: str, metric: str, targets: list[str]) -> dict[str, Any]:
    before, after = (table.values(arm, metric, targets) for table in tables)
    both = [key for key in before if key in after]
    paired = paired_difference(
        [after[key] for key in both], [before[key] for key in both], groups=[tables[0].owner(key) for key in both]
    )
    return {"difference": paired.mean, "p": 1.0 if paired.p is None else paired.p, "n": paired.n}


if __name__ == "__main__":
    main()
