"""Menura's own preset file for plug-ins, JSON (.menura), and the same as a tail behind a plug-in's own file.

A plug-in's state is its own secret: what it hands out again may differ in the last bits from what it was given. The
tail holds what menura gave it, so that a file that menura wrote comes back exactly; hosts read by the sizes in the
file's head and never see it.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any, cast

from menura.errors import PresetError
from menura.preset import Preset
from menura.synths.plugins.controls import Probe

SUFFIX = ".menura"
_FORMAT = "menura-plugin-1"
_MARK = b"menura-tail-1\n"
_TAIL = struct.Struct("<II")
"""CRC-32 of the file before the tail, and the length of what is packed."""


def to_document(preset: Preset, probe: Probe) -> bytes:
    """The preset as JSON text."""
    document = {
        "format": _FORMAT,
        "plugin": identity_of(probe),
        "name": preset.name,
        "values": dict(preset.values),
        "blocks": dict(preset.blocks),
    }
    return (json.dumps(document, sort_keys=True, indent=1) + "\n").encode()


def of_document(data: bytes, probe: Probe, synth: str) -> Preset:
    """The preset of a JSON text.

    Raises:
        PresetError: it is none, or one for another plug-in.
    """
    try:
        found: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PresetError(f"not a {SUFFIX} preset: {error}") from error
    if not isinstance(found, dict) or cast(dict[str, Any], found).get("format") != _FORMAT:
        raise PresetError(f"not a {SUFFIX} preset: it does not say format {_FORMAT!r}")
    document = cast(dict[str, Any], found)
    plugin, values, blocks = (document.get(key) for key in ("plugin", "values", "blocks"))
    if not all(isinstance(part, dict) for part in (plugin, values, blocks)):
        raise PresetError(f"not a {SUFFIX} preset: plugin, values or blocks are missing")
    check_identity(str(cast(dict[str, Any], plugin).get("uid")), str(cast(dict[str, Any], plugin).get("name")), probe)
    name = document.get("name", "")
    preset = Preset(synth, cast(dict[str, float], values), name=str(name), blocks=cast(dict[str, Any], blocks))
    check_preset(preset, probe, synth)
    return preset


def with_tail(body: bytes, document: bytes) -> bytes:
    """A plug-in's own file with a document behind it."""
    packed = zlib.compress(document, 9)
    return body + packed + _TAIL.pack(zlib.crc32(body), len(packed)) + _MARK


def split_tail(data: bytes) -> tuple[bytes, bytes | None]:
    """The plug-in's own file, and the document behind it; None where there is none or the file was changed since."""
    if not data.endswith(_MARK):
        return data, None
    end = len(data) - len(_MARK) - _TAIL.size
    if end < 0:
        return data, None
    check, length = _TAIL.unpack_from(data, end)
    body = data[: end - length] if length <= end else b""
    if not body or zlib.crc32(body) != check:
        return data, None
    try:
        return body, zlib.decompress(data[end - length : end])
    except zlib.error:
        return data, None


def identity_of(probe: Probe) -> dict[str, str]:
    """What a preset file says of the plug-in that it is for."""
    return {"format": probe.format, "name": probe.plugin, "uid": probe.uid}


def check_identity(uid: str, called: str, probe: Probe) -> None:
    """Passes presets of this plug-in. Raises PresetError."""
    if uid != probe.uid:
        raise PresetError(
            f"the preset is for the plug-in {called} ({uid}), not for {probe.plugin} ({probe.uid}); "
            "choose the plug-in that it was made with"
        )


def check_preset(preset: Preset, probe: Probe, synth: str) -> None:
    """Passes presets that the plug-in can be given. Raises PresetError."""
    if preset.synth != synth:
        raise PresetError(f"preset is of synth {preset.synth!r}, not {synth!r}")
    if preset.routes:
        raise PresetError(f"preset has {len(preset.routes)} routes; a plug-in keeps its own among its parameters")
    if not isinstance(preset.values, Mapping) or not isinstance(preset.blocks, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise PresetError("plug-in preset has no values or no blocks")
    for name, value in preset.values.items():
        control = probe.by_name.get(name)
        if control is None:
            raise PresetError(f"{probe.plugin} has no control {name!r}; is the preset of another version of it?")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise PresetError(f"control {name} is {value!r}; give a number from 0 to {control.highest:g}")
        low, high = control.bounds
        if not low <= value <= high:
            raise PresetError(f"control {name} is {value:g}; its range is {low:g} to {high:g}")
    state_of(preset)


def state_of(preset: Preset) -> bytes | None:
    """The plug-in's own state that the preset begins from; None for a fresh instance. Raises PresetError."""
    found = preset.blocks.get("state")
    if found is None:
        return None
    try:
        return base64.b64decode(found, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise PresetError(f"plug-in preset has a state that is no base64 text ({error})") from error
