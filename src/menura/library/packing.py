"""Presets as short lines: what differs from the initial patch, and large parts once for all. Knows no sound."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from menura.errors import InputError
from menura.preset import Preset, Route
from menura.storage import hash_bytes, write_bytes

_LARGE = 1_000
"""Characters from which a part (a wavetable, a sample) is kept once for all presets that have it."""
_DEPTH = 2
"""How deep in a preset's blocks a part lies at least."""
_PART = "$part"


class Parts:
    """A folder of JSON values by their content.

    Args:
        folder: need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Any] = {}

    def put(self, value: Any) -> str:
        """Keeps a value and answers with its name. Raises OutputError."""
        text = _text(value).encode()
        name = hash_bytes(text)[:32]
        if name not in self._known:
            path = self._path(name)
            if not path.exists():
                write_bytes(path, zlib.compress(text, 9), force=True)
            self._known[name] = value
        return name

    def get(self, name: str) -> Any:
        """The value of a name. Raises InputError where it is missing or damaged."""
        if name not in self._known:
            path = self._path(name)
            try:
                text = zlib.decompress(path.read_bytes())
            except (OSError, zlib.error) as error:
                raise InputError(f"{path} is missing or damaged; build the library again") from error
            if hash_bytes(text)[:32] != name:
                raise InputError(f"{path} is not what it was; build the library again")
            self._known[name] = json.loads(text)
        return self._known[name]

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json.z"


def pack(preset: Preset, base: Preset, parts: Parts) -> dict[str, Any]:
    """A preset as JSON, relative to the synth's initial patch. Raises OutputError."""
    return {
        "name": preset.name,
        "values": {name: value for name, value in preset.values.items() if base.values.get(name) != value},
        "without": [name for name in base.values if name not in preset.values],
        "routes": [list(astuple(route)) for route in preset.routes],
        "blocks": _parted(preset.blocks, parts, 0),
        "origin": dict(preset.origin),
    }


def unpack(packed: Mapping[str, Any], base: Preset, parts: Parts) -> Preset:
    """The preset of a line. Raises InputError where a part of it is missing."""
    without = set(packed["without"])
    values = {name: value for name, value in base.values.items() if name not in without} | packed["values"]
    return replace(
        base,
        name=packed["name"],
        values=values,
        routes=tuple(Route(*fields) for fields in packed["routes"]),
        blocks=_whole(packed["blocks"], parts),
        origin=packed["origin"],
    )


def _parted(value: Any, parts: Parts, depth: int) -> Any:
    if not isinstance(value, Mapping | list | tuple | str) or len(_text(value)) < _LARGE:
        return value
    if depth > _DEPTH or isinstance(value, str):
        return {_PART: parts.put(value)}
    if isinstance(value, Mapping):
        return {key: _parted(part, parts, depth + 1) for key, part in value.items()}
    return [_parted(part, parts, depth + 1) for part in value]


def _whole(value: Any, parts: Parts) -> Any:
    if isinstance(value, Mapping):
        return parts.get(value[_PART]) if _PART in value else {k: _whole(part, parts) for k, part in value.items()}
    return [_whole(part, parts) for part in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=dict, sort_keys=True)
