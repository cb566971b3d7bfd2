"""Surge's patches, .fxp: a VST2 program whose chunk holds XML and wavetables. Read and written losslessly.

The chunk begins with ``sub3``, the length of the XML, and the lengths of the wavetables of two scenes of three
oscillators, all little-endian. Knows the frame and the XML's names; Surge loads the file itself.
Source: surge-synthesizer/surge, src/common/SurgePatch.cpp, struct patch_header.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from menura.errors import PresetError
from menura.synths.plugins.fxp import Fxp

UID = b"cjs3"
"""Surge's mark in a VST2 preset."""
_HEAD = struct.Struct("<4sI6I")


@dataclass(frozen=True, slots=True)
class SurgePatch:
    """One patch; `to_bytes` gives back what `of_bytes` read."""

    fxp: Fxp
    xml: bytes
    tables: tuple[bytes, ...]
    """The wavetables of scene A's three oscillators and scene B's; empty where an oscillator has none of its own."""
    rest: bytes = b""
    """What follows them."""

    @staticmethod
    def of_bytes(data: bytes) -> SurgePatch:
        """Reads a file. Raises PresetError."""
        fxp = Fxp.of_bytes(data)
        if fxp.uid != UID or fxp.kind != "FPCh":
            whose = fxp.uid.decode("latin-1")
            raise PresetError(f"not a Surge patch: it is a VST2 preset of kind {fxp.kind} for the plug-in {whose!r}")
        chunk = fxp.chunk
        if chunk[:4] != b"sub3":
            xml, tables, rest = chunk, (), b""  # as Surge wrote it before it knew wavetables
        else:
            if len(chunk) < _HEAD.size:
                raise PresetError("the Surge patch is cut short: its head is not whole")
            _, size, *sizes = _HEAD.unpack_from(chunk)
            parts: list[bytes] = []
            at = _HEAD.size
            for length in (size, *sizes):
                parts.append(chunk[at : at + length])
                at += length
            if at > len(chunk):
                raise PresetError(f"the Surge patch is cut short: {len(chunk)} bytes of {at}")
            xml, tables, rest = parts[0], tuple(parts[1:]), chunk[at:]
        found = SurgePatch(fxp, xml, tables, rest)
        if found._root.tag != "patch":
            raise PresetError(f"not a Surge patch: its XML is <{found._root.tag}>, not <patch>")
        return found

    def to_bytes(self) -> bytes:
        """The file."""
        if not self.tables:
            return replace(self.fxp, chunk=self.xml).to_bytes()
        head = _HEAD.pack(b"sub3", len(self.xml), *(len(table) for table in self.tables))
        return replace(self.fxp, chunk=head + self.xml + b"".join(self.tables) + self.rest).to_bytes()

    @property
    def about(self) -> Mapping[str, str]:
        """What the patch says of itself: name, category, author, comment."""
        meta = self._root.find("meta")
        return {} if meta is None else dict(meta.attrib)

    @property
    def values(self) -> Mapping[str, float]:
        """Its settings by Surge's own names and in Surge's own units."""
        parameters = self._root.find("parameters")
        found: dict[str, float] = {}
        for one in parameters if parameters is not None else ():
            try:
                found[one.tag] = float(one.get("value", ""))
            except ValueError:
                continue
        return found

    @property
    def routes(self) -> int:
        """How many modulations it has."""
        return len(self._root.findall("./parameters/*/modrouting"))

    def with_value(self, name: str, value: float) -> SurgePatch:
        """The same patch with one setting replaced; whole numbers stay whole. Raises PresetError."""
        mark = re.compile(rb"<" + re.escape(name.encode()) + rb'(?=\s)[^>]*?\svalue="([^"]*)"')
        found = mark.search(self.xml)
        if found is None:
            raise PresetError(f"the patch has no setting {name!r}; see its `values`")
        whole = b"." not in found[1] and float(value).is_integer()
        written = str(int(value)).encode() if whole else f"{value:.14f}".encode()
        return replace(self, xml=self.xml[: found.start(1)] + written + self.xml[found.end(1) :])

    @property
    def _root(self) -> ET.Element:
        text = self.xml.rstrip(b"\0")
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:  # no patch has one, and they can be made to explode
            raise PresetError("not a Surge patch: its XML declares a document type")
        try:
            return ET.fromstring(text)
        except ET.ParseError as error:
            raise PresetError(f"the Surge patch's XML is broken: {error}") from error
