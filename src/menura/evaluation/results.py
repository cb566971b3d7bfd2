"""The folder of a run: settings, one line of JSON a row, targets and answers. Owns resuming; runs nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from menura import storage
from menura.errors import OutputError

Row = dict[str, Any]
"""What became of an arm on an item; see docs/benchmark.md for its fields."""

RUN, ROWS = "run.json", "rows.jsonl"
_SAME = ("set", "origin", "items", "seed", "renders", "seconds", "top", "playing", "synth", "versions", "metrics")
"""What must agree before a run is continued; arms may be added."""


def safe_name(key: str) -> str:
    """An item's key as the name under which another tool leaves its answer: easy to make in any language."""
    return re.sub(r"[^A-Za-z0-9._#+-]", "_", key)


class RunFolder:
    """A run on disk: whoever is killed loses the row at work, nothing else.

    Args:
        path: The folder; made by `begin`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.rows: list[Row] = []
        """What is done, in the order of completion."""

    def begin(self, run: Mapping[str, Any], *, force: bool = False, retry: bool = False) -> dict[str, Any]:
        """Starts a run, or continues the one that is there.

        Args:
            run: Settings, see docs/benchmark.md; arms of a continued run are added to those that it has.
            force: Begin anew whatever is there.
            retry: Do failed rows again.

        Returns:
            The settings as they stand in the folder now.

        Raises:
            OutputError: the folder holds other things, or a run with other settings.
        """
        settings: dict[str, Any] = json.loads(json.dumps(run))
        path = self.path / RUN
        if force:
            for name in (RUN, ROWS):
                (self.path / name).unlink(missing_ok=True)
        if path.exists():
            held = read_run(self.path)
            differing = [name for name in _SAME if held.get(name) != settings.get(name)]
            if differing:
                raise OutputError(
                    f"{self.path} holds a run with other settings ({', '.join(differing)}); "
                    "name another folder or use --force"
                )
            known = [arm["name"] for arm in held["arms"]]
            settings["arms"] = held["arms"] + [arm for arm in settings["arms"] if arm["name"] not in known]
        storage.write_text(path, json.dumps(settings, indent=1) + "\n", force=True)
        self.rows = read_rows(self.path)
        if retry:
            self.rows = [row for row in self.rows if "error" not in row]
        # A line that a kill cut short is dropped before the next is written behind it.
        text = "".join(_line(row) for row in self.rows)
        storage.write_text(self.path / ROWS, text, force=True)
        return settings

    @property
    def done(self) -> set[tuple[str, str]]:
        """(arm, item key) of every row."""
        return {(row["arm"], row["item"]) for row in self.rows}

    def append(self, row: Row) -> None:
        """Adds a row; it is on the disk when this returns. Raises OutputError."""
        self.rows.append(row)
        try:
            with (self.path / ROWS).open("a", encoding="utf-8") as file:
                file.write(_line(row))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{self.path / ROWS} cannot be written ({error.strerror}); free some space") from error


def check_place(path: str | Path, *, force: bool = False) -> None:
    """Refuses early a folder that holds neither a run nor nothing. Raises OutputError."""
    folder = Path(path)
    ours = folder.is_dir() and ((folder / RUN).exists() or {p.name for p in folder.iterdir()} <= {"targets", "truth"})
    storage.check_folder(folder, force=force or ours)


def read_run(folder: str | Path) -> dict[str, Any]:
    """The settings of a run.

    Raises:
        OutputError: the folder holds no run.
    """
    path = Path(folder) / RUN
    try:
        run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return run if isinstance(run["arms"], list) else run["a list of arms"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputError(f"{path} is missing or no run of the benchmark; name the folder of one") from None


def read_rows(folder: str | Path) -> list[Row]:
    """All whole rows of a run; of two for the same arm and item the later. Empty where there are none."""
    path = Path(folder) / ROWS
    rows: dict[tuple[str, str], Row] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be read ({error}); restore it or use --force") from None
    for line in lines:
        try:
            row = json.loads(line)
            rows[row["arm"], row["item"]] = row
        except (ValueError, KeyError, TypeError):
            continue  # cut short by a kill, or empty
    return list(rows.values())


def in_order(rows: Sequence[Row], run: Mapping[str, Any]) -> list[Row]:
    """Rows by item, then arm, as the run lists them: the order of completion is chance."""
    items = {item["key"]: place for place, item in enumerate(run["items"])}
    arms = {arm["name"]: place for place, arm in enumerate(run["arms"])}
    known = [row for row in rows if row["item"] in items and row["arm"] in arms]
    return sorted(known, key=lambda row: (items[row["item"]], arms[row["arm"]]))


def _line(row: Row) -> str:
    return json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n"
