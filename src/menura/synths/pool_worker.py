"""The worker's end of `pool.RenderPool`: a process that renders what it is sent until its input ends.

Messages are pickles. Owns what they say; knows of synths only how to get one by name.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import MenuraError
from menura.note import Note
from menura.preset import Preset
from menura.synths.base import Synth
from menura.synths.child import receive, send, streams
from menura.synths.pool_answer import Answer, both, send_answer
from menura.synths.registry import synth_of
from menura.synths.sound_slots import SoundSlots


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
    synth_name, mode, sample_rate, file = pickle.loads(first)
    slots = SoundSlots(file)
    if file >= 0:
        os.close(file)  # the memory is held without it
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
                send_answer(answers, Answer(error=f"measure cannot be loaded in a worker: {error!r}"), slots)
                continue
        answer = _answer(player, preset, note, sample_rate, measure)
        try:
            send_answer(answers, answer, slots)
        except OSError:
            return  # whoever asked is gone
        except Exception as error:  # noqa: BLE001 - what a measure answered is foreign too
            send_answer(answers, Answer(error=f"{type(error).__name__}: {error}", seconds=answer.seconds), slots)


def _player(synth_name: str, mode: str) -> Player:
    synth = synth_of(synth_name)
    make: Callable[[str], Player] | None = getattr(synth, "player", None)
    return make(mode) if make else PlainPlayer(synth)


def _answer(
    player: Player, preset: Preset, note: Note, sample_rate: int, measure: Callable[[Audio], object] | None
) -> Answer:
    seconds = 0.0
    try:
        sound, seconds = player.play(preset, note, sample_rate)
        if measure is None:
            return Answer(sound, seconds=seconds)
        return Answer(
            measured=measure(Audio.holding(np.asarray(both(sound), np.float32), sample_rate)), seconds=seconds
        )
    except MenuraError as error:
        return Answer(error=str(error), seconds=seconds)
    except Exception as error:  # noqa: BLE001 - one failed result, told by name; the worker lives on
        return Answer(error=f"{type(error).__name__}: {error}", seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
