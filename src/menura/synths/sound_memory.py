"""Memory for sounds that a caller is given, used again when nobody has the sound any more. Knows no synth, no process.

New memory is what a short render costs its caller most: 2 s of sound are 172 pages, each asked of the system, cleared,
and given back by the allocator a little later.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

_SMALL = 1 << 17
"""Bytes from which the allocator gives memory back to the system."""
_KEPT = 1 << 28
"""Bytes that may lie unused: no more than sounds of one length once held together."""


class SoundMemory:
    """Lends arrays for sounds. May be used from any thread."""

    def __init__(self) -> None:
        """Takes no memory yet."""
        self._unused: list[NDArray[np.float32]] = []
        """All of one size: sounds of a batch have one length as a rule, and other lengths would fill this up."""
        self._size = 0

    def lend(self, channels: int, samples: int) -> NDArray[np.float32]:
        """An array of shape (channels, samples) with anything in it; its own until the last view of it is gone."""
        size = channels * samples
        if 4 * size < _SMALL:
            return np.empty((channels, samples), np.float32)
        if size != self._size:
            self._size, self._unused = size, []
        try:
            memory = self._unused.pop()
        except IndexError:
            memory = np.empty(size, np.float32)
        # NumPy lets views of an array refer to its memory past the array; past this they cannot.
        owner = (ctypes.c_float * size).from_buffer(cast(Any, memory))
        weakref.finalize(owner, _give_back, weakref.ref(self), memory).atexit = False
        return np.frombuffer(cast(Any, owner), np.float32).reshape(channels, samples)

    def _take_back(self, memory: NDArray[np.float32]) -> None:
        if memory.size == self._size and 4 * memory.size * (len(self._unused) + 1) <= _KEPT:
            self._unused.append(memory)


def _give_back(lender: weakref.ref[SoundMemory], memory: NDArray[np.float32]) -> None:
    found = lender()
    if found is not None:
        found._take_back(memory)  # pyright: ignore[reportPrivateUsage]
