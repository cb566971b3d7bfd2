"""From the folder of a run to its table, numbers, plots and page. Owns the files; knows no arm and no metric."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from menura import storage
from menura.errors import WorkError
from menura.evaluation.results import in_order, read_rows, read_run
from menura.evaluation.table import markdown, summary
from menura.report.benchmark_page import leading_arm, render_benchmark
from menura.report.benchmark_plots import draw_plots
from menura.report.benchmark_sounds import ROOM_BYTES, gather_sounds
from menura.report.plot_style import Plot

TABLE, SUMMARY, PAGE, PLOTS = "table.md", "summary.json", "index.html", "plots"


Row = Mapping[str, Any]


def write_benchmark(folder: str | Path, *, room: int = ROOM_BYTES) -> list[Path]:
    """Writes ``table.md``, ``summary.json``, ``plots/`` and ``index.html`` of a run, finished or not.

    Files of an earlier call are replaced, each as a whole. Without matplotlib (``pip install 'menura[bench]'``) there
    are no plots, and the page says so.

    Args:
        folder: With ``run.json`` and ``rows.jsonl``.
        room: Bytes that sounds may take inside the page.

    Returns:
        The written files: the table first, the page last.

    Raises:
        OutputError: the folder holds no run, or cannot be written.
    """
    folder = Path(folder)
    run = read_run(folder)
    rows = in_order(read_rows(folder), run)
    numbers = summary(run, rows)
    written = [
        storage.write_text(folder / TABLE, markdown(run, numbers), force=True),
        storage.write_text(
            folder / SUMMARY, json.dumps(numbers, indent=1, allow_nan=False, ensure_ascii=False) + "\n", force=True
        ),
    ]
    notes: list[str] = []
    plots: list[Plot] = []
    try:
        plots = draw_plots(numbers, _scores(numbers, rows))
    except WorkError as error:
        notes.append(f"There are no plots: {error}.")
    for plot in plots:
        files = {f"{plot.name}.png": plot.light, f"{plot.name}.dark.png": plot.dark, f"{plot.name}.svg": plot.svg}
        written += storage.write_folder(folder / PLOTS, files, force=True)
    by_item: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_item.setdefault(str(row["item"]), {})[str(row["arm"])] = row
    heard = gather_sounds(folder, _worst_first(run, numbers, by_item), by_item, room=room)
    linked = sum(not found.inside for found in heard.values())
    if linked:
        notes.append(
            f"The sounds of {len(heard) - linked} targets, the worst, are inside this page; those of the other "
            f"{linked} are read from the files of the run: keep the page in its folder."
        )
    page = render_benchmark(run, by_item, numbers, heard, plots, notes)
    return [*written, storage.write_text(folder / PAGE, page, force=True)]


def _scores(numbers: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, list[float]]:
    """Arm to its values of the first metric on the undisturbed items."""
    found: dict[str, list[float]] = {}
    clean = any(row["condition"] == "clean" for row in rows)
    for row in rows:
        value = row.get("metrics", {}).get(numbers["main"][0]) if numbers["main"] else None
        if value is not None and (row["condition"] == "clean" or not clean):
            found.setdefault(str(row["arm"]), []).append(float(value))
    return found


def _worst_first(
    run: Mapping[str, Any], numbers: Mapping[str, Any], rows: Mapping[str, Mapping[str, Row]]
) -> list[Mapping[str, Any]]:
    """The items as the page lists them at first: by the first metric of the leading arm, failures before all."""
    arm = leading_arm(numbers)
    metric = next((m for m in numbers["metrics"] if m["name"] in numbers["main"][:1]), None)

    def cost(item: Mapping[str, Any]) -> float:
        row = rows.get(str(item["key"]), {}).get(arm, {})
        value = None if metric is None else row.get("metrics", {}).get(metric["name"])
        if value is None:
            return math.inf if "error" in row else -math.inf
        return -value if metric and metric["better"] == "higher" else abs(value)

    return sorted(run["items"], key=cost, reverse=True)
