"""How a match looks while it runs: a live bar and the latest finds on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from menura.cli import screen
from menura.events import Event, Finished, Improved, Proposed, Started, Warned

if TYPE_CHECKING:
    from menura.matching.budget import Budget
    from menura.matching.target import Target

_SHOWN = 6
"""Latest finds that stay on the screen."""


class Progress:
    """Follows the events of a match and shows them on stderr."""

    def __init__(self, budget: Budget, target: Target, *, quiet: bool = False) -> None:
        """`quiet` shows warnings alone."""
        self._console = screen.errors()
        self._live: Live | None = None
        self._quiet = quiet
        self._budget = budget
        self._began = time.monotonic()
        self._finds: list[Text] = []
        self._kept_back: int | None = None
        self._target = target
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            TextColumn("{task.completed:.0f}/{task.total:.0f} renders"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[best]}"),
            console=self._console,
        )
        self._task = self._bar.add_task("listening", total=budget.renders, best="")

    def __enter__(self) -> Self:
        if not self._quiet:
            self._say(_heard(self._target))
            if self._console.is_terminal:
                self._live = Live(self._picture(), console=self._console, refresh_per_second=8, transient=True)
                self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def follow(self, stream: Iterator[Event]) -> Finished | None:
        """Shows every event; answers with the last one."""
        finished: Finished | None = None
        for event in stream:
            match event:
                case Warned():
                    self._say(f"warning: {event.message}")
                case Started():
                    self._started(event)
                case Improved():
                    self._improved(event)
                case Finished():
                    finished = event
                    self._bar.update(self._task, completed=event.renders)
                case Proposed() if not self._live and not self._quiet:
                    self._say(f"  {event.stage} proposes {event.count}")
                case _:
                    pass
            if self._live:
                self._live.update(self._picture())
        return finished

    def _started(self, event: Started) -> None:
        spent = self._budget.renders - event.renders_left
        if self._kept_back is None:  # nothing is spent yet: what is missing waits for the last stage
            self._kept_back = spent
        done = max(self._bar.tasks[0].completed, spent - self._kept_back)
        self._bar.update(self._task, description=event.stage, completed=done)

    def _improved(self, event: Improved) -> None:
        best = f"nearest so far {event.distance:.2f}"
        self._bar.update(self._task, completed=max(event.renders, self._bar.tasks[0].completed), best=best)
        passed = time.monotonic() - self._began
        lineage = " > ".join(getattr(event.candidate, "lineage", ()) or (event.stage,))
        line = f"  {passed:5.1f} s  {event.renders:4d} renders  distance {event.distance:6.2f}  {lineage}"
        self._finds = [*self._finds[-_SHOWN + 1 :], Text(line)]
        if not self._live and not self._quiet and math.isfinite(event.distance):
            self._say(line)

    def _picture(self) -> Group:
        return Group(*self._finds, self._bar)

    def _say(self, line: str) -> None:
        if self._live:
            self._live.console.print(Text(line))
        else:
            screen.note(line)


def _heard(target: Target) -> str:
    words, note = target.words, target.note
    if words is not None and words.alone:
        return f"{words.text!r} at {note.name}, answered by {words.answered_by}"
    estimate = target.estimate
    key = f"{note.name} (MIDI {note.pitch:.2f})" if estimate.pitched else "no pitch"
    kind = "sustaining" if estimate.sustaining else "decaying"
    return f"{target.name or 'sound'}: {key}, {kind}, {target.sound.seconds:.2f} s, held {note.hold:.2f} s"
