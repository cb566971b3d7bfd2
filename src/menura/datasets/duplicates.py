"""Near-duplicates: presets that are nearly the same in parameters, sounds that are nearly the same to hear.

Why: an author's fourth "Wub 2" beside "Wub" counts one patch twice in every mean, and across a split it leaks.
Thresholds were measured on 1,769 presets by people, see docs/decisions/062-sets.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.features.spectra import Matrix, log_mel
from menura.preset import Preset
from menura.space import ParameterSpace

PARAMETER_TWINS = 1.0
"""Presets nearer than this are twins: all differences together are less than one knob turned from end to end.
One switch thrown, one route more or one block (a wavetable, an LFO's shape, a sample) exchanged is no twin on paper:
the ear decides."""
SOUND_TWINS = 1.0
"""Sounds nearer than this are twins, dB: less than an engine's own chance makes between two renders of one preset."""
_WORDS = frozenset({"name", "author", "comments", "preset_name", "preset_style", "version", "synth_version", "license"})
_RATE = 44_100


@dataclass(frozen=True, slots=True, eq=False)
class ParameterPicture:
    """What two presets are compared by."""

    knobs: NDArray[np.float32]
    """Coordinates of all parameters that belong to no modulation slot, shape (dim,)."""
    routes: Mapping[tuple[str, str], float]
    """Source and destination to the amount of all routes between them that are not bypassed; slots do not count."""
    blocks: Mapping[str, str]
    """Place of each block to the hash of its content, without its texts."""


def parameter_picture(preset: Preset, space: ParameterSpace) -> ParameterPicture:
    """The picture of a preset; make it from `knob_space` of the synth's space.

    Raises:
        SpaceError: the preset is of another synth.
    """
    routes: dict[tuple[str, str], float] = {}
    for route in preset.routes:
        if route.connected and not route.bypass:
            ends = (route.source, route.destination)
            routes[ends] = routes.get(ends, 0.0) + route.amount
    return ParameterPicture(space.encode(preset), routes, dict(_leaves(preset.blocks)))


@cache
def knob_space(space: ParameterSpace) -> ParameterSpace:
    """The space without modulation slots: which slot holds a route makes no sound."""
    slotted = [parameter.name for parameter in space.parameters if parameter.slot]
    return space.lock(*slotted) if slotted else space


def parameter_distance(first: ParameterPicture, second: ParameterPicture) -> float:
    """How many knobs turned from end to end two presets are apart; 0 or more, symmetric, 0 for a preset and itself.

    The sum of the differences of all coordinates, of the amounts of all routes (a route that only one has counts 1),
    and of the number of blocks that differ.
    """
    total = float(np.abs(first.knobs - second.knobs).sum(dtype=np.float64))
    for ends in first.routes.keys() | second.routes.keys():
        one, other = first.routes.get(ends), second.routes.get(ends)
        total += 1.0 if one is None or other is None else min(1.0, abs(one - other))
    places = first.blocks.keys() | second.blocks.keys()
    return total + sum(first.blocks.get(place) != second.blocks.get(place) for place in places)


def twin_key(picture: ParameterPicture) -> str:
    """A stable hash by which equal presets are found without comparing each with each.

    Coordinates and amounts are rounded to a hundredth, so that equal keys are near-duplicates; near-duplicates on two
    sides of a rounding have two keys.
    """
    routes = sorted((*ends, round(amount, 2)) for ends, amount in picture.routes.items() if amount)
    knobs = np.rint(picture.knobs * 100.0).astype(np.int16)
    return _hash([hashlib.sha256(knobs.tobytes()).hexdigest(), [list(route) for route in routes], dict(picture.blocks)])


def repeats(keys: Iterable[str]) -> list[int]:
    """Places of all keys that stood before: of twins the one of the lowest index is kept.

    Every item is a pure function of its index, so this is one as well, in whatever order and by however many workers
    they were made; and no item has to wait for another.
    """
    seen: set[str] = set()
    found: list[int] = []
    for place, key in enumerate(keys):
        if key in seen:
            found.append(place)
        seen.add(key)
    return found


def sound_picture(audio: Audio) -> Matrix:
    """A log-mel picture of a sound, (frames, 64), dB below its own loudest band: gain does not count.

    25 ms Hann windows every 10 ms at 44.1 kHz, the middle one of the three scales of MSS.
    """
    sound = audio.to_mono().resample(_RATE)
    return log_mel(np.ascontiguousarray(sound.mono), _RATE, round(0.025 * _RATE), round(0.010 * _RATE), 64)


def sound_distance(first: Matrix, second: Matrix) -> float:
    """Mean absolute difference of two sound pictures, dB; the shorter one is followed by silence."""
    frames = max(len(first), len(second))
    return float(np.mean(np.abs(_stretched(first, frames) - _stretched(second, frames)), dtype=np.float64))


@dataclass(slots=True)
class Seen:
    """What was taken so far, to hold the next against."""

    parameters: float = PARAMETER_TWINS
    sounds: float = SOUND_TWINS
    _presets: list[tuple[str, ParameterPicture]] = field(default_factory=list[tuple[str, ParameterPicture]])
    _sounds: list[tuple[str, Matrix]] = field(default_factory=list[tuple[str, Matrix]])

    def preset_twin(self, picture: ParameterPicture) -> str | None:
        """The name of a preset that was taken and is as good as this one; None where there is none."""
        near = (name for name, other in self._presets if parameter_distance(picture, other) < self.parameters)
        return next(near, None)

    def sound_twin(self, picture: Matrix) -> str | None:
        """The name of a sound that was taken and is as good as this one; None where there is none."""
        return next((name for name, other in self._sounds if sound_distance(picture, other) < self.sounds), None)

    def take_preset(self, name: str, picture: ParameterPicture) -> None:
        """Remembers a preset."""
        self._presets.append((name, picture))

    def take_sound(self, name: str, picture: Matrix) -> None:
        """Remembers a sound."""
        self._sounds.append((name, picture))


def _stretched(picture: Matrix, frames: int) -> Matrix:
    missing = frames - len(picture)
    return picture if not missing else np.pad(picture, ((0, missing), (0, 0)), constant_values=-80.0)


def _leaves(blocks: Mapping[str, Any], place: str = "", *, inside: bool = False) -> list[tuple[str, str]]:
    """(place, hash) of each block: each of a list of tables or shapes by itself, a mapping of plain values as one."""
    found: list[tuple[str, str]] = []
    for key, value in blocks.items():
        here = f"{place}/{key}"
        if isinstance(value, Mapping):
            parts = cast(Mapping[str, Any], value)
            if not inside and any(_is_table(part) for part in parts.values()):
                found += _leaves(parts, here, inside=True)
            else:
                found.append((here, _hash(parts)))
        elif _is_table(value):
            found += [(f"{here}/{number}", _hash(part)) for number, part in enumerate(cast(list[Any], value))]
        elif isinstance(value, list) or (inside and key not in _WORDS):
            found.append((here, _hash(value)))
    return found


def _is_table(value: object) -> bool:
    """True for a mapping, and for a list of mappings."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(part, Mapping) for part in cast(list[Any], value))
    return isinstance(value, Mapping)


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(_bare(value), sort_keys=True, default=dict).encode()).hexdigest()[:16]


def _bare(value: object) -> object:
    """Without names and remarks, which make no sound."""
    if isinstance(value, Mapping):
        parts = cast(Mapping[str, Any], value)
        return {key: _bare(part) for key, part in parts.items() if key not in _WORDS}
    return [_bare(part) for part in cast(list[Any], value)] if isinstance(value, list) else value
