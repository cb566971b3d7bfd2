"""VST2 preset files, .fxp (one program) and .fxb (a bank): reading and writing their frame, all big-endian.

Source: Steinberg VST 2.4 SDK, vstfxstore.h: fxProgram and fxBank.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from menura.errors import PresetError

_HEAD = struct.Struct(">4si4siiii")
"""Magic, size of what follows, kind, version, plug-in, its version, count."""
_NAME = 28
_FUTURE = 128


@dataclass(frozen=True, slots=True)
class Fxp:
    """One VST2 preset file; `of_bytes` and `to_bytes` lose nothing."""

    kind: str
    """FxCk a program of parameters, FPCh a program as a chunk, FxBk a bank of programs, FBCh a bank as a chunk."""
    uid: bytes
    """The plug-in's four bytes."""
    version: int
    """Of the plug-in."""
    name: bytes = b"\0" * _NAME
    """28 bytes as they are in the file, of a program."""
    values: tuple[float, ...] = ()
    """Raw parameters of FxCk; of FxBk those of its current program."""
    chunk: bytes = b""
    """The plug-in's own state."""
    count: int = 0
    """Parameters of a program, programs of a bank."""
    frame: int = 1
    """Version of the format, 1 or 2."""
    size: int = 0
    """What the file says of its own size; some writers say 0."""
    rest: bytes = b""
    """A bank's reserved bytes, an FxBk's programs, and whatever follows the preset."""

    @property
    def title(self) -> str:
        """The program's name as text."""
        return self.name.split(b"\0")[0].decode("utf-8", "replace").strip()

    @staticmethod
    def of_bytes(data: bytes) -> Fxp:
        """Reads a file. Raises PresetError."""
        if len(data) < _HEAD.size or data[:4] != b"CcnK":
            raise PresetError("not a VST2 preset: it does not begin with CcnK; give an .fxp or .fxb file")
        _, size, kind, frame, uid, version, count = _HEAD.unpack_from(data)
        at, mark = _HEAD.size, struct.pack(">i", uid)
        if kind in (b"FxCk", b"FPCh"):
            name, at = data[at : at + _NAME], at + _NAME
            if kind == b"FxCk":
                if not 0 <= count <= (len(data) - at) // 4:
                    raise PresetError(f"the VST2 preset is cut short: it names {count} parameters and holds fewer")
                values = struct.unpack_from(f">{count}f", data, at)
                end = at + 4 * count
                return Fxp("FxCk", mark, version, name, values, b"", count, frame, size, data[end:])
            chunk, end = _chunk(data, at)
            return Fxp("FPCh", mark, version, name, (), chunk, count, frame, size, data[end:])
        future, at = data[at : at + _FUTURE], at + _FUTURE
        if kind == b"FBCh":
            chunk, end = _chunk(data, at)
            return Fxp("FBCh", mark, version, b"", (), chunk, count, frame, size, future + data[end:])
        if kind == b"FxBk":
            current = struct.unpack_from(">i", future)[0] if frame >= 2 else 0
            values, name = _program(data, at, count, current)
            return Fxp("FxBk", mark, version, name, values, b"", count, frame, size, future + data[at:])
        raise PresetError(f"the VST2 preset is of kind {kind!r}; menura knows FxCk, FPCh, FxBk and FBCh")

    def to_bytes(self) -> bytes:
        """The file."""
        body = _HEAD.pack(
            b"CcnK",
            self.size,
            self.kind.encode(),
            self.frame,
            struct.unpack(">i", self.uid)[0],
            self.version,
            self.count,
        )
        if self.kind == "FxCk":
            return body + self.name + struct.pack(f">{len(self.values)}f", *self.values) + self.rest
        framed = struct.pack(">i", len(self.chunk)) + self.chunk
        if self.kind == "FPCh":
            return body + self.name + framed + self.rest
        if self.kind == "FBCh":
            return body + self.rest[:_FUTURE] + framed + self.rest[_FUTURE:]
        return body + self.rest


def program(uid: bytes, version: int, name: str, values: list[float]) -> Fxp:
    """A program of parameters, for a plug-in whose parameters are all of its state."""
    called = name.encode("utf-8")[: _NAME - 1].decode("utf-8", "ignore").encode().ljust(_NAME, b"\0")
    size = _HEAD.size - 8 + _NAME + 4 * len(values)
    return Fxp("FxCk", uid, version, called, tuple(values), b"", len(values), 1, size)


def _chunk(data: bytes, at: int) -> tuple[bytes, int]:
    if len(data) < at + 4:
        raise PresetError("the VST2 preset is cut short: its chunk is missing")
    length = struct.unpack_from(">i", data, at)[0]
    end = at + 4 + length
    if length < 0 or end > len(data):
        raise PresetError(f"the VST2 preset is cut short: its chunk has {len(data) - at - 4} bytes of {length}")
    return data[at + 4 : end], end


def _program(data: bytes, at: int, count: int, current: int) -> tuple[tuple[float, ...], bytes]:
    """The values and the name of a bank's current program."""
    number = current if 0 <= current < count else 0
    values, name = (), b""
    for _ in range(number + 1):
        if len(data) < at + _HEAD.size + _NAME or data[at : at + 4] != b"CcnK":
            raise PresetError("the VST2 bank is cut short: a program is missing")
        kind, size = _HEAD.unpack_from(data, at)[2], _HEAD.unpack_from(data, at)[6]
        if kind != b"FxCk" or not 0 <= size <= (len(data) - at - _HEAD.size - _NAME) // 4:
            raise PresetError("the VST2 bank holds a program that is no list of parameters")
        name = data[at + _HEAD.size : at + _HEAD.size + _NAME]
        start = at + _HEAD.size + _NAME
        values, at = struct.unpack_from(f">{size}f", data, start), start + 4 * size
    return values, name
