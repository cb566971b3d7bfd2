"""Vital patches as people make them: draws from a table of statistics, in which no preset is.

Owns the table's format (`vital_prior.json`, written by ``recipes/human_prior.py``) and the way from its columns to a
preset. A column is a control's coordinate, a route's presence (``route:lfo_1>osc_1_level``) or amount
(``amount:...``), the stock table that stands for an oscillator's wavetable (``table:osc_1``), the plain shape that
stands for an LFO's (``shape:lfo_1``), or how many rare routes there are (``rare``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import numpy as np

from menura.datasets.copula import FactorCopula
from menura.datasets.marginals import Marginal, Row
from menura.errors import WorkError
from menura.preset import Preset, Route
from menura.space import ParameterSpace
from menura.storage import hash_bytes
from menura.synths.base import Synth
from menura.synths.vital.init import with_settings
from menura.synths.vital.shapes import plain_shape
from menura.synths.vital.sounding import VOICE, is_modulator, part_of
from menura.synths.vital.stock import stock_table

_FILE = "vital_prior.json"
INIT_TABLE = "Init"
"""The table of the initial patch, in place of a stock table."""
AMOUNT = "modulation_amount"
"""Destination of routes that move the amount of another route, whichever slot that has."""
_GRID = 2.0**23


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """A pair of source and destination that people use."""

    source: str
    destination: str
    bipolar: float
    """Share of such routes that swing to both sides."""
    stereo: float


@dataclass(frozen=True, eq=False)
class PriorTable:
    """What `vital_prior.json` holds."""

    about: Mapping[str, Any]
    """Where it comes from."""
    columns: Mapping[str, Marginal]
    copula: FactorCopula
    """Over the columns, in their order."""
    routes: tuple[Ends, ...]
    rare: Mapping[str, Mapping[str, float]]
    """Shares of the sources and destinations of rare routes."""
    rare_amounts: Marginal
    sha256: str

    @cached_property
    def controls(self) -> tuple[str, ...]:
        """Columns that are controls of the space."""
        return tuple(name for name in self.columns if ":" not in name and name != "rare")

    @cached_property
    def _knots(self) -> tuple[Row, Row]:
        """All columns' knots one after another, ranks of column c from 2 c to 2 c + 1: read at once in one pass."""
        columns = self.columns.values()
        ranks = [column.ranks + 2.0 * number for number, column in enumerate(columns)]
        return np.concatenate(ranks), np.concatenate([column.values for column in columns])

    def drawn(self, rng: np.random.Generator) -> dict[str, float]:
        """Column to value, of one draw."""
        ranks = self.copula.sample(rng, 1)[0] + 2.0 * np.arange(len(self.columns))
        return dict(zip(self.columns, np.interp(ranks, *self._knots).tolist(), strict=True))


@cache
def prior_table() -> PriorTable:
    """The packaged table.

    Raises:
        WorkError: it was made for another space.
    """
    from menura.synths.vital.space import vital_space

    content = files("menura.datasets").joinpath(_FILE).read_bytes()
    table = read_table(content)
    if table.about["space"] != vital_space().fingerprint:
        raise WorkError(f"{_FILE} was made for space {table.about['space']}; run recipes/human_prior.py again")
    return table


def read_table(content: bytes) -> PriorTable:
    """The table in the bytes of its file."""
    found = json.loads(content)
    rows: Mapping[str, Any] = found["columns"]
    return PriorTable(
        found["about"],
        {name: _marginal(row) for name, row in rows.items()},
        FactorCopula(np.array([row["loadings"] for row in rows.values()], dtype=np.float64)),
        tuple(Ends(*name.split(">"), **row) for name, row in found["routes"].items()),
        found["rare"],
        _marginal(found["rare_amounts"]),
        hash_bytes(content),
    )


class HumanVital:
    """A Vital patch with the switches, settings, routes and their company that patches by people have.

    Parts that are off stay at the initial patch's settings. Stock tables stand for people's wavetables, plain shapes
    for their LFOs, the initial patch's noise for their samples.
    """

    def __call__(self, synth: Synth, rng: np.random.Generator) -> Preset:
        """A draw from the packaged table."""
        return draw_human(prior_table(), synth, rng)

    @property
    def fingerprint(self) -> str:
        """Of the table."""
        return prior_table().sha256


human_vital = HumanVital()


