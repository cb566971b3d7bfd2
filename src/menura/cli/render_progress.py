"""How a corpus looks while it is rendered: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from menura.cli import screen

if TYPE_CHECKING:
    from menura.datasets.plan import RenderPlan
    from menura.datasets.rendering import Progress

_EVERY = 10.0
"""Seconds between lines where there is no terminal."""


class RenderProgress:
    """Shows how far a corpus is, how fast it goes, and how long it still takes."""

    def __init__(self, plan: RenderPlan) -> None:
        self._plan = plan
        self._console = screen.errors()
        self._bar = Bar(
            BarColumn(bar_width=32), TextColumn("{task.description}"), console=self._console, transient=True
        )
        self._task = self._bar.add_task("starting", total=plan.count)
        self._began: float | None = None
        self._first = 0
        self._told = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Takes notice of a step."""
        now = time.monotonic()
        if self._began is None and progress.rendered:  # from the first item on: engines start before it
            self._began, self._first = now, progress.rendered
        line = self._line(progress, now)
        self._bar.update(self._task, completed=progress.items, description=line)
        if not self._console.is_terminal and now - self._told > _EVERY:
            self._told = now
            screen.note(line)

    def _line(self, progress: Progress, now: float) -> str:
        notes, plan = len(self._plan.notes), self._plan
        done = f"{progress.items:,} of {plan.count:,} presets, {progress.shards:,} of {plan.shards:,} shards"
        items = progress.rendered - self._first
        if self._began is None or items < 1 or now <= self._began:
            return done
        rate = items / (now - self._began)
        return f"{done}, {rate * notes:.1f} renders/s, {_words((plan.count - progress.items) / rate)} left"


def _words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"
