"""Builds the misbehaving plug-in, once for each way of misbehaving."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")
ABORTS, HANGS, EMPTY = 1, 2, 3
"""What it does when it is loaded."""


def built(folder: Path, name: str = "Misbehaving", on_load: int = 0) -> Path:
    """The library, in a folder; the test is skipped where it cannot be built, but never in CI."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if (compiler is None or not sys.platform.startswith("linux")) and not os.environ.get("CI"):
        pytest.skip("the misbehaving plug-in is built by gcc on Linux; there is none here")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.so"
    if not path.exists():
        options = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f"-DON_LOAD={on_load}"]
        subprocess.run([compiler or "gcc", *options, "-o", str(path), str(SOURCE), "-lm"], check=True)
    return path
