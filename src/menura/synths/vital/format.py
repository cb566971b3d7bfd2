"""The `.vital` file: bytes to `Preset` and back, without the engine and without loss.

Owns the shape of the file; `check` owns what the engine can bear. In a Vital preset

- `values` holds the numeric scalars of the file's `settings` under the engine's own names; the five
  scalars of a modulation slot are there only where the slot is empty and they are not at rest;
- `routes` holds the modulation slots that name an end, `slot` counting from 1;
- `name` is the file's `preset_name`;
- `blocks` is the rest of the file in the file's own shape: `blocks["author"]`, `blocks["comments"]`,
  `blocks["macro1"]`, `blocks["synth_version"]`, ..., and `blocks["settings"]` with `lfos` (8 shapes),
  `wavetables` (3), `sample`, `modulations` (by slot number as text, only what a slot has beside its
  ends, such as `line_mapping`) and every key that menura does not know.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from menura.errors import PresetError
from menura.preset import Preset, Route, place_routes
from menura.synths.vital.check import check_vital
from menura.synths.vital.controls import SLOT_FIELDS, SLOTS, controls

VERSION = "1.5.5"
"""The version that a new preset carries; one that was read keeps its own."""
ENGINE_VERSION = "99999.9.9"
"""What the engine stamps: Vital itself would take such a file for one from its future."""
_LARGEST_INTEGER = 2**63
_SLOT_SCALARS = frozenset(f"modulation_{slot}_{field}" for slot in range(1, SLOTS + 1) for field in SLOT_FIELDS)


def read_vital(source: bytes) -> Preset:
    """The preset in the bytes of a `.vital` file.

    Reading and writing again gives the same JSON state: equal numbers, equal keys. Only what is not
    a preset's own is made whole: the engine's version stamp becomes `VERSION`, and absent slots appear.

    Raises:
        PresetError: the bytes are no preset, or one that would crash the engine or half load.
    """
    document = _parse(source)
    settings_found = document.get("settings")
    if not isinstance(settings_found, dict) or not settings_found:
        raise PresetError("preset has no settings; it is empty or was cut off: give a .vital file saved by Vital")
    settings = cast(dict[str, Any], settings_found)
    slots = _slots(settings.get("modulations"))
    values = {key: value for key, value in settings.items() if _is_number(value) and key not in _SLOT_SCALARS}
    rest: dict[str, Any] = {
        key: value for key, value in settings.items() if not _is_number(value) and key != "modulations"
    }
    routes: list[Route] = []
    extras: dict[str, dict[str, Any]] = {}
    for slot in range(1, SLOTS + 1):
        entry = slots[slot - 1] if slot <= len(slots) else {}
        scalars = _slot_scalars(settings, slot)
        source_name, destination = entry.get("source", ""), entry.get("destination", "")
        if source_name or destination:
            routes.append(
                Route(
                    source_name,
                    destination,
                    amount=scalars["amount"],
                    slot=slot,
                    bipolar=scalars["bipolar"] >= 0.5,
                    stereo=scalars["stereo"] >= 0.5,
                    bypass=scalars["bypass"] >= 0.5,
                    power=scalars["power"],
                )
            )
        else:
            values.update(
                {f"modulation_{slot}_{field}": value for field, value in scalars.items() if value != _rest(field)}
            )
        extra = {key: value for key, value in entry.items() if key not in ("source", "destination")}
        if extra:
            extras[str(slot)] = extra
    if extras:
        rest["modulations"] = extras
    name, blocks = _texts(document)
    preset = Preset("vital", values, name=name, routes=tuple(routes), blocks={**blocks, "settings": rest})
    check_vital(preset)
    return preset


def write_vital(preset: Preset, *, for_engine: bool = False) -> bytes:
    """The bytes of a `.vital` file that Vital opens.

    Args:
        preset: a preset of this synth.
        for_engine: leave nothing to what the engine finds in its memory: a sample whose data is
            absent is filled with silence. Such bytes are for rendering, not for saving.

    Raises:
        PresetError: the preset is no Vital preset, would crash the engine, or has no free slot.
    """
    check_vital(preset)
    return dump_vital(preset, for_engine=for_engine)


def dump_vital(preset: Preset, *, for_engine: bool = False) -> bytes:
    """`write_vital` without the check, for presets that were checked already."""
    blocks = dict(preset.blocks)
    rest = dict(cast(Mapping[str, Any], blocks.pop("settings")))
    extras = cast(Mapping[str, Mapping[str, Any]], rest.pop("modulations", {}))
    settings: dict[str, Any] = {**rest, **preset.values}
    modulations: list[dict[str, Any]] = []
    by_slot = {route.slot: route for route in place_routes(preset.routes, SLOTS)}
    for slot in range(1, SLOTS + 1):
        entry: dict[str, Any] = {"source": "", "destination": "", **extras.get(str(slot), {})}
        route = by_slot.get(slot)
        for field in SLOT_FIELDS:
            key = f"modulation_{slot}_{field}"
            settings[key] = float(getattr(route, field)) if route else settings.get(key, _rest(field))
        if route:
            entry.update(source=route.source, destination=route.destination)
        modulations.append(entry)
    settings["modulations"] = modulations
    if for_engine:
        settings["sample"] = _whole_sample(settings["sample"])
    document: dict[str, Any] = {**blocks, "settings": settings}
    if document.get("preset_name", "") is None and not preset.name:
        del document["preset_name"]
    else:
        document["preset_name"] = preset.name
    version = document.get("synth_version", VERSION)
    document["synth_version"] = VERSION if version == ENGINE_VERSION else version
    try:
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise PresetError(f"preset cannot be written as JSON ({error}); a block holds something odd") from error


def _rest(field: str) -> float:
    return controls()[f"modulation_1_{field}"].default


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _slot_scalars(settings: Mapping[str, Any], slot: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for field in SLOT_FIELDS:
        key = f"modulation_{slot}_{field}"
        value = settings.get(key, _rest(field))
        if not _is_number(value):
            raise PresetError(f"preset control {key} is {value!r}, not a number; the file is broken")
        found[field] = value
    return found


def _slots(found: object) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        raise PresetError("preset settings have no list of modulations; the file is broken or was cut off")
    entries = cast(list[object], found)
    if len(entries) > SLOTS:
        raise PresetError(f"preset has {len(entries)} modulations; Vital has {SLOTS} and more crash its engine")
    slots: list[dict[str, Any]] = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise PresetError(f"preset modulation {number} is {type(entry).__name__}, not an object")
        slot = cast(dict[str, Any], entry)
        if not isinstance(slot.get("source"), str) or not isinstance(slot.get("destination"), str):
            raise PresetError(f"preset modulation {number} lacks its source or destination as text")
        slots.append(slot)
    return slots


def _texts(document: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and the file's top level without the settings; `preset_name` None marks its absence."""
    blocks: dict[str, Any] = {key: value for key, value in document.items() if key not in ("settings", "preset_name")}
    name = document.get("preset_name", "")
    if not isinstance(name, str):
        raise PresetError(f"preset_name is {name!r}, not text; the file is broken")
    if "preset_name" not in document:
        blocks["preset_name"] = None
    if blocks.get("synth_version") == ENGINE_VERSION:
        blocks["synth_version"] = VERSION
    if "synth_version" not in blocks:
        raise PresetError("preset has no synth_version; give a .vital file saved by Vital")
    return name, blocks


