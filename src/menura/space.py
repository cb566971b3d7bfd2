"""`Parameter` and `ParameterSpace`: the lens between presets and vectors. Knows no engine.

A coordinate is the position on the knob: linear in the control's own stored value, 0 at its low end and
1 at its high end. Toggles are 0 or 1, choices are evenly spaced. A modulation slot is a few parameters
of its own (source, destination, amount, ...), so that a route is searched like any control.
"""

from __future__ import annotations

import difflib
import fnmatch
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from menura.errors import SpaceError
from menura.preset import Preset, Route, place_routes

Kind = Literal["continuous", "toggle", "choice"]
Field = Literal["", "source", "destination", "amount", "bipolar", "bypass", "power", "stereo"]
Vector = NDArray[np.float32]

_GRID = 2.0**24
"""Continuous coordinates lie on multiples of 2**-24: all are float32, and none is lost on the way back."""
_SCALARS: tuple[Field, ...] = ("amount", "bipolar", "bypass", "power", "stereo")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One coordinate of a space.

    Raises:
        SpaceError: the range is empty, or the choices do not fill it.
    """

    name: str
    group: str
    kind: Kind = "continuous"
    low: float = 0.0
    high: float = 1.0
    default: float = 0.0
    scale: str = "linear"
    """How the control is shown: linear, quadratic, quartic, square_root, exponential; "indexed" takes whole
    steps only. The coordinate is linear in the stored value whatever the scale."""
    choices: tuple[str, ...] = ()
    """Names of the positions of a choice, from `low` up; for a route's end, the ends themselves, "" first."""
    units: str = ""
    slot: int = 0
    """The modulation slot it belongs to, from 1; 0 for a scalar control."""
    field: Field = ""
    """Which part of the slot it is."""

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise SpaceError(f"parameter {self.name} goes from {self.low} to {self.high}; low must be below high")
        if self.kind == "choice" and len(self.choices) != self.steps:
            raise SpaceError(f"parameter {self.name} has {len(self.choices)} choices for {self.steps} positions")

    @property
    def steps(self) -> int:
        """How many positions it has; 0 where it is continuous."""
        return round(self.high - self.low) + 1 if self.kind != "continuous" or self.scale == "indexed" else 0


