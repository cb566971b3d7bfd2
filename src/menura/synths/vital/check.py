"""What the Vital engine can bear: refuses presets that would crash it, hang it or load by halves.

Owns the limits of values, routes and blocks of a Vital preset; knows the packaged table of controls and
no engine. The limits of wavetables are in `parts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from menura.errors import PresetError
from menura.preset import Preset, Route
from menura.synths.vital.controls import SLOTS, Control, controls
from menura.synths.vital.parts import check_line, check_wavetable, decode, fail

TOLERANCE = 0.5
"""How far a continuous control may lie outside its range, as a share of the range.

Presets by people do: a flanger's dry/wet of 0.707 where the engine's end is 0.5, a compressor's ratio of
1.05. The engine plays them as they are, so clamping would change the sound."""
_LARGEST = 3.4e38
_VERSION = re.compile(r"^\d{1,6}(\.\d{1,6}){1,3}$")
_TEXTS = ("author", "comments", "macro1", "macro2", "macro3", "macro4", "preset_style")
_MAX_SAMPLE = 50_000_000


def check_vital(preset: Preset) -> None:
    """Passes a preset that the engine loads whole and plays without crashing.

    Raises:
        PresetError: what is wrong, where, and what would be right.
    """
    if preset.synth != "vital":
        raise PresetError(f"preset is of synth {preset.synth!r}, not 'vital'; render it with its own synth")
    check_values(preset.values)
    check_routes(preset.routes)
    check_blocks(preset.blocks)


def check_values(values: Mapping[str, float]) -> None:
    """Passes scalars within what the engine plays. Raises PresetError."""
    limits = _limits()
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"control {name} is {value!r}, not a number")
        low, high = limits.get(name, (-_LARGEST, _LARGEST))
        if not low <= value <= high:
            control = controls().get(name)
            span = f"{control.low:g} to {control.high:g}" if control else "what a 32-bit float holds"
            fail(f"control {name} is {value!r}; its range is {span}")


def check_routes(routes: Sequence[Route]) -> None:
    """Passes routes that fit the slots and whose numbers are in range. Raises PresetError."""
    slots = [route.slot for route in routes if route.slot]
    if len(routes) > SLOTS or len(set(slots)) != len(slots) or any(not 1 <= slot <= SLOTS for slot in slots):
        fail(f"{len(routes)} routes in slots {sorted(slots)}; there are {SLOTS} slots, one route each")
    limits = _limits()
    for route in routes:
        if not isinstance(route.source, str) or not isinstance(route.destination, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"route in slot {route.slot} goes from {route.source!r} to {route.destination!r}; its ends are texts")
        for field, value in (("amount", route.amount), ("power", route.power)):
            low, high = limits[f"modulation_1_{field}"]
            if not low <= value <= high:
                ends = f"{route.source} to {route.destination}"
                fail(f"route from {ends} has {field} {value!r}; give {low:g} to {high:g}")


def check_blocks(blocks: Mapping[str, Any]) -> None:
    """Passes texts, shapes, tables and a sample that the engine reads whole. Raises PresetError."""
    version = blocks.get("synth_version", "1.5.5")
    if not isinstance(version, str) or not _VERSION.match(version) or version.startswith("0"):
        fail(f"synth_version is {version!r}; it must be text such as '1.5.5', not older than 1.0.0")
    for key in _TEXTS:
        if key in blocks and not isinstance(blocks[key], str):
            fail(f"{key} is {blocks[key]!r}, not text")
    settings_found = blocks.get("settings")
    if not isinstance(settings_found, Mapping):
        fail("there are no settings beside the controls: lfos, wavetables and sample are missing")
    settings = cast(Mapping[str, Any], settings_found)
    for name in settings:
        if name in controls():
            fail(f"control {name} is {settings[name]!r}, not a number")
    for number, lfo in enumerate(_list(settings, "lfos", 8), 1):
        check_line(lfo, f"lfo {number}")
    for number, table in enumerate(_list(settings, "wavetables", 3), 1):
        check_wavetable(table, f"wavetable {number}")
    _check_sample(settings.get("sample"))
    extras = cast(Mapping[str, Mapping[str, Any]], settings.get("modulations", {}))
    for slot, extra in extras.items():
        if "line_mapping" in extra:
            check_line(extra["line_mapping"], f"line_mapping of modulation {slot}")


def _limits() -> Mapping[str, tuple[float, float]]:
    if not _LIMITS:
        _LIMITS.update({name: _limit(control) for name, control in controls().items()})
    return _LIMITS


_LIMITS: dict[str, tuple[float, float]] = {}


def _limit(control: Control) -> tuple[float, float]:
    if control.indexed:
        return control.low, control.high
    excess = TOLERANCE * (control.high - control.low)
    return control.low - excess, control.high + excess


def _list(settings: Mapping[str, Any], key: str, count: int) -> list[Any]:
    found = settings.get(key)
    if not isinstance(found, list | tuple):
        fail(f"{key} are missing")
    items = list(cast(Sequence[Any], found))
    if len(items) != count:
        fail(f"there are {len(items)} {key}; Vital has {count}")
    return items


def _check_sample(found: object) -> None:
    if not isinstance(found, Mapping) or not found:
        fail("the sample is missing or empty; the engine would load by halves")
    sample = cast(Mapping[str, Any], found)
    length, rate = sample.get("length"), sample.get("sample_rate")
    if not _is_int(length) or not 1 <= cast(int, length) <= _MAX_SAMPLE:
        fail(f"the sample's length is {length!r}; it must be a whole number from 1 to {_MAX_SAMPLE}")
    if not _is_int(rate) or not 1000 <= cast(int, rate) <= 400_000:
        fail(f"the sample's sample_rate is {rate!r}; it must be a whole number of Hz from 1000 to 400000")
    if not isinstance(sample.get("name", ""), str):
        fail("the sample's name is not text")
    for key in ("samples", "samples_stereo"):
        if key == "samples" or key in sample:
            data = sample.get(key)
            if not isinstance(data, str):
                fail(f"the sample has no {key}")
            # Vital leaves the data out where it is its own noise and the sampler is off.
            if data and len(decode(data, f"the sample's {key}")) < 2 * cast(int, length):
                fail(f"the sample's {key} are shorter than its length of {length}")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
