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
from menura.space import Parameter, ParameterSpace
from menura.synths.patches import PatchSpace

Features = NDArray[np.float32]
Index = NDArray[np.int64]


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
        self._part_of = patches.part_of
        self._family_of = {name: family for family, names in patches.families.items() for name in names}
        wanted = {self.space[name].name for name in kept}
        if not wanted:
            raise SpaceError("no parameter is kept: a layout needs one at least; give patches that differ")
        self._ends = tuple(sorted(set(ends)))
        plain = [p for p in self.space.parameters if not p.slot]
        roles = {self._role(p.name) for p in plain if p.name in wanted}
        told = [p for p in plain if self._role(p.name) in roles]
        used = {self._part_of(p.name) for p in told if p.name in wanted}
        used |= {
            self._part_of(end) for end in self._ends if self._part_of(end) in {self._part_of(p.name) for p in told}
        }
        told = [p for p in told if self._part_of(p.name) in used]
        self.kept = tuple(p.name for p in told)
        self.parts: tuple[Part, ...] = self._ordered({self._part_of(p.name) for p in told})
        self.places: tuple[Place, ...]
        self._place_parts(told)
        self._place_slots([p for p in self.space.parameters if p.slot and p.name in wanted])

    # ------------------------------------------------------------------ what a network asks for

    @property
    def types(self) -> dict[str, Index]:
        """Family to the features of its parts, shape (parts, width)."""
        return self._types

    @cached_property
    def fingerprint(self) -> str:
        """Of the space and of every feature's meaning."""
        told = [self.space.fingerprint, [[p.name, p.family] for p in self.parts], [str(place) for place in self.places]]
        ends = [str(self.sources), str(self.destinations), self.slots, self.scalars.tolist()]
        return hashlib.sha256(json.dumps([told, ends]).encode()).hexdigest()[:16]

    @cached_property
    def weights(self) -> Features:
        """What an error of each feature counts, shape (width,): every coordinate the same, in all its features."""
        found = np.ones(self.width, dtype=np.float32)
        for place in self.places:
            found[place.start : place.start + place.width] = 1.0 / place.width**0.5
        for pick in self.slot_choices:
            found[pick] = 1.0 / pick.shape[-1] ** 0.5
        return found

    @cached_property
    def slot_choices(self) -> tuple[Index, ...]:
        """Features of which a slot chooses one: role and pointer of source and destination, shape (slots, n) each."""
        if not self.slots:
            return ()
        found: list[Index] = []
        start = self.scalars.shape[1]
        for ends in (self.sources, self.destinations):
            for width in (len(ends.roles), len(ends.parts)):
                found.append(self._slot_features[:, start : start + width])
                start += width
        return tuple(found)

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
        if self.slots:
            self._encode_slots(snapped, found)
        return found

    def decode(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Vectors of the space, snapped, shape (n, dim); what is not told stands at its default."""
        given = np.atleast_2d(np.asarray(features, dtype=np.float64))
        found = np.tile(self.space.default.astype(np.float64), (len(given), 1))
        for place in self.places:
            part = given[:, place.start : place.start + place.width]
            if place.kind == "choice":
                found[:, place.coordinate] = part.argmax(axis=1) / (place.width - 1)
            else:
                found[:, place.coordinate] = np.clip(0.5 * part[:, 0] + 0.5, 0.0, 1.0)
        if self.slots:
            self._decode_slots(given, found)
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
        for ends, pointers in ((self.sources, 1), (self.destinations, 3)):
            if not self.slots or not set(members) & set(ends.parts):
                continue
            columns = self.slot_choices[pointers]
            here = [ends.parts.index(member) for member in members]
            found[:, columns[:, here]] = features[:, columns[:, [here[place] for place in order]]]
        return found

    # ------------------------------------------------------------------ making

    def _role(self, name: str) -> str:
        """What a parameter or an end is in its part, the same in all parts of a family."""
        part = self._part_of(name)
        family = self._family_of.get(part)
        return name if family is None else f"{family}:{name.removeprefix(part)}"

    def _ordered(self, used: set[str]) -> tuple[Part, ...]:
        names = list(dict.fromkeys(self._part_of(p.name) for p in self.space.parameters if not p.slot))
        found = [Part(name, self._family_of.get(name, name)) for name in names if name in used]
        order = list(dict.fromkeys(part.family for part in found))
        return tuple(sorted(found, key=lambda part: order.index(part.family)))

    def _place_parts(self, told: list[Parameter]) -> None:
        places: list[Place] = []
        self._types: dict[str, Index] = {}
        start = 0
        for family, members in _grouped(self.parts):
            rows: list[range] = []
            roles: list[str] = []
            for part in members:
                here = [p for p in told if self._part_of(p.name) == part.name]
                begins = start
                for parameter in here:
                    width = parameter.steps if parameter.kind == "choice" else 1
                    places.append(Place(self.space.index(parameter.name), start, width, parameter.kind))
                    start += width
                said = [f"{self._role(p.name)} {p.kind} {p.steps}" for p in here]
                if roles and said != roles:
                    raise SpaceError(f"the parts of {family!r} have different parameters; they are no family")
                roles = said
                rows.append(range(begins, start))
            self._types[family] = np.array([list(row) for row in rows], dtype=np.int64).reshape(len(rows), -1)
        self.places = tuple(places)
        self._scalar_width = start

    def _place_slots(self, told: list[Parameter]) -> None:
        fields = list(dict.fromkeys(p.field for p in told))
        numbers = sorted({p.slot for p in told}) if {"source", "destination"} <= set(fields) else []
        self.slots = len(numbers)
        self.sources = self._end_codes(numbers, "source")
        self.destinations = self._end_codes(numbers, "destination")
        if not self.sources.codes or not self.destinations.codes:
            self.slots, numbers = 0, []
        names = [name for name in ("amount", "bipolar", "bypass", "power", "stereo") if name in fields]
        width = len(names) + self.sources.width + self.destinations.width
        self.width = self._scalar_width + len(numbers) * width
        self._slot_features: Index = self._scalar_width + np.arange(len(numbers) * width, dtype=np.int64).reshape(
            -1, width
        )
        self.scalars: Index = self._slot_features[:, : len(names)]
        """Features of the slots that are scalars, the amount first, shape (slots, scalars)."""
        self.scalar_toggles = np.array([name in ("bipolar", "bypass", "stereo") for name in names])
        index = self.space.index
        self.slot_coordinates: Index = np.array(
            [[index(f"modulation_{n}_{name}") for name in (*names, "source", "destination")] for n in numbers], np.int64
        ).reshape(len(numbers), -1)

    def _end_codes(self, numbers: list[int], field: str) -> Ends:
        if not numbers:
            return Ends((), ("",), ())
        choices = self.space[f"modulation_{numbers[0]}_{field}"].choices
        numbered = {part.name: number for number, part in enumerate(self.parts)}
        home = next((n for n, part in enumerate(self.parts) if part.name == "voice"), 0)
        roles = {self._role(end) for end in self._ends if end in choices}
        found: list[tuple[int, int, str]] = []
        for place, end in enumerate(choices):
            part = self._part_of(end) if end else ""
            told = end and self._role(end) in roles and not part.startswith("modulation_")
            if told and (part in numbered or self._family_of.get(part) is None):
                found.append((place, numbered.get(part, home), self._role(end)))
        parts = sorted({part for _, part, _ in found})
        names = ("", *sorted({role for _, _, role in found}))
        codes = tuple((place, parts.index(part), names.index(role)) for place, part, role in found)
        return Ends(tuple(parts), names, codes)

    # ------------------------------------------------------------------ slots

    def _encode_slots(self, snapped: NDArray[np.float64], found: Features) -> None:
        n_scalars = self.scalars.shape[1]
        last = [len(self.space.parameters[self.slot_coordinates[0, n_scalars + end]].choices) - 1 for end in (0, 1)]
        ends: list[NDArray[np.int64]] = [
            np.rint(snapped[:, self.slot_coordinates[:, n_scalars + end]] * last[end]).astype(np.int64)
            for end in (0, 1)
        ]
        tables = [_table(codes.codes, last[end] + 1) for end, codes in enumerate((self.sources, self.destinations))]
        told = [table[end] for table, end in zip(tables, ends, strict=True)]
        # A route of which an end cannot be told is left out as a whole; so is one that goes nowhere.
        whole = (told[0][..., 0] >= 0) & (told[1][..., 0] >= 0)
        scalars = 2.0 * snapped[:, self.slot_coordinates[:, :n_scalars]] - 1.0
        found[:, self.scalars] = np.where(whole[..., None], scalars, 0.0)
        rows, columns = np.nonzero(whole)
        empty = self.slot_choices
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

    def _decode_slots(self, given: NDArray[np.float64], found: NDArray[np.float64]) -> None:
        n_scalars = self.scalars.shape[1]
        source_roles = given[:, self.slot_choices[0]]
        empty = source_roles.argmax(axis=2) == 0
        found[:, self.slot_coordinates[:, :n_scalars]] = np.where(
            empty[..., None],
            self.space.default[self.slot_coordinates[:, :n_scalars]],
            np.clip(0.5 * given[:, self.scalars] + 0.5, 0.0, 1.0),
        )
        for end, ends in enumerate((self.sources, self.destinations)):
            codes = np.array(ends.codes, dtype=np.int64)
            roles, pointers = given[:, self.slot_choices[2 * end]], given[:, self.slot_choices[2 * end + 1]]
            best = (roles[:, :, codes[:, 2]] + pointers[:, :, codes[:, 1]]).argmax(axis=2)
            coordinates = self.slot_coordinates[:, n_scalars + end]
            last = len(self.space.parameters[coordinates[0]].choices) - 1
            found[:, coordinates] = np.where(empty, 0.0, codes[best, 0] / last)

    def record(self) -> dict[str, Any]:
        """What `layout_of` needs to make it again."""
        slots = [self.space.names[place] for place in self.slot_coordinates.ravel()]
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


def _table(codes: Sequence[tuple[int, int, int]], size: int) -> Index:
    """Choice to (place of the part, role), -1 where it is not told; shape (size, 2)."""
    found = np.full((size, 2), -1, dtype=np.int64)
    for choice, part, role in codes:
        found[choice] = part, role
    return found


def _grouped(parts: Sequence[Part]) -> list[tuple[str, list[Part]]]:
    """Parts of one family follow each other."""
    starts = [n for n, part in enumerate(parts) if not n or parts[n - 1].family != part.family]
    return [(parts[a].family, list(parts[a:b])) for a, b in pairwise([*starts, len(parts)])]