def draw_human(table: PriorTable, synth: Synth, rng: np.random.Generator) -> Preset:
    """A Vital patch from any table, see `HumanVital`."""
    drawn = table.drawn(rng)
    on = {part_of(name) for name in table.controls if name.endswith("_on") and drawn[name] >= 0.5} | {VOICE}
    if not on & {"osc_1", "osc_2", "osc_3", "sample"}:
        on.add("osc_1")
    routes = _routes(table, drawn, on, rng)
    heard = on | {route.source for route in routes}
    start = replace(synth.init(), routes=tuple(routes))
    space = synth.space
    vector = space.encode(start)
    for name in table.controls:
        part = part_of(name)
        if name.endswith("_on"):
            vector[space.index(name)] = part in on
        elif part in heard:
            vector[space.index(name)] = drawn[name]
    return space.decode(_at_rest(vector, space), _with_stand_ins(start, drawn, heard))


def _routes(table: PriorTable, drawn: Mapping[str, float], on: set[str], rng: np.random.Generator) -> list[Route]:
    """Routes into parts that are heard; what moves a modulator comes in when the modulator has."""
    wanted = [ends for ends in table.routes if drawn[f"route:{ends.source}>{ends.destination}"] >= 0.5]
    found: list[Route] = []
    heard = set(on)
    while True:
        ready = [
            ends for ends in wanted if (found if ends.destination == AMOUNT else part_of(ends.destination) in heard)
        ]
        if not ready:
            break
        for ends in ready:
            wanted.remove(ends)
            heard |= {ends.source} if is_modulator(ends.source) else set()
            amount = drawn[f"amount:{ends.source}>{ends.destination}"]
            place = _place(ends.destination, found, rng)
            found.append(_route(ends.source, place, amount, rng.random() < ends.bipolar, rng.random() < ends.stereo))
    for _ in range(round(drawn["rare"])):
        source = _pick(table.rare["sources"], rng)
        shares = {to: share for to, share in table.rare["destinations"].items() if part_of(to) in heard}
        amount = table.rare_amounts.value(rng.random())
        if destination := _pick(shares, rng):
            found.append(_route(source, destination, amount, bipolar=False, stereo=False))
    return [replace(route, slot=slot) for slot, route in enumerate(found, 1)]


def _place(destination: str, found: list[Route], rng: np.random.Generator) -> str:
    """The destination; of a route into another's amount, that of one that is there."""
    return f"modulation_{rng.integers(len(found)) + 1}_amount" if destination == AMOUNT else destination


def _route(source: str, destination: str, amount: float, bipolar: bool, stereo: bool) -> Route:
    # On the grid of the space, so that nothing changes on the way through a vector.
    return Route(source, destination, round(amount * _GRID) / _GRID, bipolar=bipolar, stereo=stereo)


def _pick(shares: Mapping[str, float], rng: np.random.Generator) -> str:
    """One of the names by their shares; none where there are none."""
    rank = rng.random() * sum(shares.values())
    for name, share in shares.items():
        rank -= share
        if rank <= 0:
            return name
    return ""


def _at_rest(vector: Any, space: ParameterSpace) -> Any:
    """The vector with what lies a rounding beside its default put there."""
    return np.where(np.abs(vector - space.default) < 1e-5, space.default, vector)


def _with_stand_ins(preset: Preset, drawn: Mapping[str, float], heard: set[str]) -> Preset:
    settings = preset.blocks["settings"]
    tables, lines = list(settings["wavetables"]), list(settings["lfos"])
    names, shapes = stand_in_tables(), stand_in_shapes()
    for number in range(len(tables)):
        column = f"table:osc_{number + 1}"
        if f"osc_{number + 1}" in heard and column in drawn:
            name = names[round(drawn[column])]
            tables[number] = tables[number] if name == INIT_TABLE else _table_block(name)
    for number in range(len(lines)):
        column = f"shape:lfo_{number + 1}"
        if f"lfo_{number + 1}" in heard and column in drawn:
            lines[number] = plain_shape(shapes[round(drawn[column])])
    return with_settings(preset, wavetables=tables, lfos=lines)


def stand_in_tables() -> tuple[str, ...]:
    """What the numbers of a ``table:`` column mean."""
    from menura.synths.vital.stock import table_names

    return (INIT_TABLE, *table_names())


def stand_in_shapes() -> tuple[str, ...]:
    """What the numbers of a ``shape:`` column mean."""
    from menura.synths.vital.shapes import shape_names

    return tuple(shape_names())


@cache
def _table_block(name: str) -> dict[str, Any]:
    return stock_table(name).block()


def _marginal(row: Mapping[str, Any]) -> Marginal:
    return Marginal(np.array(row["ranks"], dtype=np.float64), np.array(row["values"], dtype=np.float64))
