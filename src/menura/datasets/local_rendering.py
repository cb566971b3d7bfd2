"""Shards rendered by processes of this machine. Owns the processes and what they say; knows no row.

Each process draws, renders and writes whole shards by itself, so that nothing but progress crosses between processes
and no core waits for another.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import subprocess
import threading
from collections.abc import Generator
from typing import Any, BinaryIO, cast

from menura.datasets.plan import RenderPlan
from menura.datasets.shards import ShardFacts
from menura.datasets.studio import Partly, render_shard
from menura.errors import MenuraError, WorkError
from menura.synths import child
from menura.synths.child import receive, send
from menura.synths.pool import cores

_TRIES = 3
"""Processes that a shard may cost before it is blamed."""
_CODE = "from menura.datasets.local_rendering import main; main()"

Step = Partly | ShardFacts
Steps = queue.SimpleQueue[Step | MenuraError]


def render_here(plan: RenderPlan, out: str, numbers: list[int], workers: int | None = None) -> Generator[Step]:
    """Renders shards; yields progress and what became of each, in the order in which they finish.

    A process that dies is replaced, and its shard is begun anew.

    Args:
        plan: of the corpus.
        out: where it lies.
        numbers: of the shards.
        workers: processes; None takes one for each core that this process may use.

    Raises:
        WorkError: a shard ended three processes, or a process failed.
        MenuraError: as `studio.render_shard`.
    """
    tasks: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    for number in numbers:
        tasks.put(number)
    steps: Steps = queue.SimpleQueue()
    hands = [_Hand(plan, out, tasks, steps) for _ in range(min(workers or cores(), len(numbers)))]
    try:
        left = len(numbers)
        while left:
            step = steps.get()
            if isinstance(step, MenuraError):
                raise step
            left -= isinstance(step, ShardFacts)
            yield step
    finally:
        for hand in hands:
            tasks.put(None)
            hand.stop()


class _Hand:
    """A process, and the thread that feeds it."""

    def __init__(self, plan: RenderPlan, out: str, tasks: queue.SimpleQueue[int | None], steps: Steps) -> None:
        self._hello = pickle.dumps((plan, out))
        self._tasks, self._steps = tasks, steps
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._serve, daemon=True, name="menura-shards")
        self._thread.start()

    def stop(self) -> None:
        """Ends the process at once; what it was writing is lost, and nothing else."""
        with self._lock:
            self._stopped = True
            if self._process:
                child.kill(self._process)
        self._thread.join(timeout=10.0)

    def _serve(self) -> None:
        try:
            while (number := self._tasks.get()) is not None and not self._stopped:
                if not any(self._render(number) for _ in range(_TRIES)) and not self._stopped:
                    raise WorkError(
                        f"shard {number} ended {_TRIES} processes; is there enough memory? use fewer workers"
                    )
        except MenuraError as error:
            self._steps.put(error)
        except Exception as error:  # noqa: BLE001 - a thread that died in silence would leave the caller waiting
            self._steps.put(WorkError(f"shards could not be passed on: {type(error).__name__}: {error}"))
        finally:
            self._end()

    def _render(self, number: int) -> bool:
        """False where the process died. Raises what it raised."""
        process = self._started()
        try:
            send(cast(BinaryIO, process.stdin), pickle.dumps(number))
            while message := receive(cast(BinaryIO, process.stdout)):
                found: Any = pickle.loads(message)
                if isinstance(found, MenuraError):
                    raise found
                self._steps.put(found)
                if isinstance(found, ShardFacts):
                    return True
        except OSError:
            pass  # it died while it was told
        self._end()
        return self._stopped

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return self._process
        self._end()
        with self._lock:
            if self._stopped:
                raise WorkError("rendering was stopped")
            self._process = process = child.spawn(_CODE)
        with contextlib.suppress(OSError):
            send(cast(BinaryIO, process.stdin), self._hello)
        return process

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            child.end(process)


def main() -> None:
    """The life of such a process: shards by their numbers until standard input ends."""
    requests, answers = child.streams()
    first = receive(requests)
    if first is None:
        return
    plan, out = pickle.loads(first)
    while (request := receive(requests)) is not None:
        number: int = pickle.loads(request)

        def tell(items: int, number: int = number) -> None:
            send(answers, pickle.dumps(Partly(number, items)))

        try:
            answer: object = render_shard(plan, out, number, tell)
        except BrokenPipeError:
            return  # whoever asked is gone
        except MenuraError as error:
            answer = error
        except Exception as error:  # noqa: BLE001 - told by name to whoever asked
            answer = WorkError(f"shard {number} failed: {type(error).__name__}: {error}")
        send(answers, pickle.dumps(answer))
