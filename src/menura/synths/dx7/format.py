"""DX7 voices as bytes: .syx files with single voices and banks of 32, bare bodies of both, the packing between them.

A voice is here its 155 bytes of the edit buffer (VCED): 145 controls and 10 characters of name. A bank holds it
packed into 128 bytes (VMEM). Owns bytes; knows no preset and no engine.

What is read leniently, since files have been through many hands, and what is not:

- Anything before, between and after messages is passed over, and so are MIDI's real-time bytes inside of one.
- A wrong or missing checksum is told (`Dump.faults`) and read on: what was damaged shows as a value out of range.
- Bits of the packed layout that mean nothing are dropped, as the instrument does.
- A value out of its range is refused when the voice is used: engines and instruments differ in what they do with it.

Source: Yamaha, DX7 MIDI Data Format Sheet: "Voice Edit Buffer", "Bulk dump for 32 voices", checksums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.errors import PresetError
from menura.synths.dx7.controls import NAME_SIZE, OPERATORS, controls

VOICE_SIZE = 155
PACKED_SIZE = 128
BANK_VOICES = 32
BANK_SIZE = BANK_VOICES * PACKED_SIZE

Bytes = NDArray[np.uint8]

_REAL_TIME = bytes(range(0xF8, 0x100))
_VOICE_HEAD = bytes((0x00, 0x01, 0x1B))
_BANK_HEAD = bytes((0x09, 0x20, 0x00))
_OPERATOR_SIZE, _PACKED_OPERATOR_SIZE = 21, 17
_END = 0xF7
# The instrument's own characters among ASCII, and pictures of those that print nothing: one for one.
_CHARACTERS = [chr(0x2400 + code) if code < 32 else chr(code) for code in range(128)]
_CHARACTERS[0x5C], _CHARACTERS[0x7E], _CHARACTERS[0x7F] = "¥", "→", "←"
_OWN = {"\\", "~"}
"""ASCII characters in whose place the instrument has others."""
_CODES = {character: code for code, character in enumerate(_CHARACTERS)}


@dataclass(frozen=True, slots=True)
class Dump:
    """One message or bare body of a file."""

    voices: tuple[bytes, ...]
    """Voices of 155 bytes each, unchecked."""
    faults: tuple[str, ...] = ()
    """What was wrong with it, in words, and did not stop the reading."""


# ---------------------------------------------------------------------- files


def read_dumps(data: bytes) -> list[Dump]:
    """Everything in a file that holds voices, in its order.

    Args:
        data: messages of system exclusive with anything around them, or one bare body: 155 bytes of a voice, 128
            of a packed one, or packed ones in a row (4096 bytes of a bank).

    Raises:
        PresetError: there are none; the message says what was seen.
    """
    data = data.translate(None, _REAL_TIME)
    found = list(_messages(data))
    if found:
        return found
    bare = _bare(data)
    if bare is None:
        raise PresetError(
            f"{len(data)} bytes hold no DX7 voice; give a .syx file with a single voice (163 bytes) or a bank of 32 "
            "(4104 bytes)"
        )
    return [bare]


def read_voices(data: bytes) -> list[bytes]:
    """All voices of a file, 155 bytes each. Raises PresetError where there are none."""
    return [voice for dump in read_dumps(data) for voice in dump.voices]


def write_voice(voice: bytes, *, channel: int = 0) -> bytes:
    """The message of 163 bytes that puts a voice into the instrument's edit buffer.

    Args:
        voice: its 155 bytes.
        channel: 0 to 15, shown as 1 to 16.

    Raises:
        PresetError: the voice is broken, or there is no such channel.
    """
    check_voice(voice)
    return _message(_VOICE_HEAD, voice, channel)


def write_bank(voices: Sequence[bytes], *, channel: int = 0) -> bytes:
    """The message of 4104 bytes that replaces the instrument's 32 voices.

    Args:
        voices: 1 to 32 of 155 bytes; what is missing is filled with the initial voice.
        channel: 0 to 15.

    Raises:
        PresetError: a voice is broken, or there are too many.
    """
    if not 1 <= len(voices) <= BANK_VOICES:
        raise PresetError(f"{len(voices)} voices do not make a bank; give 1 to {BANK_VOICES}")
    for voice in voices:
        check_voice(voice)
    filled = [*voices, *([initial_voice()] * (BANK_VOICES - len(voices)))]
    table = np.frombuffer(b"".join(filled), np.uint8).reshape(-1, VOICE_SIZE)
    return _message(_BANK_HEAD, pack(table).tobytes(), channel)


def checksum(body: bytes) -> int:
    """What makes the body's sum a multiple of 128."""
    return -sum(body) & 0x7F


