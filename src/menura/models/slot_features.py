"""How modulation slots are laid out for a network: scalars, roles and pointers. Owns both ways; NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from menura.space import Parameter, ParameterSpace
from menura.synths.patches import PatchSpace

Features = NDArray[np.float32]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ends:
    """How the sources, or the destinations, of slots are told by pointer and role."""

    parts: tuple[int, ...]
    """Parts that are pointed at."""
    roles: tuple[str, ...]
    """The first is no route at all."""
    codes: tuple[tuple[int, int, int], ...]
    """(choice, place in `parts`, role) of all that a slot can say."""

    @property
    def width(self) -> int:
        """Features of one end."""
        return len(self.roles) + len(self.parts)


class Roles:
    """What a parameter, or an end of a route, is in its part: the same in all parts of a family."""

    def __init__(self, patches: PatchSpace) -> None:
        self.part_of = patches.part_of
        self._family_of = {name: family for family, names in patches.families.items() for name in names}

    def family_of(self, part: str) -> str | None:
        """The family of a part, where it has one."""
        return self._family_of.get(part)

    def of(self, name: str) -> str:
        """The role of a parameter or an end."""
        part = self.part_of(name)
        family = self.family_of(part)
        return name if family is None else f"{family}:{name.removeprefix(part)}"


class SlotFeatures:
    """The features of the modulation slots of a layout, after those of its parts.

    Args:
        space: of the patches.
        told: parameters of slots that are told.
        ends: sources and destinations of routes that are told.
        parts: names of the layout's parts, in order.
        roles: of the space.
        start: first feature.
    """

    def __init__(
        self,
        space: ParameterSpace,
        told: Sequence[Parameter],
        ends: Sequence[str],
        parts: Sequence[str],
        roles: Roles,
        start: int,
    ) -> None:
        self._space = space
        fields = list(dict.fromkeys(p.field for p in told))
        numbers = sorted({p.slot for p in told}) if {"source", "destination"} <= set(fields) else []
        self.sources, self.destinations = (
            _ends_of(space[f"modulation_{numbers[0]}_{field}"].choices if numbers else (), ends, parts, roles)
            for field in ("source", "destination")
        )
        if not self.sources.codes or not self.destinations.codes:
            numbers = []
        self.count = len(numbers)
        """How many slots are told; with none, all below is empty."""
        names = [name for name in ("amount", "bipolar", "bypass", "power", "stereo") if name in fields]
        width = len(names) + self.sources.width + self.destinations.width
        self.width = len(numbers) * width
        """Features of all slots."""
        self.features: Index = start + np.arange(self.width, dtype=np.int64).reshape(-1, width)
        """Shape (slots, features of one)."""
        self.scalars: Index = self.features[:, : len(names)]
        """Features of the slots that are scalars, the amount first, shape (slots, scalars)."""
        self.scalar_toggles = np.array([name in ("bipolar", "bypass", "stereo") for name in names])
        index = space.index
        self.coordinates: Index = np.array(
            [[index(f"modulation_{n}_{name}") for name in (*names, "source", "destination")] for n in numbers], np.int64
        ).reshape(len(numbers), len(names) + 2)
        """Coordinates of the space, in the order of the scalars, then source and destination, shape (slots, n)."""

    @cached_property
    def choices(self) -> tuple[Index, ...]:
        """Features of which a slot chooses one: role and pointer of source and destination, shape (slots, n) each."""
        if not self.count:
            return ()
        found: list[Index] = []
        start = self.scalars.shape[1]
        for ends in (self.sources, self.destinations):
            for width in (len(ends.roles), len(ends.parts)):
                found.append(self.features[:, start : start + width])
                start += width
        return tuple(found)

    def encode(self, snapped: NDArray[np.float64], found: Features) -> None:
        """Write the features of snapped vectors, shape (n, dim), into `found`, shape (n, width of the layout)."""
        n_scalars = self.scalars.shape[1]
        last = [len(self._space.parameters[self.coordinates[0, n_scalars + end]].choices) - 1 for end in (0, 1)]
        ends: list[NDArray[np.int64]] = [
            np.rint(snapped[:, self.coordinates[:, n_scalars + end]] * last[end]).astype(np.int64) for end in (0, 1)
        ]
        tables = [_table(codes.codes, last[end] + 1) for end, codes in enumerate((self.sources, self.destinations))]
        told = [table[end] for table, end in zip(tables, ends, strict=True)]
        # A route of which an end cannot be told is left out as a whole; so is one that goes nowhere.
        whole = (told[0][..., 0] >= 0) & (told[1][..., 0] >= 0)
        scalars = 2.0 * snapped[:, self.coordinates[:, :n_scalars]] - 1.0
        found[:, self.scalars] = np.where(whole[..., None], scalars, 0.0)
        rows, columns = np.nonzero(whole)
        empty = self.choices
        for end in (0, 1):
            roles, pointers = empty[2 * end], empty[2 * end + 1]
            found[:, roles] = np.where(whole[..., None], -1.0, 0.0)
            found[:, pointers] = np.where(whole[..., None], -1.0, 0.0)
            found[rows, roles[columns, told[end][rows, columns, 1]]] = 1.0
            found[rows, pointers[columns, told[end][rows, columns, 0]]] = 1.0
        # Of an empty slot only that it is empty is told.
        none = empty[0]
        found[:, none] = np.where(whole[..., None], found[:, none], -1.0)
        rows, columns = np.nonzero(~whole)
        found[rows, none[columns, 0]] = 1.0

    def decode(self, given: NDArray[np.float64], found: NDArray[np.float64]) -> None:
        """Write what features say, shape (n, width of the layout), into vectors `found`, shape (n, dim)."""
        n_scalars = self.scalars.shape[1]
        source_roles = given[:, self.choices[0]]
        empty = source_roles.argmax(axis=2) == 0
        found[:, self.coordinates[:, :n_scalars]] = np.where(
            empty[..., None],
            self._space.default[self.coordinates[:, :n_scalars]],
            np.clip(0.5 * given[:, self.scalars] + 0.5, 0.0, 1.0),
        )
        for end, ends in enumerate((self.sources, self.destinations)):
            codes = np.array(ends.codes, dtype=np.int64)
            roles, pointers = given[:, self.choices[2 * end]], given[:, self.choices[2 * end + 1]]
            best = (roles[:, :, codes[:, 2]] + pointers[:, :, codes[:, 1]]).argmax(axis=2)
            coordinates = self.coordinates[:, n_scalars + end]
            last = len(self._space.parameters[coordinates[0]].choices) - 1
            found[:, coordinates] = np.where(empty, 0.0, codes[best, 0] / last)


def _ends_of(choices: Sequence[str], told: Sequence[str], parts: Sequence[str], roles: Roles) -> Ends:
    numbered = {name: number for number, name in enumerate(parts)}
    # What belongs to no part of the layout is said of the voice as a whole.
    home = numbered.get("voice", 0)
    wanted = {roles.of(end) for end in told if end in choices}
    found: list[tuple[int, int, str]] = []
    for place, end in enumerate(choices):
        if not end or roles.of(end) not in wanted:
            continue
        part = roles.part_of(end)
        if not part.startswith("modulation_") and (part in numbered or roles.family_of(part) is None):
            found.append((place, numbered.get(part, home), roles.of(end)))
    pointed = sorted({part for _, part, _ in found})
    names = ("", *sorted({role for _, _, role in found}))
    codes = tuple((place, pointed.index(part), names.index(role)) for place, part, role in found)
    return Ends(tuple(pointed), names, codes)


def _table(codes: Sequence[tuple[int, int, int]], size: int) -> Index:
    """Choice to (place of the part, role), -1 where it is not told; shape (size, 2)."""
    found = np.full((size, 2), -1, dtype=np.int64)
    for choice, part, role in codes:
        found[choice] = part, role
    return found
