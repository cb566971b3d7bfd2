"""Answers of workers: every sound arrives as it was, whichever way it takes, and stays what it is."""

from __future__ import annotations

import gc
import os
import threading

import numpy as np
import pytest

from menura.audio import Audio
from menura.errors import AudioError
from menura.synths.pool_answer import Answer, receive_answer, send_answer
from menura.synths.sound_memory import SoundMemory
from menura.synths.sound_slots import IN_FLIGHT, SoundSlots, new_memory


def sounds() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    stereo = rng.normal(size=(2, 60_000)).astype(np.float32)
    return [
        stereo,
        np.repeat(stereo[:1], 2, axis=0),
        stereo[1:],
        stereo[:, ::2],
        stereo[:, :1],
        stereo[:, :0],
        rng.normal(size=(2, 600_000)).astype(np.float32),  # more than a slot holds
    ]


@pytest.mark.parametrize("shared", [True, False])
def test_sounds_arrive_as_they_were(shared: bool) -> None:
    reader, writer = os.pipe()
    file = new_memory() if shared else -1
    theirs, ours, memory = SoundSlots(file), SoundSlots(file), SoundMemory()
    assert (theirs.put(sounds()[0]) is not None) == (file >= 0)
    sent = [sound for sound in sounds() for _ in range(IN_FLIGHT + 1)]
    kept = []
    with os.fdopen(reader, "rb", buffering=0) as answers, os.fdopen(writer, "wb") as stream:
        for number, sound in enumerate(sent):
            thread = threading.Thread(target=send_answer, args=(stream, Answer(sound, seconds=number), theirs))
            thread.start()
            answer = receive_answer(answers, ours, memory)
            thread.join()
            assert answer is not None
            assert (answer.error, answer.measured, answer.seconds) == (None, None, number)
            kept.append(answer.sound)
        send_answer(stream, Answer(measured={"a": 1}, error="why"), theirs)
        assert receive_answer(answers, ours, memory) == Answer(None, {"a": 1}, "why", 0.0)
        stream.close()
        assert receive_answer(answers, ours, memory) is None
    for sound, found in zip(sent, kept, strict=True):
        np.testing.assert_array_equal(found, np.broadcast_to(sound, found.shape))
        assert (found.shape[0], found.flags.c_contiguous) == (2, True)
    if file >= 0:
        os.close(file)


def test_memory_is_used_again_only_when_nobody_has_it() -> None:
    memory = SoundMemory()
    first = memory.lend(2, 50_000)
    first[:] = 1.0
    part = Audio.holding(first, 44_100).samples[1, 100:200]
    place = first.__array_interface__["data"][0]
    del first
    gc.collect()
    second = memory.lend(2, 50_000)
    second[:] = 2.0
    assert (part == 1.0).all()
    del part
    gc.collect()
    third = memory.lend(2, 50_000)
    assert third.__array_interface__["data"][0] == place
    third[:] = 3.0
    assert (second == 2.0).all()
    del memory
    assert (third == 3.0).all()


def test_a_sound_may_hold_the_array_itself() -> None:
    array = np.zeros((2, 10), np.float32)
    sound = Audio.holding(array, 8_000)
    assert sound.samples is array
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1.0
    with pytest.raises(AudioError, match="not a sound"):
        Audio.holding(np.zeros(10, np.float32), 8_000)
