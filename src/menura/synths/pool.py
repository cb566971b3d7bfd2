"""Many renders at once: worker processes, deadlines, and crashes that cost one result.

Owns batches and the order of results; `pool_feeder` owns the thread beside a worker, `pool_process` its process,
`pool_worker` what it does, a synth's own player the hygiene of its engine. Knows no targets and no models.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Literal, Self

from menura.audio import Audio
from menura.errors import InputError, MenuraError
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool_feeder import Batch, Feeder, Rendered, Task
from menura.synths.pool_process import Worker
from menura.synths.registry import SYNTHS

Mode = Literal["exact", "fast"]
Measure = Callable[[Audio], object]


class RenderPool:
    """Workers that render presets; use it in a ``with`` statement.

        with RenderPool("vital", mode="fast") as pool:
            results = pool.render_many([(preset, Note(48)), (other, Note(48))])

    Results come in the order of the requests and do not depend on the number of workers. A preset that
    crashes the engine, hangs or gives no finite sound costs one failed result.
    """

    def __init__(
        self,
        synth_name: str = "vital",
        workers: int | None = None,
        mode: Mode = "exact",
        *,
        timeout: float = 20.0,
        sample_rate: int = 44_100,
    ) -> None:
        """Starts nothing yet: workers start with the first request.

        Args:
            synth_name: as in the registry.
            workers: processes; None takes one for each core that this process may use.
            mode: "exact" renders as a fresh engine does; "fast" uses engines again where that
                changes nothing, for search.
            timeout: seconds that one render may take.
            sample_rate: Hz of every sound.

        Raises:
            InputError: an argument is out of range, or the synth is unknown.
        """
        if workers is not None and workers < 1:
            raise InputError(f"a pool of {workers} workers; give 1 or more, or None for one a core")
        if mode not in ("exact", "fast"):
            raise InputError(f"render mode is {mode!r}; give 'exact' or 'fast'")
        if not timeout > 0 or not 8_000 <= sample_rate <= 192_000:
            raise InputError(f"timeout {timeout} s and {sample_rate} Hz; give above 0 s, and 8000 to 192000 Hz")
        if synth_name not in SYNTHS:
            SYNTHS.get(synth_name)
        self.synth_name = synth_name
        self.mode: Mode = mode
        self.timeout = timeout
        self.sample_rate = sample_rate
        self.workers = workers or cores()
        self.engine_seconds = 0.0
        """Seconds inside engines so far, all workers together."""
        self.renders = 0
        """Requests answered so far, failed ones included."""
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._running: list[Worker] = []
        self._closed = False

    def render_many(self, items: Iterable[tuple[Preset, Note]], *, measure: Measure | None = None) -> list[Rendered]:
        """Renders all and answers in their order.

        Args:
            items: presets and notes.
            measure: applied to each sound in the worker; its answer is sent in place of the sound. It must
                be picklable, so no lambda and nothing of ``__main__``.

        Raises:
            EngineError: no worker could be started.
            InputError: the measure cannot be sent, or the pool is closed.
        """
        requests = list(items)
        results: list[Rendered | None] = [None] * len(requests)
        for index, rendered in self._results(requests, measure, together=True):
            results[index] = rendered
        return [rendered for rendered in results if rendered is not None]

    def stream(
        self, items: Iterable[tuple[Preset, Note]], *, measure: Measure | None = None
    ) -> Iterator[tuple[int, Rendered]]:
        """Yields (index, result) as they finish; leaving early drops what has not begun.

        Raises:
            EngineError: no worker could be started.
            InputError: the measure cannot be sent, or the pool is closed.
        """
        yield from self._results(list(items), measure, together=False)

    def _results(
        self, requests: Sequence[tuple[Preset, Note]], measure: Measure | None, *, together: bool
    ) -> Iterator[tuple[int, Rendered]]:
        if self._closed:
            raise InputError("the render pool is closed; make a new one")
        batch = Batch(len(requests), _pickled(measure))
        self._start(len(requests))
        for index, (preset, note) in enumerate(requests):
            self._tasks.put(Task(batch, index, preset, note))
        try:
            if together and requests:
                batch.complete.wait()
            for _ in requests:
                found = batch.results.get()
                if isinstance(found, MenuraError):
                    raise found
                self.engine_seconds += found[1].engine_seconds
                self.renders += 1
                yield found
        finally:
            batch.cancelled = True

    def processes(self) -> list[int]:
        """Process numbers of the workers that run now."""
        return [pid for worker in self._running if (pid := worker.pid)]

    def close(self) -> None:
        """Ends all workers; a render in progress is lost. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._tasks.put(None)
        for worker in list(self._running):
            worker.stop()
        for thread in self._threads:
            thread.join(timeout=10.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self, suppress: type[contextlib.suppress] = contextlib.suppress) -> None:
        # Bound as a default: the interpreter may have cleared this module's names when it ends.
        with suppress(Exception):
            self.close()

    def _start(self, requests: int) -> None:
        """Starts as many workers as there is work for, up to the pool's number."""
        while len(self._threads) < min(self.workers, requests):
            worker = Worker(self.synth_name, self.mode, self.sample_rate, self.timeout)
            self._running.append(worker)
            feeder = Feeder(self._tasks, worker, self.sample_rate, self.workers)
            thread = threading.Thread(target=feeder.run, daemon=True, name="menura-render")
            self._threads.append(thread)
            thread.start()


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


def _pickled(measure: Measure | None) -> bytes | None:
    if measure is None:
        return None
    if getattr(measure, "__module__", None) == "__main__":
        raise InputError("the measure is defined in __main__, where workers cannot find it; put it into a module")
    try:
        return pickle.dumps(measure)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(f"the measure cannot be sent to workers ({error}); give a function of a module") from error
