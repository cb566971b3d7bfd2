r"""Writes `src/menura/datasets/vital_prior.json`: how people set Vital's controls, as statistics.

    python recipes/human_prior.py ../shared/data/vital_dev.tar.xz

Presets are split by author (their source folder) and, within an author, by name, so that the siblings of a patch stay
together: the held-out part takes no part in the fit, and `benchmarks/prior_distance.py` measures against it. Authors
count by the square root of their presets, near-duplicates once. A number stands in the table only where at least
`FLOOR` presets share it or are averaged in it; rarer choices, routes and tables are pooled. The same bank gives the
same file, to the last byte.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from human_columns import Row, control_space, is_observed, row_of
from numpy.typing import NDArray
from prior_tables import compact, write_table

from menura.datasets.archive import Archive
from menura.datasets.copula import fit_copula
from menura.datasets.duplicates import Seen, knob_space, parameter_picture
from menura.datasets.exclusions import is_absent, is_excluded
from menura.datasets.marginals import Marginal, fit_choice, fit_marginal
from menura.datasets.splits import split_of
from menura.errors import InputError, PresetError
from menura.preset import Preset
from menura.synths.vital.controls import destinations, sources
from menura.synths.vital.format import read_vital
from menura.synths.vital.sounding import part_of
from menura.synths.vital.space import vital_space

FLOOR = 5
"""Presets that a number must stand for."""
FACTORS = 12
ROUNDS = 100
"""Of the fit's algorithm."""
SAME_AUTHOR = {"zynthian+zynthian-data(Vitalium)": "instatetragrammaton+Patches"}
"""Source folder to the author it is really by."""
HELD_OUT_AUTHORS = ("instatetragrammaton+Patches",)
"""Whole authors that are held out: what one of them does says how far the prior carries."""
SHARES = {"fit": 0.9, "held out": 0.1}
"""Of the other authors' patches, by name."""
SEED = 0
_AT_ONCE = 200
_SIBLINGS = re.compile(r"^(osc|filter|env|lfo|random|macro_control)_(\d|fx)")


def part(name: str) -> str:
    """Which part, "fit" or "held out": by the name of a preset in the bank: author's folder / ... / name."""
    path = PurePosixPath(name)
    author = SAME_AUTHOR.get(path.parts[0], path.parts[0])
    if author in HELD_OUT_AUTHORS:
        return "held out"
    words = re.sub(r"[^a-z]+", " ", path.stem.lower()).split()
    return split_of("\x1f".join([author, *words[:2]]), SHARES, SEED)


def presets(bank: Archive, wanted: str) -> Iterator[tuple[str, Preset]]:
    """(name, preset) of one part, in the order of the names; broken ones are left out."""
    names = [name for name in bank.names if part(name) == wanted]
    for start in range(0, len(names), _AT_ONCE):
        lot = names[start : start + _AT_ONCE]
        contents = bank.read(lot)
        for name in lot:
            try:
                yield name, read_vital(contents[name])
            except (PresetError, KeyError) as error:
                print(f"{name} left out: {error}", file=sys.stderr)


def rows_of(bank: Archive) -> tuple[list[Row], NDArray[np.float64], dict[str, int]]:
    """Rows, their weights, and presets by author, of the part that is fitted."""
    space, seen = knob_space(vital_space()), Seen()
    rows: list[Row] = []
    authors: list[str] = []
    for name, preset in presets(bank, "fit"):
        picture = parameter_picture(preset, space)
        if seen.preset_twin(picture) is None:
            seen.take_preset(name, picture)
            rows.append(row_of(preset))
            authors.append(PurePosixPath(name).parts[0])
    counts = Counter(authors)
    return rows, np.array([counts[author] ** -0.5 for author in authors]), dict(sorted(counts.items()))


