r"""Adds the arms of a finished run to the leaderboard. Prints one JSON line.

python benchmarks/leaderboard.py bench/real-quick
python benchmarks/leaderboard.py bench/real-quick --arms full,cmaes --date 2026-11-21
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from menura import storage
from menura.errors import InputError, MenuraError
from menura.evaluation.results import read_rows, read_run
from menura.evaluation.table import summary
from menura.evaluation.table_cells import DASH, interval, number

BOARD = Path(__file__).with_name("LEADERBOARD.md")
METRICS = {"mss": 2, "wmfcc": 2, "sot": 3, "rms": 3}
"""Columns and their decimals."""


def main() -> None:
    """Parse, add, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of a finished run")
    parser.add_argument("--board", type=Path, default=BOARD)
    parser.add_argument("--arms", default="", help="names with commas; all by default")
    parser.add_argument("--date", type=dt.date.fromisoformat, help="when it ran; by default when it ended")
    arguments = parser.parse_args()
    try:
        arms = [name.strip() for name in arguments.arms.split(",") if name.strip()]
        rows = board_rows(arguments.folder, arms=arms, date=arguments.date)
        added = append_rows(arguments.board, rows)
    except MenuraError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    print(json.dumps({"board": str(arguments.board), "added": len(added)}))


def board_rows(folder: Path, *, arms: Collection[str] = (), date: dt.date | None = None) -> list[str]:
    """The lines of a run, one for each arm.

    Args:
        folder: Of the run.
        arms: Names; empty takes all.
        date: When it ran; None takes the day on which its last row was written.

    Raises:
        InputError: the run is not finished, knows no such arm, or does not say what it was run with.
        OutputError: the folder holds no run.
    """
    run = read_run(folder)
    numbers = summary(run, read_rows(folder))
    if not numbers["finished"]:
        raise InputError(f"{folder} is not finished ({numbers['rows']} of {numbers['expected']} rows); finish it first")
    if not run.get("commit") or not run.get("command"):
        raise InputError(f"{folder} does not say its commit and command; only a run that can be repeated is listed")
    unknown = sorted(set(arms) - set(numbers["arms"]))
    if unknown:
        raise InputError(f"{folder} has no arm {unknown[0]!r}; it has {', '.join(numbers['arms'])}")
    day = date or dt.datetime.fromtimestamp((folder / "rows.jsonl").stat().st_mtime, dt.UTC).date()
    return [
        _line(run, name, arm, numbers["set"], day.isoformat())
        for name, arm in numbers["arms"].items()
        if not arms or name in arms
    ]


def append_rows(board: Path, rows: list[str]) -> list[str]:
    """Adds the lines that are not there yet, and returns them.

    Raises:
        InputError: the board has no table to add to.
        OutputError: it cannot be written.
    """
    try:
        text = board.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{board} cannot be read ({error.strerror}); name the file of the leaderboard") from None
    if "| Date | Set |" not in text:
        raise InputError(f"{board} holds no leaderboard; its table begins with | Date | Set |")
    known = set(text.splitlines())
    added = [row for row in rows if row not in known]
    storage.write_text(board, text.rstrip("\n") + "\n" + "".join(f"{row}\n" for row in added), force=True)
    return added


def _line(run: Mapping[str, Any], name: str, arm: Mapping[str, Any], set_name: str, date: str) -> str:
    scores = [_score(arm, metric, places) for metric, places in METRICS.items()]
    product = arm["product"]
    versions = ", ".join(f"{tool} {version}" for tool, version in run["versions"].items())
    seconds = number(product["answer_seconds"]["mean"], 1)
    cells = [
        date, set_name, arm["track"], name, arm["n"], arm["failures"], *scores, seconds,
        number(product["renders_mean"], 0), run["seed"], versions, run["commit"], f"`{run['command']}`",
    ]  # fmt: skip
    return "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in cells) + " |"


def _score(arm: Mapping[str, Any], metric: str, places: int) -> str:
    score = arm["metrics"].get(metric)
    text = interval(score, places)
    return f"{text} †" if text != DASH and metric in arm["optimised"] else text


if __name__ == "__main__":
    main()
