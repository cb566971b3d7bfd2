"""What foreign code finds in a process and what it leaves behind: clear memory, seeded chance, arithmetic as it was.

Some plug-ins read memory that they never wrote (JX10 does): what they play then depends on what was there before.
VST2 plug-ins leave denormal numbers flushed to zero: what is computed afterwards would depend on a render before.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
from collections.abc import Generator
from functools import cache
from typing import Any

_PERTURB = -6
"""M_PERTURB of malloc.h; 255 fills what is handed out with zeros."""
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
def clear_memory() -> bool:
    """Has the C library clear all memory that it hands out from now on; False where it cannot (not glibc).

    Blocks up to 1 kB that a thread gives back and takes again stay as they are. Source: mallopt(3), M_PERTURB.
    """
    library = _c_library()
    return library is not None and bool(library.mallopt(_PERTURB, 255))


def seed_chance() -> None:
    """Seeds the C library's random numbers; a plug-in that draws its noise from them (Kars does) then repeats."""
    library = _c_library()
    if library is not None:
        library.srand(1)
        library.srandom(1)


@cache
def _c_library() -> Any:
    """The C library, or None where it cannot be found."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        if library.srand and library.srandom:
            return library
    return None


@cache
def _library() -> Any:
    """The C library's mathematics, or None where it cannot be found."""
    for name in ("libm.so.6", ctypes.util.find_library("m"), "ucrtbase"):
        with contextlib.suppress(OSError, AttributeError, TypeError):
            library = ctypes.CDLL(name)
            if library.fegetenv and library.fesetenv:
                return library
    return None
