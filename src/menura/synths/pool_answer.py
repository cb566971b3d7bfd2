"""What a worker of `pool.RenderPool` answers to a request, and how it travels.

Owns the two ends of that wire: a sound goes through `SoundSlots` where it fits, else as it lies in memory. Knows
neither who renders nor who asked.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from menura.synths.child import fill, receive, send
from menura.synths.sound_memory import SoundMemory
from menura.synths.sound_slots import SoundSlots


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request."""

    sound: NDArray[np.float32] | None = None
    """Shape (2, n); None where it failed, or where a measure was taken in its stead."""
    measured: Any = None
    error: str | None = None
    seconds: float = 0.0
    """Seconds in the engine."""


def both(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Two channels, whether a player gave two or one."""
    return np.repeat(sound, 2, axis=0) if len(sound) == 1 else sound


def send_answer(stream: BinaryIO, answer: Answer, slots: SoundSlots) -> None:
    """Sends an answer, channels that are alike as one: comparing them costs less.

    Raises:
        OSError: nobody reads.
        Exception: what was measured cannot be pickled; nothing is sent then.
    """
    sound = answer.sound
    if sound is None:
        send(stream, pickle.dumps((None, answer.measured, answer.error, answer.seconds), protocol=5))
        return
    sent = sound[:1] if len(sound) == 2 and np.array_equal(sound[0], sound[1]) else sound
    place = slots.put(sent)
    send(stream, pickle.dumps((sent.shape, place, None, answer.seconds), protocol=5))
    if place is None:
        stream.write(_bytes(np.ascontiguousarray(sent, np.float32)))
        stream.flush()


def receive_answer(stream: BinaryIO, slots: SoundSlots, memory: SoundMemory) -> Answer | None:
    """The next answer, or None where the stream ends."""
    message = receive(stream)
    if message is None:
        return None
    try:
        shape, found, error, seconds = pickle.loads(message)
    except Exception as error:  # noqa: BLE001 - a foreign object may raise anything while it is unpickled
        return Answer(error=f"what was measured cannot be read: {error!r}")
    if shape is None:
        return Answer(None, found, error, seconds)
    channels, samples = shape
    sound = memory.lend(2, samples)
    if found is not None:
        sound[:] = slots.at(found, shape)
        return Answer(sound, None, None, seconds)
    if not fill(stream, _bytes(sound[:channels])):
        return None
    if channels == 1:
        sound[1] = sound[0]
    return Answer(sound, None, None, seconds)


def _bytes(sound: NDArray[np.float32]) -> memoryview:
    return sound.reshape(-1).view(np.uint8).data
