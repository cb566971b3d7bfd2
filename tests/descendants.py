"""Processes that a process has started, and theirs, so that a test can end them as a full memory would."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path


def descendants(root: int, word: str) -> list[int]:
    """Process numbers below `root` whose command line holds a word."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    return [number for number in _below(root, children) if word in _command(number)]


def kill_one(word: str) -> bool:
    """Ends one of this process' own descendants with SIGKILL; False where there is none."""
    for number in descendants(os.getpid(), word):
        os.kill(number, signal.SIGKILL)
        return True
    return False


def _below(root: int, children: dict[int, list[int]]) -> Iterator[int]:
    for child in children.get(root, []):
        yield child
        yield from _below(child, children)


def _command(number: int) -> str:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
