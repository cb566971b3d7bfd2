"""The worker's end of `pool.RenderPool`: a process that renders what it is sent until its input ends.

Messages are pickles. Owns what they say; knows of synths only how to get one by name.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import MenuraError
from menura.note import Note
from menura.preset import Preset
from menura.synths.base import Synth
from menura.synths.child import receive, send, streams
from menura.synths.registry import synth_of


class Player(Protocol):
    """Renders one preset after the other, each result that of a fresh engine."""

    def play(self, preset: Preset, note: Note, sample_rate: int) -> tuple[NDArray[np.float32], float]:
        """The sound and the seconds spent inside the engine.

        The sound has shape (2, n), or (1, n) where both channels are alike. Raises MenuraError.
        """
        ...


class PlainPlayer:
    """A player for synths that have none of their own: it asks the synth."""

    def __init__(self, synth: Synth) -> None:
        self._synth = synth

    def play(self, preset: Preset, note: Note, sample_rate: int) -> tuple[NDArray[np.float32], float]:
        """The sound and the seconds that rendering took. Raises MenuraError."""
        started = time.perf_counter()
        sound = self._synth.render(preset, note, sample_rate=sample_rate)
        return sound.samples, time.perf_counter() - started


def main() -> None:
    """Answers requests until standard input ends."""
    requests, answers = streams()
    first = receive(requests)
    if first is None:
        return
    synth_name, mode, sample_rate = pickle.loads(first)
    try:
        player = _player(synth_name, mode)
    except MenuraError as error:
        send(answers, pickle.dumps(error))
        return
    send(answers, pickle.dumps("ready"))
    measure: Callable[[Audio], object] | None = None
    known: bytes | None = None
    while (request := receive(requests)) is not None:
        preset, note, wanted = pickle.loads(request)
        if wanted != known:
            try:
                measure, known = (pickle.loads(wanted) if wanted else None), wanted
            except Exception as error:  # noqa: BLE001 - a foreign object may raise anything while it is unpickled
                send(answers, pickle.dumps((None, None, f"measure cannot be loaded in a worker: {error!r}", 0.0)))
                continue
        send(answers, _answer(player, preset, note, sample_rate, measure))


def both(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Two channels, whether a player gave two or one."""
    return np.repeat(sound, 2, axis=0) if len(sound) == 1 else sound


def _player(synth_name: str, mode: str) -> Player:
    synth = synth_of(synth_name)
    make: Callable[[str], Player] | None = getattr(synth, "player", None)
    return make(mode) if make else PlainPlayer(synth)


def _answer(
    player: Player, preset: Preset, note: Note, sample_rate: int, measure: Callable[[Audio], object] | None
) -> bytes:
    """A pickled (sound, measured, error, engine seconds)."""
    seconds = 0.0
    try:
        sound, seconds = player.play(preset, note, sample_rate)
        if measure is None:
            # Channels that are alike are sent as one and made two again where they arrive: comparing costs less.
            sent = sound[:1] if len(sound) == 2 and np.array_equal(sound[0], sound[1]) else sound
            return pickle.dumps((np.ascontiguousarray(sent), None, None, seconds), protocol=5)
        measured: Any = measure(Audio(both(sound), sample_rate))
        return pickle.dumps((None, measured, None, seconds), protocol=5)
    except MenuraError as error:
        return pickle.dumps((None, None, str(error), seconds))
    except Exception as error:  # noqa: BLE001 - one failed result, told by name; the worker lives on
        return pickle.dumps((None, None, f"{type(error).__name__}: {error}", seconds))


if __name__ == "__main__":
    sys.exit(main())
