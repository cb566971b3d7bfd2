"""The child's side of `child`: lines of JSON in, lines of JSON out. Knows nothing of what is said."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from menura.export import plain


class Lines:
    """What the server says and what is answered; nothing else of this process can write in between."""

    def __init__(self) -> None:
        self._out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what a library prints goes to the log
        self._in = sys.stdin
        self._lock = threading.Lock()

    def heard(self) -> Iterator[dict[str, Any]]:
        """Each line until the server is gone."""
        for line in self._in:
            yield json.loads(line)

    def say(self, message: Mapping[str, Any]) -> None:
        """Sends one line."""
        with self._lock:
            self._out.write(json.dumps(plain(message), ensure_ascii=False, allow_nan=False) + "\n")
            self._out.flush()


def bound_memory(size: int) -> None:
    """Bounds the memory of this process and of each that it starts, where the system can.

    Args:
        size: bytes of address space.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


_NO_MEMORY = (
    "failed to map segment",
    "cannot allocate memory",
    "bad_alloc",
    "bad allocation",
    "can't start new thread",
)


def out_of_memory(error: BaseException) -> bool:
    """True where memory was what failed: a library that finds none raises what it likes, an import fails to map."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return any(said in str(error).lower() for said in _NO_MEMORY)