class ParameterSpace:
    """The part of a synth's presets that is predicted and searched, as vectors of float32 in [0, 1].

    The laws, with `p`, `q` presets and `v`, `w` vectors:

    - ``decode(encode(p), p) == p``, always, also where p holds values outside of a range;
    - ``encode(decode(v, p)) == snap(v)``, exactly;
    - ``decode(v, decode(w, p)) == decode(v, p)``, exactly where p's values lie on the grid of snapped
      coordinates, else within half a step of 2**-24 of each range: a coordinate that `decode` finds
      unchanged keeps the preset's own value to the last bit.
    """

    def __init__(self, synth: str, parameters: Iterable[Parameter], *, slots: int = 64) -> None:
        """Names the synth and its parameters.

        Args:
            synth: the synth's name in the registry.
            parameters: in the order of the coordinates.
            slots: modulation slots that a preset of this synth has.

        Raises:
            SpaceError: two parameters of one name.
        """
        self.synth = synth
        self.parameters = tuple(parameters)
        self.slots = slots
        self._index = {parameter.name: number for number, parameter in enumerate(self.parameters)}
        if len(self._index) != len(self.parameters):
            raise SpaceError("a space has two parameters of one name; rename one")
        self._low = np.array([parameter.low for parameter in self.parameters], dtype=np.float64)
        self._span = np.array([parameter.high - parameter.low for parameter in self.parameters], dtype=np.float64)
        self._whole = np.array([parameter.steps - 1 for parameter in self.parameters], dtype=np.float64)
        self._grid = np.where(self._whole > 0, self._whole, _GRID)
        self._codes = [
            {end: float(number) for number, end in reversed(list(enumerate(parameter.choices)))}
            if parameter.field in ("source", "destination")
            else {}
            for parameter in self.parameters
        ]

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return len(self.parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the coordinates."""
        return tuple(self._index)

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups in the order of their first parameter."""
        return tuple(dict.fromkeys(parameter.group for parameter in self.parameters))

    @cached_property
    def default(self) -> Vector:
        """The vector of every parameter's default, shape (dim,)."""
        return self._coordinates(np.array([parameter.default for parameter in self.parameters], dtype=np.float64))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of everything that gives a vector its meaning; stored beside vectors, a mismatch is refused."""
        rows: list[Any] = [self.synth, [asdict(parameter) for parameter in self.parameters]]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return self.dim

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __getitem__(self, name: str) -> Parameter:
        return self.parameters[self.index(name)]

    def index(self, name: str) -> int:
        """Which coordinate a parameter is. Raises SpaceError with the names that come close."""
        if name not in self._index:
            raise SpaceError(f"no parameter is called {name!r}{self._hint(name, self.names)}")
        return self._index[name]

    def encode(self, preset: Preset) -> Vector:
        """The preset's coordinates, shape (dim,); controls that it lacks stand at their default.

        Raises:
            SpaceError: the preset is of another synth.
        """
        self._same_synth(preset)
        routes = {route.slot: route for route in place_routes(preset.routes, self.slots)}
        values = preset.values
        found = np.empty(self.dim, dtype=np.float64)
        for number, parameter in enumerate(self.parameters):
            if not parameter.slot:
                found[number] = values.get(parameter.name, parameter.default)
            elif codes := self._codes[number]:
                route = routes.get(parameter.slot)
                found[number] = codes.get(getattr(route, parameter.field), 0.0) if route else 0.0
            else:
                found[number] = _scalar(routes.get(parameter.slot), values, parameter)
        return self._coordinates(found)

    def encode_all(self, presets: Iterable[Preset]) -> Vector:
        """The coordinates of many presets, shape (n, dim)."""
        rows = [self.encode(preset) for preset in presets]
        return np.stack(rows) if rows else np.empty((0, self.dim), dtype=np.float32)

    def snap(self, vector: ArrayLike) -> Vector:
        """The nearest vector that a preset can have: in [0, 1], choices, toggles and whole steps on their places.

        Args:
            vector: shape (dim,) or (n, dim).

        Raises:
            SpaceError: the shape is another, or a coordinate is not finite.
        """
        found = np.asarray(vector, dtype=np.float64)
        if found.ndim not in (1, 2) or found.shape[-1] != self.dim:
            raise SpaceError(f"a vector of shape {found.shape}; this space takes ({self.dim},) or (n, {self.dim})")
        if not bool(np.isfinite(found).all()):
            columns: list[int] = np.flatnonzero(~np.isfinite(found).reshape(-1, self.dim).all(axis=0)).tolist()
            bad = [self.names[column] for column in columns]
            raise SpaceError(f"a vector that is not finite at {', '.join(bad[:5])}; give numbers from 0 to 1")
        return self._snapped(found)

    def decode(self, vector: ArrayLike, onto: Preset) -> Preset:
        """The preset that has these coordinates and takes all the rest from another.

        Args:
            vector: shape (dim,); it is snapped first.
            onto: supplies everything outside of the space, and the exact value of each coordinate that
                does not change.

        Raises:
            SpaceError: shape, NaN, or a preset of another synth.
        """
        wanted = self.snap(vector)
        if wanted.ndim != 1:
            raise SpaceError(f"a matrix of shape {wanted.shape}; decode takes one vector, decode_all takes many")
        changed = np.flatnonzero(wanted != self.encode(onto))
        if not changed.size:
            return onto
        stored = self._low + wanted.astype(np.float64) * self._span
        values = dict(onto.values)
        slots: dict[int, dict[str, Any]] = {}
        routes = {route.slot: route for route in place_routes(onto.routes, self.slots)}
        for number in changed:
            parameter = self.parameters[number]
            value = float(round(stored[number])) if parameter.steps else float(stored[number])
            if not parameter.slot:
                values[parameter.name] = value
                continue
            slot = slots.setdefault(parameter.slot, _slot_state(routes.get(parameter.slot), values, parameter.slot))
            slot[parameter.field] = parameter.choices[round(value)] if self._codes[number] else value
        for number, slot in slots.items():
            _store_slot(number, slot, routes, values)
        placed = tuple(routes[slot] for slot in sorted(routes)) if slots else onto.routes
        return replace(onto, values=values, routes=placed)

    def decode_all(self, matrix: ArrayLike, onto: Preset) -> list[Preset]:
        """One preset for each row of a matrix of shape (n, dim). Raises SpaceError."""
        found = np.atleast_2d(np.asarray(matrix, dtype=np.float64))
        return [self.decode(row, onto) for row in found]

    def sample(self, rng: np.random.Generator, n: int) -> Vector:
        """Uniform draws, every choice as likely as the others; shape (n, dim), snapped."""
        found = rng.random((n, self.dim))
        steps = self._whole > 0
        count = self._whole[steps] + 1
        found[:, steps] = np.minimum(np.floor(found[:, steps] * count), count - 1) / (count - 1)
        return self._snapped(found)

    def subset(self, *groups: str) -> ParameterSpace:
        """The space of these groups alone, in the order they have here. Names and patterns work too.

        Raises:
            SpaceError: nothing is called so; the message lists the groups.
        """
        wanted = self._match(groups)
        return self._with(parameter for parameter in self.parameters if parameter.name in wanted)

    def lock(self, *names: str) -> ParameterSpace:
        """The space without these parameters, so that `decode` keeps what the preset has there.

        Args:
            names: parameters, groups, or patterns such as ``"filter_1_*"``.

        Raises:
            SpaceError: nothing is called so.
        """
        locked = self._match(names)
        return self._with(parameter for parameter in self.parameters if parameter.name not in locked)

    def of_kind(self, *kinds: Kind) -> ParameterSpace:
        """The space of the parameters of these kinds alone."""
        return self._with(parameter for parameter in self.parameters if parameter.kind in kinds)

    def describe(self, preset: Preset | None = None) -> list[dict[str, Any]]:
        """One plain row for each parameter; with a preset, its coordinate too."""
        coordinates = None if preset is None else self.encode(preset)
        rows: list[dict[str, Any]] = []
        for number, parameter in enumerate(self.parameters):
            row = asdict(parameter)
            rows.append(row if coordinates is None else {**row, "coordinate": float(coordinates[number])})
        return rows

    def _with(self, parameters: Iterable[Parameter]) -> ParameterSpace:
        return ParameterSpace(self.synth, parameters, slots=self.slots)

    def _coordinates(self, values: NDArray[np.float64]) -> Vector:
        return self._snapped((values - self._low) / self._span)

    def _snapped(self, coordinates: NDArray[np.float64]) -> Vector:
        # + 0.0 turns a negative zero into a plain one: they are equal, their bytes are not.
        return (np.rint(np.clip(coordinates, 0.0, 1.0) * self._grid) / self._grid + 0.0).astype(np.float32)

    def _same_synth(self, preset: Preset) -> None:
        if preset.synth != self.synth:
            raise SpaceError(f"a preset of synth {preset.synth!r} does not fit the space of {self.synth!r}")

    def _match(self, wanted: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for word in wanted:
            hits = {
                parameter.name
                for parameter in self.parameters
                if word in (parameter.group, parameter.name) or fnmatch.fnmatchcase(parameter.name, word)
            }
            if not hits:
                known = (*self.groups, *self.names)
                raise SpaceError(f"no parameter or group is called {word!r}{self._hint(word, known)}")
            found |= hits
        return found

    def _hint(self, word: str, known: Sequence[str]) -> str:
        close = difflib.get_close_matches(word, known, n=3)
        near = f"; did you mean {', '.join(close)}?" if close else ""
        if not self.dim:
            return " (the space is empty)"
        listed = ", ".join(self.names) if self.dim <= 24 else f"{self.names[0]} to {self.names[-1]}, {self.dim} in all"
        return f"{near} (groups: {', '.join(self.groups)}; parameters: {listed})"


def _scalar(route: Route | None, values: Mapping[str, float], parameter: Parameter) -> float:
    """A scalar of a slot: of its route, or beside an empty slot among the values."""
    if route is not None:
        return float(getattr(route, parameter.field))
    return float(values.get(f"modulation_{parameter.slot}_{parameter.field}", parameter.default))


def _slot_state(route: Route | None, values: Mapping[str, float], slot: int) -> dict[str, Any]:
    if route is not None:
        return {field: getattr(route, field) for field in ("source", "destination", *_SCALARS)}
    scalars: dict[str, Any] = {field: values.get(f"modulation_{slot}_{field}", 0.0) for field in _SCALARS}
    return {"source": "", "destination": "", **scalars}


def _store_slot(slot: int, state: Mapping[str, Any], routes: dict[int, Route], values: dict[str, float]) -> None:
    """Puts a slot's state where it belongs: a route if an end is named, else its scalars that are not at rest."""
    for field in _SCALARS:
        values.pop(f"modulation_{slot}_{field}", None)
    routes.pop(slot, None)
    if state["source"] or state["destination"]:
        routes[slot] = Route(
            state["source"],
            state["destination"],
            amount=state["amount"],
            slot=slot,
            bipolar=state["bipolar"] >= 0.5,
            stereo=state["stereo"] >= 0.5,
            bypass=state["bypass"] >= 0.5,
            power=state["power"],
        )
    else:
        values.update({f"modulation_{slot}_{field}": float(state[field]) for field in _SCALARS if state[field]})
