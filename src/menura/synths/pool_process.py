"""One worker process of `pool.RenderPool`, as its caller sees it: started, asked, killed when late, started again.

Owns processes and their pipes; knows no batches and no order of results.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import select
import subprocess
import sys
import threading
from collections.abc import Sequence
from io import BufferedReader
from typing import BinaryIO, Self, cast

from menura.errors import EngineError, MenuraError, WorkError
from menura.synths import child
from menura.synths.child import receive, send
from menura.synths.pool_answer import Answer, receive_answer
from menura.synths.sound_memory import SoundMemory
from menura.synths.sound_slots import SoundSlots, new_memory

if sys.platform == "linux":
    import fcntl

_START_SECONDS = 120.0
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 28)}
"""Lets glibc keep the memory of sounds for the next ones: asking the system for it each time cost as much as a fifth
of a short render. Elsewhere it means nothing."""
_WORKER = "from menura.synths.pool_worker import main; main()"


class Worker:
    """One worker process; started when it is needed, started again after it died."""

    def __init__(self, synth_name: str, mode: str, sample_rate: int, timeout: float) -> None:
        self._job = (synth_name, mode, sample_rate)
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._sent = 0
        """Requests that the process has and has not answered."""
        self._room = 0
        """Bytes that another request may have."""
        self._slots = SoundSlots(-1)
        self._memory = SoundMemory()
        self._lock = threading.Lock()
        self._stopped = False

    def ask(self, requests: Sequence[bytes]) -> Answer:
        """What the worker answers to the first request; a crash or a missed deadline is an answer with its error.

        Args:
            requests: pickles. All but the first are asked next, in their order: the worker goes on with them while
                its answer is on the way. A process that replaces it is sent them anew.

        Raises:
            EngineError: no worker can be started.
            WorkError: the worker was stopped meanwhile.
        """
        # A process that dies while it has requests died of the first: its end is read below.
        process = self._process if self._sent else None
        process = process or self._started()
        deadline = _Deadline(process, self._timeout)
        answer = None
        with contextlib.suppress(OSError), deadline:
            with contextlib.suppress(OSError):  # it may have answered the first one all the same
                self._send(process, requests)
            deadline.wait()
            answer = receive_answer(_answers(process), self._slots, self._memory)
        if answer is not None and not deadline.missed:
            self._sent -= 1
            return answer
        self.end()
        if deadline.missed:
            return Answer(error=f"the render took longer than {self._timeout:g} s and was given up")
        return Answer(error="the engine crashed on this preset; the worker was replaced")

    @property
    def pid(self) -> int:
        """The process number; 0 while there is none."""
        process = self._process
        return process.pid if process is not None else 0

    def stop(self) -> None:
        """Kills the process for good, from any thread; the one that asks it ends it."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                child.kill(self._process)

    def end(self) -> None:
        """Ends the process, at once; the next request starts another."""
        with self._lock:
            process, self._process, self._sent = self._process, None, 0
        if process is not None:
            child.end(process)

    def _send(self, process: subprocess.Popen[bytes], requests: Sequence[bytes]) -> None:
        for request in requests[self._sent :]:
            # One more has to fit into the pipe: nobody reads it while the worker waits for us to read its answer.
            if self._sent and len(request) > self._room:
                return
            send(_requests(process), request)
            self._sent += 1

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.end()
        with self._lock:
            if self._stopped:
                raise WorkError("the render pool was closed while it was rendering")
            file = new_memory()
            files = [file] if file >= 0 else []
            try:
                self._process = process = child.spawn(_WORKER, _KEEP_MEMORY, files)
                self._slots = SoundSlots(file)
            finally:
                for one in files:
                    os.close(one)
        self._room = _room(process)
        deadline = _Deadline(process, _START_SECONDS)
        answer = None
        with contextlib.suppress(OSError), deadline:
            send(_requests(process), pickle.dumps((*self._job, file)))
            deadline.wait()
            answer = receive(_answers(process))
        if answer is None:
            self.end()
            reason = f"it took longer than {_START_SECONDS:g} s" if deadline.missed else "it died at once"
            raise EngineError(f"a render worker did not start: {reason}; run: menura doctor")
        found: object = pickle.loads(answer)
        if isinstance(found, MenuraError):
            self.end()
            raise found
        return process


class _Deadline:
    """Kills a worker that has not begun to answer in time.

    Where the system can wait for a pipe and a time at once, that is all it does: a thread for each request would cost
    as much as a short render.
    """

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.missed = False
        """True where the worker was killed."""
        self._process = process
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        if not hasattr(select, "poll"):
            self._timer = threading.Timer(seconds, self._end)
            self._timer.daemon = True

    def wait(self) -> None:
        """Returns when there is something to read, the end of a dead worker's answers included."""
        if self._timer is not None:
            return
        poll = select.poll()
        poll.register(_answers(self._process).fileno(), select.POLLIN)
        if not poll.poll(1000.0 * self._seconds):
            self._end()

    def _end(self) -> None:
        self.missed = True
        child.kill(self._process)

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _requests(process: subprocess.Popen[bytes]) -> BinaryIO:
    return cast(BinaryIO, process.stdin)


def _answers(process: subprocess.Popen[bytes]) -> BinaryIO:
    """Without a buffer: an answer that lay in one would be none to whoever waits for the pipe."""
    return cast(BinaryIO, cast(BufferedReader, process.stdout).raw)


def _room(process: subprocess.Popen[bytes]) -> int:
    """Bytes of a request that the worker's pipe surely holds beside another message's rest; 0 where nobody knows."""
    if sys.platform != "linux":
        return 0
    # A message begins wherever a page is free.
    return fcntl.fcntl(_requests(process).fileno(), fcntl.F_GETPIPE_SZ) - 2 * mmap.PAGESIZE