def _message(head: bytes, body: bytes, channel: int) -> bytes:
    if not 0 <= channel <= 15:
        raise PresetError(f"MIDI channel {channel}; give 0 to 15")
    return bytes((0xF0, 0x43, channel)) + head + body + bytes((checksum(body), _END))


def _messages(data: bytes) -> Iterator[Dump]:
    """The voice messages among the bytes."""
    at = data.find(b"\xf0\x43")
    while at >= 0:
        head = data[at + 3 : at + 6]
        size = {_VOICE_HEAD: VOICE_SIZE, _BANK_HEAD: BANK_SIZE}.get(head, 0)
        # The byte after Yamaha's number is 0 and the channel for a dump; other values ask for one.
        if size and data[at + 2] < 0x10:
            body = data[at + 6 : at + 6 + size]
            cut = next((place for place, byte in enumerate(body) if byte > 0x7F), len(body))
            if cut < size:
                raise PresetError(
                    f"a DX7 dump breaks off after {cut} of {size} bytes; get an undamaged copy of the file"
                )
            yield Dump(_voices_of(body), _faults(body, data[at + 6 + size : at + 8 + size]))
            at += 6 + size - 2
        at = data.find(b"\xf0\x43", at + 2)


def _faults(body: bytes, tail: bytes) -> tuple[str, ...]:
    if not tail or tail[0] == _END:
        return ("the checksum is missing",)
    if tail[0] != checksum(body):
        return (f"the checksum is {tail[0]}, the content's is {checksum(body)}",)
    return ()


def _bare(data: bytes) -> Dump | None:
    """A body without a message around it; None where the size or a byte is not one's."""
    if not data or max(data) > 0x7F:
        return None
    if len(data) in (VOICE_SIZE, VOICE_SIZE + 1):  # some programs add a byte for the operators' switches
        return Dump((data[:VOICE_SIZE],))
    return Dump(_voices_of(data)) if len(data) % PACKED_SIZE == 0 else None


def _voices_of(body: bytes) -> tuple[bytes, ...]:
    if len(body) == VOICE_SIZE:
        return (body,)
    table = unpack(np.frombuffer(body, np.uint8).reshape(-1, PACKED_SIZE))
    return tuple(row.tobytes() for row in table)


# ---------------------------------------------------------------------- packing


def unpack(packed: Bytes) -> Bytes:
    """Edit-buffer voices from packed ones.

    Args:
        packed: shape (n, 128).

    Returns:
        Shape (n, 155), values as they are, in range or not.
    """
    count = len(packed)
    found = np.zeros((count, VOICE_SIZE), np.uint8)
    source = packed[:, : 6 * _PACKED_OPERATOR_SIZE].reshape(count, 6, _PACKED_OPERATOR_SIZE)
    target = found[:, : 6 * _OPERATOR_SIZE].reshape(count, 6, _OPERATOR_SIZE)
    target[..., :11] = source[..., :11]
    target[..., 11] = source[..., 11] & 3
    target[..., 12] = source[..., 11] >> 2 & 3
    target[..., 13] = source[..., 12] & 7
    target[..., 14] = source[..., 13] & 3
    target[..., 15] = source[..., 13] >> 2 & 7
    target[..., 16] = source[..., 14]
    target[..., 17] = source[..., 15] & 1
    target[..., 18] = source[..., 15] >> 1 & 31
    target[..., 19] = source[..., 16]
    target[..., 20] = source[..., 12] >> 3 & 15
    rest = packed[:, 102:]
    shared = found[:, 126:]
    shared[:, :8] = rest[:, :8]
    shared[:, 8] = rest[:, 8] & 31
    shared[:, 9] = rest[:, 9] & 7
    shared[:, 10] = rest[:, 9] >> 3 & 1
    shared[:, 11:15] = rest[:, 10:14]
    shared[:, 15] = rest[:, 14] & 1
    shared[:, 16] = rest[:, 14] >> 1 & 7
    shared[:, 17] = rest[:, 14] >> 4 & 7
    shared[:, 18:] = rest[:, 15:]
    return found


