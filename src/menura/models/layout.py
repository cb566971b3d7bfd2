"""How a vector of a space is laid out for a network: parts, features, routes as a set. Owns both ways; NumPy alone.

A patch is a set of parts (an oscillator, an envelope, an effect) and a set of modulation slots. Parts of one family
have features of the same meaning in the same order, so that one layer reads all of them, and none has a number:
exchanging two oscillators exchanges two tokens. A slot does not say "lfo_1" either, but points at a part, with the role
there: its features are scalars, roles (one of "the output of an LFO", "the level of an oscillator", ...) and pointers
(one a part).

Features lie from -1 to 1; a choice is one of n, +1 where it is and -1 elsewhere.

Source: the idea of learned tokens for parameters and of symmetric parts is Hayes et al., ISMIR 2025; part tokens with
pointers for routes are ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.errors import SpaceError
from menura.models.slot_features import Features, Index, Roles, SlotFeatures
from menura.space import Parameter, ParameterSpace
from menura.synths.patches import PatchSpace


@dataclass(frozen=True, slots=True)
class Part:
    """A token of the patch."""

    name: str
    family: str
    """Parts of one family are read by one layer; a part of no family is its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """A coordinate of the space and its features."""

    coordinate: int
    start: int
    """First feature."""
    width: int
    """1, or the positions of a choice."""
    kind: str
    """continuous, toggle or choice."""


class Layout:
    """The features of a part of a space: what varies in the patches that a network was trained on.

    Args:
        patches: the space with its parts and families.
        kept: parameters that are told; those of a whole family where it holds one of them.
        ends: sources and destinations of routes that are told; none where the kept parameters hold no slot.

    Raises:
        SpaceError: a name is not in the space, or nothing is kept.
    """

    def __init__(self, patches: PatchSpace, kept: Iterable[str], ends: Iterable[str] = ()) -> None:
        self.space: ParameterSpace = patches.space
        self.families: Mapping[str, tuple[str, ...]] = patches.families
        self._roles = roles = Roles(patches)
        wanted = {self.space[name].name for name in kept}
        if not wanted:
            raise SpaceError("no parameter is kept: a layout needs one at least; give patches that differ")
        self._ends = tuple(sorted(set(ends)))
        plain = [p for p in self.space.parameters if not p.slot]
        said = {roles.of(p.name) for p in plain if p.name in wanted}
        told = [p for p in plain if roles.of(p.name) in said]
        used = {roles.part_of(p.name) for p in told if p.name in wanted}
        used |= {roles.part_of(end) for end in self._ends} & {roles.part_of(p.name) for p in told}
        told = [p for p in told if roles.part_of(p.name) in used]
        self.kept = tuple(p.name for p in told)
        self.parts: tuple[Part, ...] = self._ordered({roles.part_of(p.name) for p in told})
        self.places: tuple[Place, ...]
        start = self._place_parts(told)
        routed = [p for p in self.space.parameters if p.slot and p.name in wanted]
        self.slots = SlotFeatures(self.space, routed, self._ends, [p.name for p in self.parts], roles, start)
        self.width = start + self.slots.width

    # ------------------------------------------------------------------ what a network asks for

    @property
    def types(self) -> dict[str, Index]:
        """Family to the features of its parts, shape (parts, width)."""
        return self._types

    @cached_property
    def tokens(self) -> tuple[tuple[Index, Index], ...]:
        """Features and coordinates of each part, then of each slot."""
        of_feature = {place.start: place.coordinate for place in self.places}
        parts = [row for rows in self._types.values() for row in rows]
        found = [(row, np.array([of_feature[f] for f in row.tolist() if f in of_feature], np.int64)) for row in parts]
        return (*found, *zip(self.slots.features, self.slots.coordinates, strict=True))

    @cached_property
    def fingerprint(self) -> str:
        """Of the space and of every feature's meaning."""
        told = [self.space.fingerprint, [[p.name, p.family] for p in self.parts], [str(place) for place in self.places]]
        slots = self.slots
        ends = [str(slots.sources), str(slots.destinations), slots.count, slots.scalars.tolist()]
        return hashlib.sha256(json.dumps([told, ends]).encode()).hexdigest()[:16]

    @cached_property
    def weights(self) -> Features:
        """What an error of each feature counts, shape (width,): every coordinate the same, in all its features."""
        found = np.ones(self.width, dtype=np.float32)
        for place in self.places:
            found[place.start : place.start + place.width] = 1.0 / place.width**0.5
        for pick in self.slots.choices:
            found[pick] = 1.0 / pick.shape[-1] ** 0.5
        return found

    # ------------------------------------------------------------------ there and back

    def encode(self, vectors: NDArray[np.floating]) -> Features:
        """Features of vectors of the space, shape (n, width).

        Raises:
            SpaceError: the vectors are of another length.
        """
        snapped = np.atleast_2d(self.space.snap(vectors)).astype(np.float64)
        found = np.zeros((len(snapped), self.width), dtype=np.float32)
        for place in self.places:
            column = snapped[:, place.coordinate]
            features = found[:, place.start : place.start + place.width]
            if place.kind == "choice":
                features[:] = -1.0
                features[np.arange(len(column)), np.rint(column * (place.width - 1)).astype(int)] = 1.0
            else:
                features[:, 0] = 2.0 * column - 1.0
        if self.slots.count:
            self.slots.encode(snapped, found)
        return found

    def decode(self, features: NDArray[np.floating], onto: NDArray[np.floating] | None = None) -> NDArray[np.float32]:
        """Vectors of the space, snapped, shape (n, dim).

        Args:
            features: shape (n, width).
            onto: vectors from which what is not told comes, shape (n, dim); by default it stands at its default.
        """
        given = np.atleast_2d(np.asarray(features, dtype=np.float64))
        found = np.array(np.broadcast_to(self.space.default if onto is None else onto, (len(given), self.space.dim)))
        found = found.astype(np.float64)
        for place in self.places:
            part = given[:, place.start : place.start + place.width]
            if place.kind == "choice":
                found[:, place.coordinate] = part.argmax(axis=1) / (place.width - 1)
            else:
                found[:, place.coordinate] = np.clip(0.5 * part[:, 0] + 0.5, 0.0, 1.0)
        if self.slots.count:
            self.slots.decode(given, found)
        return self.space.snap(np.nan_to_num(found))

    def exchanged(self, features: Features, family: str, order: Sequence[int]) -> Features:
        """The same patches with the parts of a family in another order, routes going with them.

        Args:
            features: shape (n, width).
            family: its name.
            order: place `i` takes what part `order[i]` had.
        """
        found = features.copy()
        rows = self.types[family]
        found[:, rows] = features[:, rows[list(order)]]
        members = [number for number, part in enumerate(self.parts) if part.family == family]
        for ends, pointers in ((self.slots.sources, 1), (self.slots.destinations, 3)):
            if not self.slots.count or not set(members) & set(ends.parts):
                continue
            columns = self.slots.choices[pointers]
            here = [ends.parts.index(member) for member in members]
            found[:, columns[:, here]] = features[:, columns[:, [here[place] for place in order]]]
        return found

    # ------------------------------------------------------------------ making

    def _ordered(self, used: set[str]) -> tuple[Part, ...]:
        names = list(dict.fromkeys(self._roles.part_of(p.name) for p in self.space.parameters if not p.slot))
        found = [Part(name, self._roles.family_of(name) or name) for name in names if name in used]
        order = list(dict.fromkeys(part.family for part in found))
        return tuple(sorted(found, key=lambda part: order.index(part.family)))

    def _place_parts(self, told: list[Parameter]) -> int:
        """Lays the parts out, and answers with the first feature after them."""
        places: list[Place] = []
        self._types: dict[str, Index] = {}
        start = 0
        for family, members in _grouped(self.parts):
            rows: list[range] = []
            roles: list[str] = []
            for part in members:
                here = [p for p in told if self._roles.part_of(p.name) == part.name]
                begins = start
                for parameter in here:
                    width = parameter.steps if parameter.kind == "choice" else 1
                    places.append(Place(self.space.index(parameter.name), start, width, parameter.kind))
                    start += width
                said = [f"{self._roles.of(p.name)} {p.kind} {p.steps}" for p in here]
                if roles and said != roles:
                    raise SpaceError(f"the parts of {family!r} have different parameters; they are no family")
                roles = said
                rows.append(range(begins, start))
            self._types[family] = np.array([list(row) for row in rows], dtype=np.int64).reshape(len(rows), -1)
        self.places = tuple(places)
        return start

    def record(self) -> dict[str, Any]:
        """What `layout_of` needs to make it again."""
        slots = [self.space.names[place] for place in self.slots.coordinates.ravel()]
        return {"kept": [*self.kept, *slots], "ends": list(self._ends), "fingerprint": self.fingerprint}