def _whole_sample(found: object) -> dict[str, Any]:
    """A sample whose missing data is written out as silence, so that the engine reads no stray memory."""
    sample = dict(cast(Mapping[str, Any], found))
    for key in ("samples", "samples_stereo"):
        if sample.get(key) == "":
            length = 2 * cast(int, sample["length"])
            sample[key] = "A" * (4 * (length // 3)) + {0: "", 1: "AA==", 2: "AAA="}[length % 3]
    return sample


def _parse(source: bytes) -> dict[str, Any]:
    def refuse(word: str) -> NoReturn:
        raise PresetError(f"preset holds {word}, which is no number; the file is broken")

    def number(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            refuse(text)
        return value

    def integer(text: str) -> int:
        if len(text) > 20 or not -_LARGEST_INTEGER <= int(text) < _LARGEST_INTEGER:
            refuse(f"the integer {text[:24]}")
        return int(text)

    try:
        document: object = json.loads(source, parse_constant=refuse, parse_float=number, parse_int=integer)
        # Lone surrogates pass the parser but are no UTF-8, which the engine wants.
        if b"\\u" in source.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise PresetError(f"not a .vital preset: {_first_line(error)}; give a file that Vital saved") from None
    if not isinstance(document, dict):
        raise PresetError(f"not a .vital preset: the file holds a {type(document).__name__}, not an object")
    return cast(dict[str, Any], document)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