def pack(voices: Bytes) -> Bytes:
    """Packed voices, shape (n, 128), from edit-buffer ones of shape (n, 155) whose values are in range."""
    count = len(voices)
    found = np.zeros((count, PACKED_SIZE), np.uint8)
    source = voices[:, : 6 * _OPERATOR_SIZE].reshape(count, 6, _OPERATOR_SIZE)
    target = found[:, : 6 * _PACKED_OPERATOR_SIZE].reshape(count, 6, _PACKED_OPERATOR_SIZE)
    target[..., :11] = source[..., :11]
    target[..., 11] = source[..., 11] | source[..., 12] << 2
    target[..., 12] = source[..., 13] | source[..., 20] << 3
    target[..., 13] = source[..., 14] | source[..., 15] << 2
    target[..., 14] = source[..., 16]
    target[..., 15] = source[..., 17] | source[..., 18] << 1
    target[..., 16] = source[..., 19]
    shared = voices[:, 126:]
    rest = found[:, 102:]
    rest[:, :9] = shared[:, :9]
    rest[:, 9] = shared[:, 9] | shared[:, 10] << 3
    rest[:, 10:14] = shared[:, 11:15]
    rest[:, 14] = shared[:, 15] | shared[:, 16] << 1 | shared[:, 17] << 4
    rest[:, 15:] = shared[:, 18:]
    return found


# ---------------------------------------------------------------------- one voice

_HIGHEST = np.array([control.high for control in controls()] + [0x7F] * NAME_SIZE, np.uint8)


def initial_voice() -> bytes:
    """The instrument's INIT VOICE, 155 bytes."""
    return bytes(control.default for control in controls()) + b"INIT VOICE"


def valid(voices: Bytes) -> NDArray[np.bool_]:
    """Which of the voices, shape (n, 155), have all values in range; shape (n,)."""
    return np.all(voices <= _HIGHEST, axis=1)


def check_voice(voice: bytes) -> None:
    """Passes a voice whose values are all in range.

    A voice with all output levels at 0 passes: it is valid, and silent.

    Raises:
        PresetError: with the first that is not, and its range.
    """
    if len(voice) != VOICE_SIZE:
        raise PresetError(f"a DX7 voice of {len(voice)} bytes; give {VOICE_SIZE}")
    wrong = np.flatnonzero(np.frombuffer(voice, np.uint8) > _HIGHEST)
    if wrong.size:
        place = int(wrong[0])
        name = controls()[place].name if place < len(controls()) else "the name"
        more = f" ({wrong.size} values are out of range)" if wrong.size > 1 else ""
        raise PresetError(
            f"DX7 voice {name_of(voice)!r} has {name} {voice[place]}; it goes from 0 to {_HIGHEST[place]}{more}; "
            "the file is damaged, or no DX7 voice"
        )


def silent(voice: bytes) -> bool:
    """True where all output levels are 0."""
    return not any(voice[number * _OPERATOR_SIZE + 16] for number in range(len(OPERATORS)))


def name_of(voice: bytes) -> str:
    """The voice's name, without the blanks that fill it up."""
    return "".join(_CHARACTERS[code & 0x7F] for code in voice[-NAME_SIZE:]).rstrip(" ")


def name_bytes(name: str) -> bytes:
    """A name as the instrument stores it: 10 characters of its own set, others as "?", blanks at the end."""
    from unicodedata import combining, normalize

    if name.isascii() and name.isprintable() and not _OWN & set(name):
        return name[:NAME_SIZE].encode().ljust(NAME_SIZE, b" ")
    plain = "".join(
        piece
        for character in name
        for piece in (character if character in _CODES else normalize("NFKD", character))
        if not combining(piece)
    )
    codes = bytes(_CODES.get(character, 0x3F) for character in plain[:NAME_SIZE])
    return codes.ljust(NAME_SIZE, b" ")
