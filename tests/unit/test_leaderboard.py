"""The leaderboard takes finished runs alone, adds rows once, and never changes one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fake_runs import fake_rows, fake_run, write_fake_run


def add(repository: Path, board: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repository / "benchmarks" / "leaderboard.py"), str(folder), "--board", str(board)]
    # The package is found as this test finds it, installed or not.
    return subprocess.run(
        [*command, *more], capture_output=True, text=True, check=False, env={"PYTHONPATH": str(repository / "src")}
    )


@pytest.fixture
def board(repository: Path, tmp_path: Path) -> Path:
    path = tmp_path / "LEADERBOARD.md"
    lines = (repository / "benchmarks" / "LEADERBOARD.md").read_text(encoding="utf-8").splitlines()
    # Down to the table's rule: its rows grow with every run.
    rule = next(index for index, line in enumerate(lines) if line.startswith("| ---"))
    path.write_text("\n".join(lines[: rule + 1]), encoding="utf-8")
    return path


def test_rows_are_added_once(repository: Path, board: Path, tmp_path: Path) -> None:
    run = fake_run(6, conditions=())
    folder = write_fake_run(tmp_path / "run", run, fake_rows(run), sounds=False)
    before = board.read_text(encoding="utf-8")
    done = add(repository, board, folder, "--date", "2026-11-21")
    assert json.loads(done.stdout)["added"] == 5, done.stderr
    text = board.read_text(encoding="utf-8")
    assert text.startswith(before)
    lines = [line for line in text.splitlines() if line.startswith("| 2026-11-21 |")]
    assert [line.split("|")[4].strip() for line in lines] == [arm["name"] for arm in run["arms"]]
    head = next(line for line in text.splitlines() if line.startswith("| Date |"))
    assert {line.count("|") for line in lines} == {head.count("|")}
    assert "| abc1234+ | `menura bench run --set made-up` |" in lines[0]
    assert "†" in lines[0]
    assert json.loads(add(repository, board, folder, "--date", "2026-11-21").stdout)["added"] == 0
    assert board.read_text(encoding="utf-8") == text


def test_an_unfinished_run_is_refused(repository: Path, board: Path, tmp_path: Path) -> None:
    run = fake_run(6, conditions=())
    folder = write_fake_run(tmp_path / "run", run, fake_rows(run)[:-1], sounds=False)
    done = add(repository, board, folder)
    assert done.returncode == 2
    assert "is not finished (29 of 30 rows)" in done.stderr
