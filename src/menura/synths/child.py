"""A child process: a new interpreter that works for its caller, the two joined by pipes.

Owns how it starts, its streams, the messages on them, and how it ends with all that it forked. Does not know what the
work is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, BinaryIO, cast

_LENGTH = struct.Struct("<Q")


def spawn(
    code: str, environment: Mapping[str, str] | None = None, files: Collection[int] = ()
) -> subprocess.Popen[bytes]:
    """Starts a child, with pipes to its `streams`.

    It is a new interpreter, so that neither threads nor ``__main__`` come with it, and it imports what its caller can.
    Its libraries compute in one thread each.

    Args:
        code: what it runs.
        environment: variables for it, where this process does not set them itself.
        files: open descriptors that it is to have as well, by the same numbers; none on Windows.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={
            **(environment or {}),
            **os.environ,
            "PYTHONPATH": import_path(),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
        pass_fds=files,
        # A session of its own: Ctrl-C reaches the caller alone, and what a child forked ends with it.
        start_new_session=True,
    )


def import_path() -> str:
    """Where this process imports from, for the PYTHONPATH of a child."""
    return os.pathsep.join(path or os.getcwd() for path in sys.path)  # noqa: PTH109 - as the interpreter reads it


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a child and whatever it forked, at once."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        process.kill()


def end(process: subprocess.Popen[bytes]) -> None:
    """Kills a child, closes its pipes and waits until nothing of it is left."""
    kill(process)
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError, ValueError):
            cast(BinaryIO, stream).close()
    process.wait()


def streams() -> tuple[BinaryIO, BinaryIO]:
    """On the child's side: what its caller writes, and what its caller reads.

    From then on, whatever foreign code prints goes nowhere, so that it cannot break into the messages.
    """
    # Interrupts are the caller's to handle, also on systems without sessions.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    return requests, answers


def send(stream: BinaryIO, message: bytes) -> None:
    """Writes one message. Raises OSError where nobody reads."""
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def receive(stream: BinaryIO) -> bytearray | None:
    """The next message, or None where the stream ends."""
    head = bytearray(_LENGTH.size)
    if not fill(stream, memoryview(head)):
        return None
    body = bytearray(int(_LENGTH.unpack(head)[0]))
    return body if fill(stream, memoryview(body)) else None


def fill(stream: BinaryIO, memory: memoryview) -> bool:
    """Reads as many bytes as there is memory for; False where the stream ends before."""
    read: Callable[[memoryview], int | None] = cast(Any, stream).readinto
    while memory:
        count = read(memory)
        if not count:
            return False
        memory = memory[count:]
    return True
