"""How far a run is and how long it will take. Knows no engine."""

from __future__ import annotations

import time
from collections.abc import Callable

from menura.evaluation.results import Row


class Progress:
    """Counts rows and writes a line for each.

    Args:
        jobs: Rows that are to be done.
        done: Rows that were there before.
        workers: Rows at work at the same time.
    """

    def __init__(self, jobs: int, done: int, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._done, self._left, self._workers = jobs + done, done, jobs, workers
        self._clock, self._began, self._finished = clock, clock(), 0

    def line(self, row: Row) -> str:
        """Counts a row; one line on it, with the time left."""
        self._done, self._left, self._finished = self._done + 1, self._left - 1, self._finished + 1
        left = (self._clock() - self._began) / self._finished * self._left
        head = f"[{self._done:>{len(str(self._total))}}/{self._total}] {row['arm']:12}"
        if "error" in row:
            said = f"FAILED: {row['error']}"
        elif "skipped" in row:
            said = f"not applicable: {row['skipped']}"
        else:
            mss = row["metrics"].get("mss")
            said = f"{'' if mss is None else f'MSS {mss:5.2f}  '}{row['renders']} renders"
        ahead = f"  ({_duration(left)} left)" if self._left else ""
        return f"{head} {said}  {row['seconds']:.1f} s  {row['item']}{ahead}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
