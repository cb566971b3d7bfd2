"""Runs every arm on every item, in processes side by side, and keeps each row as it comes.

Owns the order and the accidents; knows no particular arm, no metric and no set.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack

from menura.datasets.item import Item
from menura.errors import InputError
from menura.evaluation import worker
from menura.evaluation.arm import Arm
from menura.evaluation.progress import Progress
from menura.evaluation.results import Row, RunFolder
from menura.evaluation.worker import RunSettings
from menura.synths.pool import cores

Job = tuple[Arm, Item]


def run_rows(
    folder: RunFolder,
    arms: Sequence[Arm],
    items: Sequence[Item],
    settings: RunSettings,
    *,
    workers: int | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> None:
    """Does every row that the folder lacks.

    The result of a row depends on its arm, item and the settings alone, where no ceiling of seconds stops it: the
    number of workers, the order and interruptions change nothing.

    Args:
        folder: Where rows go; begun.
        arms: What answers.
        items: What is answered; all arms of an item are done before those of the next.
        settings: Of all rows.
        workers: Processes; None is one a core, 0 works within this process.
        tell: Takes one line for each row.

    Raises:
        InputError: fewer than 0 workers, or an arm that cannot be sent to another process.
        OutputError: a row cannot be kept.
    """
    if workers is not None and workers < 0:
        raise InputError(f"{workers} workers; give 1 or more, 0 to work in this process, or nothing for one a core")
    if workers != 0:
        _check_sendable(arms)
    done = folder.done
    jobs = [(arm, item) for item in items for arm in arms if (arm.name, item.key) not in done]
    count = min(cores() if workers is None else workers, len(jobs))
    progress = Progress(len(jobs), len(done), max(1, count))
    for row in _here(jobs, settings) if count == 0 else _beside(jobs, settings, count):
        folder.append(row)
        tell(progress.line(row))


def _check_sendable(arms: Sequence[Arm]) -> None:
    for arm in arms:
        try:
            pickle.dumps(arm)
        except Exception as error:
            raise InputError(
                f"the arm {arm.name!r} cannot be sent to another process ({error}); define it in a module, "
                "or work in this process with workers=0"
            ) from error


def _here(jobs: Iterable[Job], settings: RunSettings) -> Iterator[Row]:
    with worker.Worker(settings) as one:
        for arm, item in jobs:
            yield one.row(arm, item)


def _beside(jobs: Sequence[Job], settings: RunSettings, count: int) -> Iterator[Row]:
    """Rows in the order of completion. A row that takes its process down costs itself alone."""
    waiting, suspects = deque(jobs), deque[Job]()
    while waiting or suspects:
        # After a crash nobody knows whose it was: those at work are done again one by one.
        alone = bool(suspects)
        source = suspects if alone else waiting
        with ExitStack() as stack:
            executor = stack.enter_context(_executor(settings, 1 if alone else count))
            stack.callback(_end, executor)
            running: dict[Future[Row], Job] = {}
            try:
                while source or running:
                    while source and len(running) < (1 if alone else count + 1):
                        # A pool that another job has broken meanwhile takes none: this one then stays in its place.
                        running[executor.submit(worker.work, *source[0])] = source[0]
                        source.popleft()
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        row = future.result()
                        del running[future]
                        yield row
            except BrokenProcessPool:
                if alone:
                    for job in running.values():
                        yield _crashed(*job)
                else:
                    suspects.extend(running.values())


def _executor(settings: RunSettings, count: int) -> ProcessPoolExecutor:
    # Spawned, not forked: engines and threads of the caller must not be copied.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, context, worker.start, (settings, os.getpid()))


def _end(executor: ProcessPoolExecutor) -> None:
    """Ends the processes at once: whoever stops a run shall not wait for the rows at work."""
    processes = list((executor._processes or {}).values())  # Python has a public way from 3.14 on
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def _crashed(arm: Arm, item: Item) -> Row:
    error = "the process died while it worked on this row (a crash, or out of memory); the run went on"
    return {
        "arm": arm.name, "item": item.key, "id": item.id, "condition": item.condition, "category": item.category,
        "source": item.source, "seconds": 0.0, "error": error,
    }  # fmt: skip
