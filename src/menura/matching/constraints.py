"""What a user wants kept: locked controls, and a preset to stay near. Knows no stage and no sound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from menura.matching.idiom import idiom_of
from menura.preset import Preset, Route
from menura.space import ParameterSpace

NEAR_RADIUS = 0.15
"""How far a control may go from the `near` preset, as a share of its range."""


class Constraints:
    """Keeps presets within what the user has asked for.

    Args:
        space: Every control of the synth.
        base: The preset that locked controls are taken from: `near`, or the synth's initial patch.
        lock: Controls, groups, or patterns such as `filter_1_*`, that stay as they are in the base.
        near: Whether to stay near the base in all other controls too.

    Raises:
        SpaceError: a name is neither a control nor a group nor a pattern that fits one.
    """

    def __init__(self, space: ParameterSpace, base: Preset, *, lock: Iterable[str] = (), near: bool = False) -> None:
        self.base = base
        self.near = near
        self.locked: frozenset[str] = frozenset(space.subset(*lock).names) if lock else frozenset()
        self._space = space

    def apply(self, preset: Preset) -> Preset:
        """The preset with its locked controls set back to those of the base.

        A route to a locked control that the base does not have is taken out: it would move what is to stay.
        """
        if not self.locked:
            return preset
        kept = {name: value for name, value in self.base.values.items() if name in self.locked}
        held = tuple(route for route in self.base.routes if self._holds(route))
        taken = {route.slot for route in held}
        free = tuple(route for route in preset.routes if not self._holds(route) and route.slot not in taken)
        blocks = idiom_of(preset.synth).held_blocks(self.base, preset, self.locked)
        return replace(preset, values={**preset.values, **kept}, routes=held + free, blocks=blocks)

    def _holds(self, route: Route) -> bool:
        """True where a route is what the lock keeps: it moves a locked control, or its slot is locked."""
        return route.destination in self.locked or f"modulation_{route.slot}_amount" in self.locked

    def box(self, space: ParameterSpace) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper bounds in the coordinates of a space, each of shape (dim,)."""
        dim = space.dim
        if not self.near:
            return np.zeros(dim), np.ones(dim)
        centre = np.asarray(space.encode(self.base), dtype=np.float64)
        return np.clip(centre - NEAR_RADIUS, 0.0, 1.0), np.clip(centre + NEAR_RADIUS, 0.0, 1.0)
