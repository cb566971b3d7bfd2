"""The thread beside one worker of `pool.RenderPool`: takes tasks, has them rendered, files the results.

Owns how many tasks are with a worker at once. Knows no processes and no order of results.
"""

from __future__ import annotations

import pickle
import queue
import threading
from dataclasses import dataclass
from typing import Any

from menura.audio import Audio
from menura.errors import MenuraError, WorkError
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool_answer import Answer
from menura.synths.pool_process import Worker

_SHORT = 0.01
"""Seconds in the engine below which a worker has its next task before it has answered: what it would wait for one is a
tenth of a render of 2 ms and nothing beside a long one, with which the last worker would end later than the others."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of one request."""

    audio: Audio | None
    """The sound; None where it failed, or where a measure was taken in its stead."""
    error: str | None = None
    """Why there is no sound; None where all went well."""
    engine_seconds: float = 0.0
    """Seconds spent inside the engine, loading and playing."""
    measured: Any = None
    """What the `measure` of the request answered."""

    @property
    def ok(self) -> bool:
        """True where the render succeeded."""
        return self.error is None


class Batch:
    """The requests of one call, and where their results go."""

    def __init__(self, count: int, measure: bytes | None) -> None:
        """No results yet.

        Args:
            count: of its requests.
            measure: pickled.
        """
        self.measure = measure
        self.results: queue.SimpleQueue[tuple[int, Rendered] | MenuraError] = queue.SimpleQueue()
        self.complete = threading.Event()
        """All results are there, or an error; who has no use for single ones is woken once by it."""
        self.cancelled = False
        self._count = count

    def file(self, found: tuple[int, Rendered] | MenuraError) -> None:
        """Takes one of the results, from any thread."""
        self.results.put(found)
        if isinstance(found, MenuraError) or self.results.qsize() >= self._count:
            self.complete.set()


@dataclass(frozen=True, slots=True)
class Task:
    """One request of a batch."""

    batch: Batch
    index: int
    preset: Preset
    note: Note


class Feeder:
    """Feeds one worker from a queue that all feeders of a pool share, until it finds None there."""

    def __init__(self, tasks: queue.SimpleQueue[Task | None], worker: Worker, sample_rate: int, feeders: int) -> None:
        """Takes nothing yet.

        Args:
            tasks: the queue.
            worker: its own.
            sample_rate: Hz of the worker's sounds.
            feeders: how many share the queue.
        """
        self._tasks, self._worker = tasks, worker
        self._sample_rate, self._feeders = sample_rate, feeders
        self._waiting: list[Task] = []
        self._requests: list[bytes] = []
        """Of the tasks that wait."""
        self._short = False
        self._closed = False

    def run(self) -> None:
        """The whole life of the thread."""
        try:
            while self._take():
                self._answer()
        finally:
            self._worker.end()

    def _take(self) -> bool:
        """Takes as many tasks as the worker should have; False where there will be none."""
        while not self._waiting or (self._short and len(self._waiting) < 2 and self._tasks.qsize() > self._feeders):
            try:
                task = None if self._closed else self._tasks.get(block=not self._waiting)
            except queue.Empty:
                break  # another feeder was quicker
            if task is None:
                self._closed = True
                break
            if task.batch.cancelled:
                continue
            try:
                self._requests.append(pickle.dumps((task.preset, task.note, task.batch.measure), protocol=5))
                self._waiting.append(task)
            except Exception as error:  # noqa: BLE001 - a preset may hold anything
                task.batch.file(_unpassable(error))
        return bool(self._waiting)

    def _answer(self) -> None:
        """Files the result of the first task that waits."""
        try:
            answer = self._worker.ask(self._requests)
            self._short = answer.seconds < _SHORT
            found: tuple[int, Rendered] | MenuraError = (self._waiting[0].index, self._rendered(answer))
        except MenuraError as error:
            found = error
        except Exception as error:  # noqa: BLE001 - a thread that died in silence would leave the caller waiting
            self._worker.end()
            found = _unpassable(error)
        self._requests.pop(0)
        self._waiting.pop(0).batch.file(found)

    def _rendered(self, answer: Answer) -> Rendered:
        audio = None if answer.sound is None else Audio.holding(answer.sound, self._sample_rate)
        return Rendered(audio, answer.error, answer.seconds, answer.measured)


def _unpassable(error: Exception) -> WorkError:
    return WorkError(f"a render could not be passed on: {type(error).__name__}: {error}")
