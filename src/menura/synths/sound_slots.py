"""Memory that a worker shares with its caller, for a sound on its way. Knows neither of them.

A sound in a pipe is copied into the system's memory and out of it again, page by page; here the worker writes it once
and the caller reads it once.
"""

from __future__ import annotations

import mmap
import os
import sys

import numpy as np
from numpy.typing import NDArray

IN_FLIGHT = 2
"""Sounds that may lie here at once: so many requests may a worker have and not have answered."""
_SLOT = 1 << 20
"""Samples of a slot, all channels together: 11 s of stereo. Only what is written takes memory."""


class SoundSlots:
    """A slot for each sound that may be on its way, used in turn."""

    def __init__(self, file: int) -> None:
        """Maps the memory. It stays until nobody has the slots any more.

        Args:
            file: descriptor of the memory, from `new_memory`; less than 0 where there is none, then nothing fits.
        """
        self._slots = np.empty((IN_FLIGHT, 0), np.float32)
        if file >= 0:
            memory = mmap.mmap(file, 4 * _SLOT * IN_FLIGHT)
            self._slots = np.frombuffer(memory, np.float32).reshape(IN_FLIGHT, _SLOT)
        self._next = 0

    def put(self, sound: NDArray[np.float32]) -> int | None:
        """Writes a sound, shape (channels, n), and answers where it is; None where it does not fit."""
        if sound.size > self._slots.shape[1]:
            return None
        place, self._next = self._next, (self._next + 1) % IN_FLIGHT
        self.at(place, sound.shape)[...] = sound
        return place

    def at(self, place: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """The sound of that shape that lies there; it will be written over."""
        return self._slots[place, : shape[0] * shape[1]].reshape(shape)


def new_memory() -> int:
    """Descriptor of new memory that no file system holds; -1 where there is none to be had."""
    if sys.platform != "linux":
        return -1
    try:
        file = os.memfd_create("menura-sounds")
    except OSError:
        return -1
    try:
        os.truncate(file, 4 * _SLOT * IN_FLIGHT)
    except OSError:  # larger than this user's files may be
        os.close(file)
        return -1
    return file
