"""Which part of Vital a control belongs to, and which parts of a preset take part in its sound. Knows no engine.

A control of a part that is switched off, or of a modulator that moves nothing, changes nothing that is heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from functools import cache

from menura.preset import Preset

VOICE = "voice"
"""What is always heard: pitch, macros, envelope 1."""
_PART = re.compile(
    r"(osc_\d|sample|filter_\d|filter_fx|chorus|compressor|delay|distortion|eq|flanger|phaser|reverb"
    r"|env_[2-6]|lfo_\d|random_\d|macro_control_\d|modulation_\d+)(?:_|$)"
)
_MODULATOR = re.compile(r"env_[2-6]|lfo_\d|random_\d|macro_control_\d")


@cache
def part_of(name: str) -> str:
    """The part that a control or a modulation's end belongs to: ``osc_1``, ``eq``, ``lfo_3``, ...; else `VOICE`."""
    found = _PART.match(name)
    return found.group(1) if found else VOICE


def is_modulator(part: str) -> bool:
    """True for a part that is heard only through a route of its own."""
    return _MODULATOR.fullmatch(part) is not None


def sounding_parts(preset: Preset) -> Set[str]:
    """The parts that are switched on, and the modulators that move one of them, be it through another modulator."""
    found = {name[:-3] for name, value in preset.values.items() if name.endswith("_on") and value >= 0.5} | {VOICE}
    # What moves the amount of a route (`modulation_3_amount`) is heard where that route is.
    routes = [
        (part_of(route.destination), {route.source, f"modulation_{route.slot}"})
        for route in preset.routes
        if route.connected and not route.bypass
    ]
    while True:
        new = {part for moved, moving in routes if moved in found for part in moving} - found
        if not new:
            return found
        found |= new


def sounding_names(preset: Preset, names: Iterable[str]) -> list[str]:
    """Of these controls, those whose part is heard, in their order."""
    parts = sounding_parts(preset)
    return [name for name in names if part_of(name) in parts]
