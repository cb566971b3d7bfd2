"""Limits of Vital's drawn lines and wavetables: refuses what its engine would crash on.

Owns the parts list of a wavetable (component types, their fields and ranges). The bounds are those of
the engine's own editor; the engine itself checks none of them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import numpy as np

from menura.errors import PresetError

MAX_POINTS = 100
"""Points of a drawn line; the engine's arrays hold no more."""
FRAME_BYTES = 4 * 2048
"""One keyframe of a wave: 2048 float32 samples."""
_LOUDEST = 1e4
_MAX_GROUPS = 64
_MAX_KEYFRAMES = 1024


@dataclass(frozen=True, slots=True)
class _Field:
    """A number of a component or keyframe."""

    low: float
    high: float
    whole: bool = False
    needed: bool = True


_COMPONENT: dict[str, dict[str, _Field]] = {
    "Wave Source": {"interpolation": _Field(0, 1, True)},
    "Line Source": {"num_points": _Field(0, MAX_POINTS, True)},
    "Audio File Source": {
        "window_size": _Field(1, 1e6),
        "fade_style": _Field(0, 3, True, False),
        "phase_style": _Field(0, 2, True, False),
        "random_seed": _Field(-(2**31), 2**31 - 1, True, False),
        "audio_sample_rate": _Field(1000, 400_000, True, False),
    },
    "Shepard Tone Source": {"interpolation": _Field(0, 1, True)},
    "Phase Shift": {"style": _Field(0, 4, True)},
    "Wave Window": {"window_shape": _Field(0, 4, True)},
    "Frequency Filter": {"style": _Field(0, 3, True)},
    "Slew Limiter": {},
    "Wave Folder": {},
    "Wave Warp": {},
}
_KEYFRAME: dict[str, dict[str, _Field]] = {
    "Line Source": {"pull_power": _Field(0, 100, False, False)},
    "Audio File Source": {
        "start_position": _Field(0, 1e8),
        "window_fade": _Field(0, 1),
        "window_size": _Field(1, 1e6),
    },
    "Phase Shift": {"phase": _Field(-100, 100), "mix": _Field(0, 1)},
    "Wave Window": {"left_position": _Field(0, 1), "right_position": _Field(0, 1)},
    "Frequency Filter": {"cutoff": _Field(-1, 16), "shape": _Field(0, 1)},
    "Slew Limiter": {"up_run_rise": _Field(0, 100), "down_run_rise": _Field(0, 100)},
    "Wave Folder": {"fold_boost": _Field(0, 100)},
    "Wave Warp": {"horizontal_power": _Field(-20, 20), "vertical_power": _Field(-20, 20)},
}
_FLAGS: dict[str, tuple[str, ...]] = {
    "Audio File Source": ("normalize_gain",),
    "Frequency Filter": ("normalize",),
    "Wave Warp": ("horizontal_asymmetric", "vertical_asymmetric"),
}


def fail(what: str) -> NoReturn:
    """Raises PresetError."""
    raise PresetError(f"preset cannot be used: {what}")


def check_line(found: object, where: str) -> None:
    """Passes a drawn line: 1 to 100 points in the unit square, y downwards, one power each. Raises PresetError."""
    if not isinstance(found, Mapping):
        fail(f"{where} is not a drawn line")
    line = cast(Mapping[str, Any], found)
    count = line.get("num_points")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_POINTS:
        fail(f"{where} has num_points {count!r}; it must be a whole number from 1 to {MAX_POINTS}")
    for key, length, low, high in (("points", 2 * count, -0.01, 1.01), ("powers", count, -20.5, 20.5)):
        numbers_found = line.get(key)
        if not isinstance(numbers_found, list | tuple):
            fail(f"{where} has no {key}")
        numbers = cast(Sequence[Any], numbers_found)
        if len(numbers) != length:
            fail(f"{where} has {len(numbers)} {key} for {count} points; there must be {length}")
        for number in numbers:
            if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
                fail(f"{where} has {number!r} among its {key}; give numbers from {round(low):g} to {round(high):g}")
    if not isinstance(line.get("name", ""), str) or not isinstance(line.get("smooth", False), bool):
        fail(f"{where} has a name that is no text, or a smooth that is neither true nor false")


