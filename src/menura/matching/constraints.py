"""What a user wants kept: locked controls, and a preset to stay near. Knows no stage and no sound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.errors import SpaceError
from menura.preset import Preset
from menura.space import ParameterSpace

NEAR_RADIUS = 0.15
"""How far a control may go from the `near` preset, as a share of its range."""


class Constraints:
    """Keeps presets within what the user has asked for.

    Args:
        space: Every control of the synth.
        base: The preset that locked controls are taken from: `near`, or the synth's initial patch.
        lock: Names of controls, or of groups of the space, that stay as they are in the base.
        near: Whether to stay near the base in all other controls too.

    Raises:
        SpaceError: a name is neither a control nor a group.
    """

    def __init__(self, space: ParameterSpace, base: Preset, *, lock: Iterable[str] = (), near: bool = False) -> None:
        self.base = base
        self.near = near
        self.locked: frozenset[str] = _names(space, tuple(lock))
        self._space = space

    def apply(self, preset: Preset) -> Preset:
        """The preset with its locked controls set back to those of the base.

        A route to a locked control that the base does not have is taken out: it would move what is to stay.
        """
        if not self.locked:
            return preset
        kept = {name: value for name, value in self.base.values.items() if name in self.locked}
        routes = tuple(r for r in preset.routes if r.destination not in self.locked or r in self.base.routes)
        return replace(preset, values={**preset.values, **kept}, routes=routes)

    def box(self, space: ParameterSpace) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper bounds in the coordinates of a space, each of shape (dim,)."""
        dim = space.dim
        if not self.near:
            return np.zeros(dim), np.ones(dim)
        centre = np.asarray(space.encode(self.base), dtype=np.float64)
        return np.clip(centre - NEAR_RADIUS, 0.0, 1.0), np.clip(centre + NEAR_RADIUS, 0.0, 1.0)


def _names(space: ParameterSpace, lock: tuple[str, ...]) -> frozenset[str]:
    known: dict[str, Any] = {parameter.name: parameter for parameter in space.parameters}
    names: set[str] = set()
    for entry in lock:
        if entry in known:
            names.add(entry)
            continue
        group = {parameter.name for parameter in space.parameters if parameter.group == entry}
        if not group:
            groups = sorted({parameter.group for parameter in space.parameters})
            raise SpaceError(f"cannot lock {entry!r}: no control or group has that name; groups: {', '.join(groups)}")
        names |= group
    return frozenset(names)
