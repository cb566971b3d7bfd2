"""The project keeps its own promises: quick to import, no machine's paths, small files, a version that is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from menura.version import __version__

HEAVY = ("vita", "torch", "typer", "rich", "matplotlib", "scipy", "soundfile", "onnxruntime", "pyarrow", "ray")
FOLDERS = ("src", "tests", "docs", "examples", "benchmarks", "recipes", "typings", ".ci")
TEXTS = {".py", ".pyi", ".md", ".toml", ".yaml", ".yml", ".json", ".csv", ".css", ".js", ".html", ".cfg", ".txt", ""}
# Put together here, so that this file is not its own finding.
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:" + "|".join(("home", "root", "work", "tmp", "Users", "mnt")) + r")/\w")


def texts(repository: Path) -> list[Path]:
    found = [path for path in repository.iterdir() if path.is_file()]
    for folder in FOLDERS:
        found += [path for path in (repository / folder).rglob("*") if path.is_file()]
    return [path for path in found if path.suffix in TEXTS and "__pycache__" not in path.parts]


@pytest.mark.skipif(not os.environ.get("CI"), reason="a user's machine may go without the shared data; CI may not")
def test_continuous_integration_has_the_shared_data(shared_data_or_none: Path | None) -> None:
    assert shared_data_or_none, "CI runs without ../shared/data: half of the tests would be skipped unseen"
    assert (shared_data_or_none / "real" / "manifest.csv").is_file()
    assert (shared_data_or_none / "vital_dev.tar.xz").is_file()


def test_import_is_quick_and_light() -> None:
    code = (
        "import time, json, sys; start = time.perf_counter(); import menura\n"
        "print(json.dumps([time.perf_counter() - start, sorted(sys.modules)]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    seconds = []
    for _ in range(3):
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        taken, modules = json.loads(run.stdout)
        seconds.append(taken)
        assert not {name.partition(".")[0] for name in modules} & set(HEAVY)
    assert min(seconds) < 0.3


def test_every_public_name_is_there() -> None:
    import menura

    for name in menura.__all__:
        assert getattr(menura, name) is not None
    assert set(menura.__all__) <= set(dir(menura))
    with pytest.raises(AttributeError, match="has no attribute 'mach'"):
        _ = menura.mach


def test_no_machine_has_left_its_paths(repository: Path) -> None:
    found = [
        f"{path.relative_to(repository)}:{number}: {line.strip()[:100]}"
        for path in texts(repository)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert not found, "\n".join(found)


def test_files_stay_small_and_named_for_what_they_hold(repository: Path) -> None:
    for path in (repository / "src").rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 400, f"{path.name} has {lines} lines; split it by its nouns"
        assert not re.search(r"^(utils?|common|helpers?|misc)$|manager", path.stem, re.IGNORECASE), path.name


def test_the_version_is_told(repository: Path) -> None:
    assert f"## [{__version__}]" in (repository / "CHANGELOG.md").read_text(encoding="utf-8")


def test_decisions_are_numbered_once_and_dated(repository: Path) -> None:
    records = sorted((repository / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:3] for path in records]
    assert len(set(numbers)) == len(numbers), "two decision records share a number"
    for path in records[1:]:
        head = path.read_text(encoding="utf-8")[:1_000]
        assert re.match(rf"# {path.name[:3]}: \S", head), f"{path.name}: the title is '# {path.name[:3]}: ...'"
        assert re.search(r"\b20\d\d-\d\d-\d\d\b", head), f"{path.name} has no date"
