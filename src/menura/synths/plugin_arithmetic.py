"""Keeps a process's floating point as it was while foreign code runs in it.

VST2 plug-ins leave denormal numbers flushed to zero. In the caller that would change later arithmetic: results
would depend on whether something was rendered in that process before.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
from collections.abc import Generator
from functools import cache
from typing import Any

_ROOM = 512
"""Bytes, more than any platform's fenv_t."""


@contextlib.contextmanager
def same_arithmetic() -> Generator[None]:
    """Restores rounding, traps and the treatment of denormals when the block ends. Source: C99, fenv.h."""
    library = _library()
    if library is None:
        yield
        return
    environment = ctypes.create_string_buffer(_ROOM)
    library.fegetenv(environment)
    try:
        yield
    finally:
        library.fesetenv(environment)


@cache
def _library() -> Any:
    """The C library's mathematics, or None where it cannot be found."""
    for name in ("libm.so.6", ctypes.util.find_library("m"), "ucrtbase"):
        with contextlib.suppress(OSError, AttributeError, TypeError):
            library = ctypes.CDLL(name)
            if library.fegetenv and library.fesetenv:
                return library
    return None