def check_wavetable(found: object, where: str) -> None:
    """Passes a wavetable of known parts whose data are whole. Raises PresetError."""
    if not isinstance(found, Mapping):
        fail(f"{where} is {found!r}, not a wavetable; the oscillator would be silent")
    table = cast(Mapping[str, Any], found)
    version = table.get("version")
    if not isinstance(version, str) or version.partition(".")[0] in ("", "0"):
        fail(f"{where} has version {version!r}; it must be text, not older than 1.0.0")
    for key in ("name", "author"):
        if not isinstance(table.get(key, ""), str):
            fail(f"{where} has a {key} that is no text")
    for key in ("remove_all_dc", "full_normalize"):
        if not isinstance(table.get(key, False), bool):
            fail(f"{where} has {key} {table[key]!r}; it must be true or false")
    groups = _objects(table.get("groups"), f"groups of {where}", _MAX_GROUPS)
    for group in groups:
        for component in _objects(group.get("components"), f"components of {where}", _MAX_GROUPS):
            _check_component(component, where)


def decode(found: object, what: str) -> bytes:
    """The bytes of a base64 text. Raises PresetError."""
    if not isinstance(found, str):
        fail(f"{what} is missing")
    try:
        return base64.b64decode(found, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PresetError(f"preset cannot be used: {what} is no base64 ({error})") from None


def _check_component(component: Mapping[str, Any], where: str) -> None:
    kind = component.get("type")
    if not isinstance(kind, str) or kind not in _COMPONENT:
        fail(f"{where} has a component of type {kind!r}; the engine knows {', '.join(_COMPONENT)}")
    what = f"{kind} of {where}"
    fields = {"interpolation_style": _Field(0, 2, True, False), **_COMPONENT[kind]}
    for key, field in fields.items():
        _check_number(component, key, field, what)
    for key in _FLAGS.get(kind, ()):
        if not isinstance(component.get(key), bool):
            fail(f"{what} has {key} {component.get(key)!r}; it must be true or false")
    if kind == "Audio File Source":
        _check_audio(component, what)
    for keyframe in _objects(component.get("keyframes"), f"keyframes of {what}", _MAX_KEYFRAMES):
        _check_number(keyframe, "position", _Field(0, 256, True), what)
        for key, field in _KEYFRAME.get(kind, {}).items():
            _check_number(keyframe, key, field, what)
        if kind in ("Wave Source", "Shepard Tone Source"):
            _check_wave(keyframe.get("wave_data"), what)
        elif kind == "Line Source" and "line" in keyframe:
            check_line(keyframe["line"], f"line of {what}")


def _check_audio(component: Mapping[str, Any], what: str) -> None:
    if not isinstance(component.get("normalize_mult", True), bool):
        fail(f"{what} has normalize_mult {component['normalize_mult']!r}; it must be true or false")
    data = decode(component.get("audio_file"), f"audio_file of {what}")
    if len(data) % 2 or not data:
        fail(f"{what} holds {len(data)} bytes of audio; it must be 16-bit samples, at least one")


def _check_wave(found: object, what: str) -> None:
    data = decode(found, f"wave_data of {what}")
    if len(data) != FRAME_BYTES:
        fail(f"wave_data of {what} is {len(data)} bytes; a keyframe is 2048 float32 samples, {FRAME_BYTES} bytes")
    if not bool(np.all(np.abs(np.frombuffer(data, "<f4")) <= _LOUDEST)):
        fail(f"wave_data of {what} holds a sample that is not finite or above {_LOUDEST:g}")


def _check_number(item: Mapping[str, Any], key: str, field: _Field, what: str) -> None:
    if key not in item:
        if field.needed:
            fail(f"{what} has no {key}")
        return
    value = item[key]
    right = isinstance(value, int) if field.whole else isinstance(value, int | float)
    if isinstance(value, bool) or not right or not field.low <= value <= field.high:
        kind = "a whole number" if field.whole else "a number"
        fail(f"{what} has {key} {value!r}; it must be {kind} from {field.low:g} to {field.high:g}")


def _objects(found: object, what: str, most: int) -> list[Mapping[str, Any]]:
    if not isinstance(found, list | tuple) or not found:
        fail(f"{what} are missing")
    items = list(cast(Sequence[Any], found))
    if len(items) > most or not all(isinstance(item, Mapping) for item in items):
        fail(f"{what} are {len(items)} items; there must be at most {most}, each an object")
    return items