def column_values(rows: list[Row]) -> dict[str, dict[int, float]]:
    """Column to row to value, controls and stand-ins first, then routes with their amounts, then the rare ones."""
    found: dict[str, dict[int, float]] = {name: {} for name in control_space().names}
    for number, row in enumerate(rows):
        for name, value in row.values.items():
            found.setdefault(name, {})[number] = value
    usual = usual_routes(rows)
    for ends in usual:
        heard = [number for number, row in enumerate(rows) if is_observed(ends, row)]
        found[f"route:{ends}"] = {number: float(ends in rows[number].routes) for number in heard}
        found[f"amount:{ends}"] = {
            number: row.routes[ends].amount for number, row in enumerate(rows) if ends in row.routes
        }
    found["rare"] = {number: float(sum(ends not in usual for ends in row.routes)) for number, row in enumerate(rows)}
    return found


def usual_routes(rows: list[Row]) -> list[str]:
    """Pairs of ends that at least `FLOOR` presets have."""
    counts = Counter(ends for row in rows for ends in row.routes)
    return sorted(ends for ends, count in counts.items() if count >= FLOOR)


def is_choice(name: str) -> bool:
    """True for a column without order."""
    if name.startswith(("table:", "shape:")):
        return True
    return name in control_space() and control_space()[name].kind == "choice"


def pooled(name: str) -> str:
    """What a control shares with its siblings: the same of any oscillator, LFO, envelope."""
    return _SIBLINGS.sub(r"\1_N", re.sub(r"(?<=:)(osc|lfo)_\d", r"\1_N", name))


def fit(rows: list[Row], weights: NDArray[np.float64], about: Mapping[str, Any]) -> dict[str, Any]:
    """The table, as JSON values."""
    values = column_values(rows)
    siblings: dict[str, list[tuple[int, float]]] = {}
    for name, column in values.items():
        siblings.setdefault(pooled(name), []).extend(column.items())
    marginals: dict[str, Marginal] = {}
    low: list[NDArray[np.float64]] = []
    high: list[NDArray[np.float64]] = []
    for name, column in values.items():
        own = list(column.items())
        enough = len(own) >= 4 * FLOOR or name.startswith(("route:", "amount:"))
        members = own if enough else siblings[pooled(name)]
        marginal = _marginal(name, members, weights)
        if marginal is None:
            continue
        marginals[name] = marginal
        bounds = _intervals(name, own, marginal, weights, len(rows))
        low.append(bounds[0])
        high.append(bounds[1])
    copula = fit_copula(
        np.stack(low, axis=1),
        np.stack(high, axis=1),
        np.random.default_rng(SEED),
        weights=weights,
        factors=FACTORS,
        rounds=ROUNDS,
    )
    usual = usual_routes(rows)
    return {
        "about": dict(about),
        "columns": {
            name: {**_numbers(marginal), "loadings": [round(float(number), 2) for number in loadings]}
            for (name, marginal), loadings in zip(marginals.items(), copula.loadings, strict=True)
        },
        "routes": {ends: _manner(rows, weights, ends) for ends in usual},
        **_rare(rows, weights, usual),
    }


def _marginal(name: str, members: list[tuple[int, float]], weights: NDArray[np.float64]) -> Marginal | None:
    found = np.array([value for _, value in members])
    mass = weights[[number for number, _ in members]] if members else np.empty(0)
    return fit_choice(found, mass, FLOOR) if is_choice(name) else fit_marginal(found, mass, FLOOR)


