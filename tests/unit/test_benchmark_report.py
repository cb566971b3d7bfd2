"""The files that are made of a run: whole, the same twice, and made whatever is missing."""

from __future__ import annotations

import json
import re
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from fake_runs import fake_rows, fake_run, write_fake_run
from menura.errors import WorkError
from menura.evaluation.table import summary
from menura.report.benchmark import write_benchmark
from menura.report.benchmark_plots import draw_plots
from menura.report.benchmark_sounds import HIGHEST_GAIN_DB, gather_sounds


@pytest.fixture
def run() -> dict[str, Any]:
    return fake_run(4, conditions=())


@pytest.fixture
def folder(tmp_path: Path, run: dict[str, Any]) -> Path:
    return write_fake_run(tmp_path / "run", run, fake_rows(run))


def data_of(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_every_file_is_written_and_the_same_twice(folder: Path) -> None:
    written = write_benchmark(folder)
    names = [path.relative_to(folder).as_posix() for path in written]
    assert names[:2] == ["table.md", "summary.json"]
    assert names[-1] == "index.html"
    assert {"plots/scores.png", "plots/scores.dark.png", "plots/scores.svg"} <= set(names)
    before = {path: path.read_bytes() for path in written}
    assert write_benchmark(folder) == written
    assert {path: path.read_bytes() for path in written} == before
    assert not list(folder.rglob(".menura-*"))  # nothing half written is left


def test_plots_are_pictures_for_light_and_dark() -> None:
    run = fake_run(6)
    rows = fake_rows(run)
    scores = {"full": [row["metrics"]["mss"] for row in rows if row["arm"] == "full"]}
    plots = draw_plots(summary(run, rows), scores)
    assert [plot.name for plot in plots] == ["scores", "cost-renders", "cost-seconds", "categories", "robustness"]
    for plot in plots:
        for picture in (plot.light, plot.dark):
            assert picture.startswith(b"\x89PNG")
            width, height = struct.unpack(">II", picture[16:24])
            assert 300 < width < 2500
            assert 100 < height < 2500
        assert plot.light != plot.dark
        assert b"<svg" in plot.svg
        assert plot.words


def test_a_run_without_rows_has_no_plots() -> None:
    run = fake_run(2)
    assert draw_plots(summary(run, []), {}) == []


def test_without_matplotlib_all_else_is_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(WorkError, match=r"pip install 'menura\[bench\]'"):
        draw_plots(summary(fake_run(2), []), {})
    written = write_benchmark(folder)
    assert [path.name for path in written] == ["table.md", "summary.json", "index.html"]
    page = written[-1].read_text(encoding="utf-8")
    assert "There are no plots: the plots need matplotlib" in page
    assert '<img src="data:image/png' not in page


def test_a_missing_sound_leaves_the_rest_of_its_row(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    gone = next(row for row in rows if row["arm"] == "full")
    (folder / gone["files"]["sound"]).unlink()
    (folder / "targets" / "1.wav").write_bytes(b"no sound")
    items = {item["key"]: item for item in data_of(write_benchmark(folder)[-1])["items"]}
    assert items[gone["item"]]["rows"]["full"]["sound"] is None
    assert items[gone["item"]]["rows"]["full"]["metrics"] == gone["metrics"]
    assert items[gone["item"]]["rows"]["resynthesis"]["sound"]["id"]
    assert [item["target"] is None for key, item in items.items() if "sound 1" in key] == [True]


def test_the_worst_come_first_and_failures_before_them(folder: Path, run: dict[str, Any]) -> None:
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row["arm"] == "full" and "sound 2" in row["item"]:
            row.pop("metrics")
            row["error"] = "it broke"
    write_fake_run(folder, run, rows, sounds=False)
    items = data_of(write_benchmark(folder)[-1])["items"]
    costs = [item["rows"]["full"].get("metrics", {"mss": 1e9})["mss"] for item in items]
    assert costs[0] == 1e9
    assert costs == sorted(costs, reverse=True)


def test_sounds_find_room_in_the_page_worst_first(folder: Path, run: dict[str, Any]) -> None:
    rows: dict[str, dict[str, Any]] = {}
    for row in fake_rows(run):
        rows.setdefault(row["item"], {})[row["arm"]] = row
    whole = gather_sounds(folder, run["items"], rows)
    sizes = [
        sum(len(sound.inside) for sound in (heard.target, *heard.answers.values()) if sound) for heard in whole.values()
    ]
    assert all(heard.inside for heard in whole.values())
    half = list(gather_sounds(folder, run["items"], rows, room=sizes[0] + sizes[1]).values())
    assert [heard.inside for heard in half] == [True, True, False, False]
    assert all(sound.link for heard in half[2:] for sound in heard.answers.values())


def test_answers_are_brought_to_the_targets_loudness(folder: Path, run: dict[str, Any]) -> None:
    rows: dict[str, dict[str, Any]] = {}
    for row in fake_rows(run):
        rows.setdefault(row["item"], {})[row["arm"]] = row
    gains = [
        sound.gain_db
        for heard in gather_sounds(folder, run["items"], rows).values()
        for sound in heard.answers.values()
    ]
    # The targets peak at 0.3, the answers at 0.05.
    assert gains == pytest.approx([15.56] * len(gains), abs=0.1)
    assert max(gains) <= HIGHEST_GAIN_DB


def test_targets_elsewhere_on_the_machine_do_not_leave_their_path(tmp_path: Path, run: dict[str, Any]) -> None:
    for item in run["items"]:
        item["target"] = str(tmp_path / "elsewhere" / Path(item["target"]).name)
    folder = write_fake_run(tmp_path / "run", run, fake_rows(run))
    page = write_benchmark(folder)[-1].read_text(encoding="utf-8")
    assert "elsewhere" not in page
    assert all(item["target"]["id"] for item in data_of(folder / "index.html")["items"])
