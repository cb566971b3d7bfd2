"""TAL-NoiseMaker's preset files, .noisemakerpreset: XML with one program. Read and written losslessly.

``<tal version="..."><programs><program programname="..." cutoff="..." .../>``: values are as the plug-in holds them,
and the shape of its drawn envelope follows. Knows the frame, not the units: the plug-in loads the file itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from menura.errors import PresetError

_ATTRIBUTE = re.compile(r'\s([\w.:-]+)\s*=\s*("[^"]*"|\'[^\']*\')')
_PROGRAM = re.compile(r"""<program(?=[\s/>])(?:[^>"']|"[^"]*"|'[^']*')*>""")


@dataclass(frozen=True, slots=True)
class NoiseMakerPreset:
    """One file; `to_bytes` gives back what `of_bytes` read."""

    text: str

    @staticmethod
    def of_bytes(data: bytes) -> NoiseMakerPreset:
        """Reads a file. Raises PresetError."""
        try:
            text = data.decode("utf-8")
            if "<!DOCTYPE" in text or "<!ENTITY" in text:  # no preset has one, and they can be made to explode
                raise PresetError("not a .noisemakerpreset: it declares a document type")
            root = ET.fromstring(text)
        except (UnicodeDecodeError, ET.ParseError, ValueError) as error:
            raise PresetError(f"not a .noisemakerpreset: {error}") from error
        if root.tag != "tal" or len(root.findall("./programs/program")) != 1:
            raise PresetError(f"not a .noisemakerpreset: its root is <{root.tag}>; it must be <tal> with one program")
        return NoiseMakerPreset(text)

    def to_bytes(self) -> bytes:
        """The file."""
        return self.text.encode("utf-8")

    @property
    def name(self) -> str:
        """The program's name."""
        return self._program.get("programname", "")

    @property
    def version(self) -> float:
        """Of the plug-in that wrote it; before 1.65, the filter's types are counted otherwise."""
        try:
            return float(ET.fromstring(self.text).get("version", "0"))
        except ValueError:
            return 0.0

    @property
    def values(self) -> Mapping[str, float]:
        """Its settings by name, those that are numbers."""
        found: dict[str, float] = {}
        for name, value in self._program.items():
            try:
                found[name] = float(value)
            except ValueError:
                continue
        return found

    def with_value(self, name: str, value: float | str) -> NoiseMakerPreset:
        """The same preset with one setting, or its `programname`, replaced. Raises PresetError."""
        tag = _PROGRAM.search(self.text)
        if tag:
            for one in _ATTRIBUTE.finditer(self.text, tag.start(), tag.end()):
                if one[1] == name:
                    written = escape(str(value), {'"': "&quot;"})
                    return replace(self, text=f'{self.text[: one.start(2)]}"{written}"{self.text[one.end(2) :]}')
        raise PresetError(f"the preset has no setting {name!r}; it has {', '.join(list(self._program)[:5])} and others")

    @property
    def _program(self) -> Mapping[str, str]:
        found = ET.fromstring(self.text).find("./programs/program")
        return {} if found is None else found.attrib
