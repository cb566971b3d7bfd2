"""The `Preset` value: all of a synth's state, lossless. Knows no engine and no file format."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from menura.errors import PresetError

# Begins with what is looked for: a hundred times as fast on waves as looking behind.
_MINUS_ZERO = re.compile(r"-0\.0(?=[,\]}])")


@dataclass(frozen=True, slots=True)
class Route:
    """One modulation: a source moves a destination by an amount."""

    source: str
    destination: str
    amount: float = 0.0
    """-1 to 1, a share of the destination's range."""
    slot: int = 0
    """Which of the synth's slots holds it, from 1; 0 lets the writer choose a free one."""
    bipolar: bool = False
    """True swings to both sides of the setting, False to one."""
    stereo: bool = False
    bypass: bool = False
    power: float = 0.0
    """Curve of the response, 0 is straight."""

    @property
    def connected(self) -> bool:
        """True where both ends are named; a route with one end keeps its slot and moves nothing."""
        return bool(self.source and self.destination)


@dataclass(frozen=True, eq=False)
class Preset:
    """Everything that a synth needs to play a patch; never changed in place.

    Two presets are equal when their state (synth, values, routes, blocks) is.
    """

    synth: str
    """Name of the synth, as the registry knows it."""
    values: Mapping[str, float]
    """Scalar controls by the engine's own names, in the engine's own units."""
    name: str = ""
    routes: tuple[Route, ...] = ()
    """Modulation matrix, in slot order."""
    blocks: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Whatever is no scalar: wavetables, samples, shapes, texts. JSON values, treated as frozen."""
    origin: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Where it came from (file, lineage, seed); no part of the state."""

    @cached_property
    def id(self) -> str:
        """sha256 of the state, as hex; 0 and -0 are one value."""
        state = {
            "synth": self.synth,
            "values": {name: float(value) for name, value in self.values.items()},
            "routes": [
                [r.source, r.destination, r.amount, r.slot, r.bipolar, r.stereo, r.bypass, r.power] for r in self.routes
            ],
            "blocks": self.blocks,
        }
        text = json.dumps(state, sort_keys=True, separators=(",", ":"), default=dict)
        return hashlib.sha256(_MINUS_ZERO.sub("0.0", text).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Preset) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def with_values(self, **changes: float) -> Preset:
        """The same preset with these scalars changed."""
        return replace(self, values={**self.values, **changes})


def place_routes(routes: Sequence[Route], slots: int) -> tuple[Route, ...]:
    """The routes in slot order, every `slot` 0 replaced by the lowest free one.

    Args:
        routes: of one preset.
        slots: how many slots the synth has, counted from 1.

    Raises:
        PresetError: two routes claim one slot, or they do not fit.
    """
    taken = [route.slot for route in routes if route.slot]
    if len(routes) > slots or len(set(taken)) != len(taken) or any(not 1 <= slot <= slots for slot in taken):
        raise PresetError(
            f"preset has {len(routes)} routes in slots {sorted(taken)}; there are {slots} slots, one route each"
        )
    free = iter([slot for slot in range(1, slots + 1) if slot not in set(taken)])
    found = [route if route.slot else replace(route, slot=next(free)) for route in routes]
    return tuple(sorted(found, key=lambda route: route.slot))