def layout_of(patches: PatchSpace, record: Mapping[str, Any]) -> Layout:
    """A layout from its record.

    Raises:
        SpaceError: it was made for another space, or by another version.
    """
    layout = Layout(patches, record["kept"], record["ends"])
    if layout.fingerprint != record["fingerprint"]:
        raise SpaceError(
            f"it was made for layout {record['fingerprint']}, here it is {layout.fingerprint}; train it anew, or use "
            "the version of menura that trained it"
        )
    return layout


def fitted_layout(patches: PatchSpace, vectors: NDArray[np.floating], least: float = 0.004) -> Layout:
    """The layout of what varies.

    Args:
        patches: the space with its parts.
        vectors: of the patches that are trained on, shape (n, dim).
        least: share of the patches in which a parameter, or the end of a route, must differ from its default.
    """
    space = patches.space
    snapped = space.snap(vectors)
    share = (np.abs(snapped - np.median(snapped, axis=0)) > 1e-6).mean(axis=0)
    slots = [number for number, p in enumerate(space.parameters) if p.slot]
    fields = {space.parameters[number].field for number in slots if share[number] > 0.0}
    kept = [p.name for n, p in enumerate(space.parameters) if (p.field in fields if p.slot else share[n] >= least)]
    ends: set[str] = set()
    for field in ("source", "destination"):
        columns = [number for number in slots if space.parameters[number].field == field]
        if not columns:
            continue
        choices = space.parameters[columns[0]].choices
        places = np.rint(snapped[:, columns] * (len(choices) - 1)).astype(int)
        for place in np.unique(places):
            if choices[place] and (places == place).any(axis=1).mean() >= least / 4.0:
                ends.add(choices[place])
    return Layout(patches, kept, ends)


def _grouped(parts: Sequence[Part]) -> list[tuple[str, list[Part]]]:
    """Parts of one family follow each other."""
    starts = [n for n, part in enumerate(parts) if not n or parts[n - 1].family != part.family]
    return [(parts[a].family, list(parts[a:b])) for a, b in pairwise([*starts, len(parts)])]
