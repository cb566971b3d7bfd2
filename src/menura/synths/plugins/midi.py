"""A note as MIDI: the key and how hard it is struck, messages with their samples, a MIDI file. Knows no host."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from menura.note import Note

SETTLE = 0.1
"""Seconds that an instance runs before its note, so that what it smooths has arrived, as in an open plug-in."""


def struck(note: Note) -> tuple[int, int]:
    """The nearest key, 0 to 127, and the velocity, 1 to 127."""
    key = min(max(int(np.floor(note.pitch + 0.5)), 0), 127)
    return key, min(max(round(127 * note.velocity), 1), 127)


def events(note: Note, sample_rate: int, bend: int) -> list[tuple[int, bytes]]:
    """MIDI messages and the sample that each falls on; the wheel only where it is moved."""
    key, velocity = struck(note)
    start = round(SETTLE * sample_rate)
    end = start + max(round(note.hold * sample_rate), 1)
    wheel = bend + 8192
    first = [(0, bytes([0xE0, wheel & 127, wheel >> 7]))] if bend else []
    return [*first, (start, bytes([0x90, key, velocity])), (end, bytes([0x80, key, 0]))]


def midi_file(events: Sequence[tuple[int, bytes]], sample_rate: int) -> bytes:
    """A MIDI file whose ticks are samples: a quarter second to the beat, a quarter of the rate to the quarter."""
    body, now = b"\x00\xff\x51\x03" + (250_000).to_bytes(3, "big"), 0
    for at, message in events:
        body, now = body + _variable(at - now) + message, at
    body += b"\x00\xff\x2f\x00"
    head = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, min(sample_rate // 4, 0x7FFF))
    return head + struct.pack(">4sI", b"MTrk", len(body)) + body


def _variable(number: int) -> bytes:
    """A number as MIDI files write it: seven bits a byte, the highest first."""
    parts = [number & 127]
    while number := number >> 7:
        parts.append(number & 127 | 128)
    return bytes(reversed(parts))
