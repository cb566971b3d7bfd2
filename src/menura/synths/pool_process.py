"""One worker process of `pool.RenderPool`, as its caller sees it: started, asked, killed when late, started again.

Owns processes and their pipes; knows no batches and no order of results.
"""

from __future__ import annotations

import contextlib
import pickle
import select
import subprocess
import sys
import threading
from typing import Any, BinaryIO, Self, cast

from menura.errors import EngineError, MenuraError, WorkError
from menura.synths import child
from menura.synths.child import receive, send

if sys.platform == "linux":
    import fcntl

_START_SECONDS = 120.0
_PIPE_BYTES = 1 << 20
"""As much as Linux gives to everyone."""
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 28)}
"""Lets glibc keep the memory of sounds for the next ones: asking the system for it each time cost as much as a fifth
of a short render. Elsewhere it means nothing."""
_WORKER = "from menura.synths.pool_worker import main; main()"

Answer = tuple[Any, Any, str | None, float]
"""What a worker sends: sound, measured, error, seconds in the engine."""


class Worker:
    """One worker process; started when it is needed, started again after it died."""

    def __init__(self, synth_name: str, mode: str, sample_rate: int, timeout: float) -> None:
        self._hello = pickle.dumps((synth_name, mode, sample_rate))
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def ask(self, request: bytes) -> Answer:
        """What the worker answers to a pickled request; a crash or a missed deadline is an answer with its error.

        Raises:
            EngineError: no worker can be started.
            WorkError: the worker was stopped meanwhile.
        """
        process = self._started()
        answer, late = _ask(process, request, self._timeout)
        if answer is None:
            self._end()
            if late:
                return None, None, f"the render took longer than {self._timeout:g} s and was given up", 0.0
            return None, None, "the engine crashed on this preset; the worker was replaced", 0.0
        return cast(Answer, pickle.loads(answer))

    @property
    def pid(self) -> int:
        """The process number; 0 while there is none."""
        process = self._process
        return process.pid if process is not None else 0

    def stop(self) -> None:
        """Ends the process for good, at once."""
        self._stopped = True
        self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise WorkError("the render pool was closed while it was rendering")
            if self._process is not None and self._process.poll() is None:
                return self._process
        self._end()
        with self._lock:
            if self._stopped:
                raise WorkError("the render pool was closed while it was rendering")
            self._process = process = child.spawn(_WORKER, _KEEP_MEMORY)
            _widen(cast(BinaryIO, process.stdout))
        answer, late = _ask(process, self._hello, _START_SECONDS)
        if answer is None:
            self._end()
            reason = f"it took longer than {_START_SECONDS:g} s" if late else "it died at once"
            raise EngineError(f"a render worker did not start: {reason}; run: menura doctor")
        found: object = pickle.loads(answer)
        if isinstance(found, MenuraError):
            self._end()
            raise found
        return process

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            child.end(process)


def _ask(process: subprocess.Popen[bytes], message: bytes, seconds: float) -> tuple[bytes | None, bool]:
    """The answer, or None where the process died; and whether it was killed for being late."""
    deadline = _Deadline(process, seconds)
    try:
        with deadline:
            send(cast(BinaryIO, process.stdin), message)
            deadline.wait()
            return receive(cast(BinaryIO, process.stdout)), deadline.missed
    except (OSError, ValueError):
        return None, deadline.missed


class _Deadline:
    """Kills a worker that has not begun to answer in time.

    Where the system can wait for a pipe and a time at once, that is all it does: a thread for each request would cost
    as much as a short render.
    """

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self._process = process
        self._seconds = seconds
        self._late = threading.Event()
        self._timer: threading.Timer | None = None
        if not hasattr(select, "poll"):
            self._timer = threading.Timer(seconds, self._end)
            self._timer.daemon = True

    @property
    def missed(self) -> bool:
        """True where the worker was killed."""
        return self._late.is_set()

    def wait(self) -> None:
        """Returns when there is something to read, the end of a dead worker's answers included."""
        if self._timer is not None:
            return
        poll = select.poll()
        poll.register(cast(BinaryIO, self._process.stdout).fileno(), select.POLLIN)
        if not poll.poll(1000.0 * self._seconds):
            self._end()

    def _end(self) -> None:
        self._late.set()
        child.kill(self._process)

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _widen(pipe: BinaryIO) -> None:
    """Lets a pipe hold a whole sound, where the system can: a worker then need not wait for its reader."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # more than this user may have
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
