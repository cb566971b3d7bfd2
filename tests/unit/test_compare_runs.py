"""Two runs of one set: another seed agrees, another method does not, another set is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from fake_runs import fake_rows, fake_run, write_fake_run


def compare(repository: Path, *folders: Path) -> subprocess.CompletedProcess[str]:
    script = str(repository / "benchmarks" / "compare_runs.py")
    return subprocess.run(
        [sys.executable, script, *map(str, folders)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(repository / "src")},
    )


def written(folder: Path, run: dict[str, Any], seed: int, shift: float = 0.0) -> Path:
    rows = fake_rows(run, seed)
    for row in rows:
        if "metrics" in row:
            row["metrics"]["mss"] += shift
    return write_fake_run(folder, run, rows, sounds=False)


def test_another_seed_agrees_and_another_method_does_not(repository: Path, tmp_path: Path) -> None:
    run = fake_run(24, conditions=())
    run["arms"] = [arm for arm in run["arms"] if arm["name"] == "full"]
    first, other = written(tmp_path / "a", run, 0), written(tmp_path / "c", run, 0, shift=2.0)
    same = json.loads(compare(repository, first, first).stdout)
    assert same["agree"]
    assert {row["difference"] for row in same["rows"]} == {0.0}
    done = compare(repository, first, other)
    found = {row["metric"]: row for row in json.loads(done.stdout)["rows"]}
    assert done.returncode == 1
    assert not found["mss"]["agree"]
    assert abs(found["mss"]["difference"] - 2.0) < 1e-9
    assert found["wmfcc"]["agree"]
    assert "NOT full" in done.stderr


def test_runs_of_other_sets_are_refused(repository: Path, tmp_path: Path) -> None:
    run = fake_run(3, conditions=())
    first = written(tmp_path / "a", run, 0)
    for item in run["items"]:
        item["key"] = item["id"] = f"other/{item['id']}"
    done = compare(repository, first, written(tmp_path / "b", run, 0))
    assert done.returncode == 2
    assert "share no arm and target" in done.stderr
