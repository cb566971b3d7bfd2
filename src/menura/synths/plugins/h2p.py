"""u-he's preset files, .h2p: a text of sections, and a block of packed data behind it. Read and written losslessly.

The text begins with comments and lines such as ``#AM=Diva`` (whose preset it is), ``#Vers=``, ``#ms=`` (names of the
modulation sources, one a line). ``#cm=ENV1`` opens a section of ``key=value`` lines. Knows the frame, not what the keys
mean: the plug-in loads the file itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from menura.errors import PresetError

_PACKED = re.compile(r"^// Section for ugly compressed binary Data", re.MULTILINE)
_LINE = re.compile(r"^([^=\r\n]+)=([^\r\n]*)\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class H2p:
    """One file; `to_bytes` gives back what `of_bytes` read."""

    text: str
    """All of it, each byte one character (latin-1)."""

    @staticmethod
    def of_bytes(data: bytes) -> H2p:
        """Reads a file. Raises PresetError."""
        text = data.decode("latin-1")
        if not re.search(r"^#AM=[^\r\n]+", text, re.MULTILINE) or not re.search(r"^#cm=", text, re.MULTILINE):
            raise PresetError("not a .h2p preset: there is no line #AM= or no section #cm=; give a u-he preset")
        return H2p(text)

    def to_bytes(self) -> bytes:
        """The file."""
        return self.text.encode("latin-1")

    @property
    def instrument(self) -> str:
        """Which u-he instrument it is for, e.g. ``'Diva'``."""
        found = re.search(r"^#AM=([^\r\n]+)", self.text, re.MULTILINE)
        return found[1].strip() if found else ""

    @property
    def sections(self) -> Mapping[str, Mapping[str, str]]:
        """Section to key to value, as texts."""
        found: dict[str, dict[str, str]] = {}
        section: dict[str, str] = {}
        for line in _LINE.finditer(self._body):
            key, value = line[1], line[2]
            if key == "#cm":
                section = found.setdefault(value, {})
            elif found and not key.startswith(("#", "//")):
                section[key] = value
        return found

    def with_value(self, section: str, key: str, value: str) -> H2p:
        """The same preset with one value replaced.

        Raises:
            PresetError: there is no such key, or the value is more than one line.
        """
        if "\n" in value or "\r" in value:
            raise PresetError(f"{section}.{key} cannot be {value!r}; a value is one line")
        current = ""
        for line in _LINE.finditer(self._body):
            if line[1] == "#cm":
                current = line[2]
            elif current == section and line[1] == key:
                return replace(self, text=self.text[: line.start(2)] + value + self.text[line.end(2) :])
        raise PresetError(f"the preset has no {key} in a section {section}; sections: {', '.join(self.sections)}")

    @property
    def _body(self) -> str:
        packed = _PACKED.search(self.text)
        return self.text[: packed.start()] if packed else self.text