def _intervals(
    name: str, members: list[tuple[int, float]], marginal: Marginal, weights: NDArray[np.float64], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ranks between which each row's value lies, shape (n,) each; 0 to 1 where it is absent."""
    low, high = np.zeros(n), np.ones(n)
    if not members:
        return low, high
    numbers = np.array([number for number, _ in members])
    found = np.array([value for _, value in members])
    if is_choice(name):
        # The usual first, as in the marginal; what is pooled counts as absent.
        order = {value: place for place, value in enumerate(dict.fromkeys(marginal.values.tolist()))}
        known = np.array([value in order for value in found])
        numbers, found = numbers[known], np.array([float(order[value]) for value in found[known]])
        if not len(found):
            return low, high
    distinct, inverse = np.unique(found, return_inverse=True)
    masses = np.bincount(inverse, weights[numbers], len(distinct))
    ends = np.concatenate([[0.0], np.cumsum(masses) / masses.sum()])
    low[numbers], high[numbers] = ends[inverse], ends[inverse + 1]
    return low, high


def _numbers(marginal: Marginal) -> dict[str, list[float]]:
    return {
        "ranks": [round(float(rank), 4) for rank in marginal.ranks],
        "values": [round(float(value), 5) for value in marginal.values],
    }


def _manner(rows: list[Row], weights: NDArray[np.float64], ends: str) -> dict[str, float]:
    """Shares of routes that swing to both sides, and that differ left and right."""
    having = [number for number, row in enumerate(rows) if ends in row.routes]
    mass = weights[having]
    return {
        word: round(float(mass @ [getattr(rows[number].routes[ends], word) for number in having] / mass.sum()), 2)
        for word in ("bipolar", "stereo")
    }


def _rare(rows: list[Row], weights: NDArray[np.float64], usual: list[str]) -> dict[str, Any]:
    """Sources, destinations and amounts of routes that are no usual pair; those below the floor share evenly."""
    counts: dict[str, Counter[str]] = {"sources": Counter(), "destinations": Counter()}
    amounts: list[tuple[int, float]] = []
    for number, row in enumerate(rows):
        for ends, route in row.routes.items():
            if ends not in usual:
                source, _, destination = ends.partition(">")
                counts["sources"][source] += 1
                counts["destinations"][destination] += 1
                amounts.append((number, route.amount))
    known = {
        "sources": [name for name in sources() if not is_absent(name)],
        "destinations": [name for name in destinations() if not is_excluded(name) and part_of(name) != "modulation"],
    }
    shares: dict[str, dict[str, float]] = {}
    for side, names in known.items():
        often = {name: counts[side][name] for name in names if counts[side][name] >= FLOOR}
        seldom = [name for name in names if 0 < counts[side][name] < FLOOR]
        rest = sum(counts[side][name] for name in seldom)
        each = rest / len(seldom) if seldom else 0.0
        total = sum(often.values()) + rest
        shares[side] = {
            name: round(often.get(name, each) / total, 5) for name in names if name in often or name in seldom
        }
    marginal = fit_marginal(np.array([value for _, value in amounts]), weights[[n for n, _ in amounts]], FLOOR)
    if marginal is None:
        raise InputError(f"only {len(amounts)} rare routes; give a larger bank")
    return {"rare": shares, "rare_amounts": _numbers(marginal)}


def table_bytes(path: Path) -> bytes:
    """The file that a bank gives."""
    bank = Archive(path, ".vital")
    rows, weights, authors = rows_of(bank)
    about = {
        "what": "statistics of how people set Vital's controls; no preset can be read from them",
        "recipe": "recipes/human_prior.py",
        "bank_sha256": bank.sha256,
        "presets_fitted": authors,
        "presets_held_out": sum(part(name) == "held out" for name in bank.names),
        "authors_held_out": list(HELD_OUT_AUTHORS),
        "floor": FLOOR,
        "seed": SEED,
        "space": vital_space().fingerprint,
    }
    table = fit(rows, weights, about)
    lines = [f'"about": {json.dumps(table["about"], indent=1)}']
    lines.append('"columns": {\n' + _lines(table["columns"]) + "\n}")
    lines.append('"routes": {\n' + _lines(table["routes"]) + "\n}")
    lines += [f'"{name}": {compact(table[name])}' for name in ("rare", "rare_amounts")]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _lines(rows: Mapping[str, Any]) -> str:
    return ",\n".join(f"{json.dumps(name)}:{compact(row)}" for name, row in rows.items())


if __name__ == "__main__":
    write_table(__doc__, "a folder or tar of .vital presets, one folder an author", "vital_prior.json", table_bytes)
