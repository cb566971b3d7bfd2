"""From the folder of a run to its table, numbers, plots and page. Owns the files; knows no arm and no metric."""

from __future__ import annotations

import json
from pathlib import Path

from menura import storage
from menura.evaluation.results import read_rows, read_run
from menura.evaluation.table import markdown, summary

TABLE, SUMMARY, PAGE, PLOTS = "table.md", "summary.json", "index.html", "plots"


def write_benchmark(folder: str | Path) -> list[Path]:
    """Writes ``table.md``, ``summary.json``, ``plots/`` and ``index.html`` of a run, finished or not.

    Files of an earlier call are replaced, each as a whole. Without matplotlib (``pip install 'menura[bench]'``) there
    are no plots, and the page says so.

    Args:
        folder: With ``run.json`` and ``rows.jsonl``.

    Returns:
        The written files: the table first, the page last.

    Raises:
        OutputError: the folder holds no run, or cannot be written.
    """
    folder = Path(folder)
    run, rows = read_run(folder), read_rows(folder)
    numbers = summary(run, rows)
    written = [
        storage.write_text(folder / TABLE, markdown(run, numbers), force=True),
        storage.write_text(
            folder / SUMMARY, json.dumps(numbers, indent=1, allow_nan=False, ensure_ascii=False) + "\n", force=True
        ),
    ]
    return written
