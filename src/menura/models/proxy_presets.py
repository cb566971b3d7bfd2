"""From the coordinates that a proxy sees back to presets that an engine can play. Knows no network.

The way there is `menura.training.proxy_inputs`. What a proxy does not see stands as in the initial patch,
without chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from menura.errors import CheckpointError
from menura.preset import Preset
from menura.space import Parameter, ParameterSpace
from menura.synths.base import Synth
from menura.synths.patches import patch_space

NOTE = "note"
"""Group of the parameters that are no part of a preset."""


class ProxyPresets:
    """Presets of a proxy's coordinates.

    Args:
        space: of what the proxy sees.
        synth: that plays the presets.

    Raises:
        CheckpointError: the space is of another synth, or of another version of this one.
    """

    def __init__(self, space: ParameterSpace, synth: Synth) -> None:
        if space.synth != synth.name:
            raise CheckpointError(f"a proxy of {space.synth} says nothing of {synth.name}; name one of {synth.name}")
        known, wider = synth.space, patch_space(synth).space
        own = [place for place, each in enumerate(space.parameters) if each.name in known]
        further = [
            place for place, each in enumerate(space.parameters) if each.name not in known and each.group != NOTE
        ]
        _require(space, own, known)
        _require(space, further, wider)
        self.space = space
        kept = sorted([*own, *further])
        self.estimated = ParameterSpace(space.synth, [space.parameters[place] for place in kept], slots=space.slots)
        """What there is to estimate: all but the note, in the proxy's order."""
        self._kept = kept
        place_of = {place: number for number, place in enumerate(kept)}
        self._own = np.array([place_of[place] for place in own], dtype=np.int64)
        self._plain = ParameterSpace(space.synth, [space.parameters[place] for place in own], slots=space.slots)
        names = {space.parameters[place].name: place_of[place] for place in further}
        self._blocks = wider.subset(*names) if names else None
        self._further = np.array([names[name] for name in (self._blocks.names if self._blocks else ())], dtype=np.int64)
        self._slots = _slots(self.estimated)
        # As corpora have their presets: without chance.
        self._init = synth.freeze(synth.init())

    def without_note(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates of `estimated`, shape (n, estimated.dim), of those that the proxy sees."""
        return vectors[:, self._kept]

    def note_of(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The note's coordinates, shape (n, space.dim - estimated.dim), of those that the proxy sees."""
        return np.delete(vectors, self._kept, axis=1)

    def presets(self, vectors: NDArray[np.floating]) -> list[Preset]:
        """The presets of coordinates of `estimated`, shape (n, estimated.dim); routes without both ends are none."""
        found: list[Preset] = []
        for vector in self.estimated.snap(np.atleast_2d(vectors)):
            for source, destination, fields in self._slots:
                if not (vector[source] and vector[destination]):
                    vector[fields] = self.estimated.default[fields]
            preset = self._plain.decode(vector[self._own], self._init)
            found.append(preset if self._blocks is None else self._blocks.decode(vector[self._further], preset))
        return found


def _slots(space: ParameterSpace) -> Sequence[tuple[int, int, list[int]]]:
    """Source, destination and all fields of each slot, as places."""
    slots: dict[int, dict[str, int]] = {}
    for place, each in enumerate(space.parameters):
        if each.slot:
            slots.setdefault(each.slot, {})[each.field] = place
    whole = (each for each in slots.values() if {"source", "destination"} <= set(each))
    return [(each["source"], each["destination"], list(each.values())) for each in whole]


def _require(space: ParameterSpace, places: Sequence[int], known: ParameterSpace) -> None:
    for place in places:
        told = space.parameters[place]
        if told.name not in known or not _alike(told, known[told.name]):
            raise CheckpointError(
                f"the proxy's parameter {told.name!r} is not as this {known.synth} has it; train one with this version"
            )


def _alike(told: Parameter, known: Parameter) -> bool:
    # Blocks that became parameters may stand in another group.
    return (told.kind, told.low, told.high, told.choices, told.slot, told.field) == (
        known.kind,
        known.low,
        known.high,
        known.choices,
        known.slot,
        known.field,
    )
