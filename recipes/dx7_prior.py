r"""Writes `src/menura/datasets/dx7_prior.json`: how people set the DX7's controls, as statistics.

    python recipes/dx7_prior.py ../shared/data/dx7_voices.npy

Voices that sound alike to the last byte count once; a tenth, by the hash of their bytes, is held out. A number stands
in the table only where at least `FLOOR` voices share it or are averaged in it. The same voices give the same file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prior_tables import compact, write_table
from scipy.special import ndtr, ndtri

from menura.datasets.copula import fit_copula
from menura.datasets.marginals import fit_choice, fit_marginal
from menura.datasets.voices import Voices
from menura.errors import InputError
from menura.storage import hash_bytes, hash_file
from menura.synths.dx7.controls import controls
from menura.synths.dx7.synth import Dx7

FLOOR = 20
"""Voices that a number must stand for."""
ENOUGH = 200
"""Voices of an algorithm below which it shifts nothing."""
FACTORS = 16
ROUNDS = 60
"""Of the fit's algorithm."""
FITTED = 6_000
"""Voices that the copula is fitted to."""
SEED = 0
Matrix = NDArray[np.float64]


def held_out(voice: bytes) -> bool:
    """A tenth of all voices."""
    return int(hash_bytes(voice)[:8], 16) % 10 == 0


def held_out_message(message: bytes) -> bool:
    """Whether the voice of a message is."""
    return held_out(_key(_values(message)))


def voices(path: Path) -> tuple[Matrix, int]:
    """Values of the fitted voices, shape (n, controls), and how many are held out."""
    bank = Voices(path)
    found = [_values(message) for message in bank.read(bank.names).values()]
    seen = {_key(values): values for values in found}
    kept = [values for key, values in seen.items() if not held_out(key)]
    return np.array(kept), len(seen) - len(kept)


def _values(message: bytes) -> list[float]:
    preset = Dx7().read(message)
    return [preset.values[control.name] for control in controls()]


def _key(values: list[float]) -> bytes:
    return np.array(values, dtype=np.uint8).tobytes()


def intervals(values: Matrix, *, choice: bool) -> tuple[Matrix, Matrix]:
    """Ranks between which each value lies; of a choice, the most usual value first."""
    found, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable") if choice else np.arange(len(found))
    ends = np.concatenate([[0.0], np.cumsum(counts[order])]) / len(values)
    place = np.empty(len(found), dtype=int)
    place[order] = np.arange(len(found))
    return ends[place[inverse]], ends[place[inverse] + 1]


def fit(rows: Matrix, about: dict[str, Any]) -> dict[str, Any]:
    """The table, as JSON values."""
    rng, names = np.random.default_rng(SEED), [control.name for control in controls()]
    algorithm = rows[:, names.index("algorithm")].astype(int)
    low, high = np.empty_like(rows), np.empty_like(rows)
    columns: dict[str, dict[str, Any]] = {}
    ones = np.ones(len(rows))
    for place, control in enumerate(controls()):
        choice = control.kind == "choice"
        marginal = (fit_choice if choice else fit_marginal)(rows[:, place], ones, FLOOR)
        if marginal is None:
            raise InputError(f"only {len(rows)} voices; give {FLOOR} at least")
        low[:, place], high[:, place] = intervals(rows[:, place], choice=choice)
        columns[control.name] = {
            "ranks": [round(float(rank), 4) for rank in marginal.ranks],
            "values": [round(float(value), 1) for value in marginal.values],
        }
    # A rank within its interval by chance: what ties have in common stays.
    scores = ndtri(np.clip(low + rng.random(rows.shape) * (high - low), 1e-4, 1.0 - 1e-4))
    shifts, spreads = np.zeros((32, len(names))), np.ones((32, len(names)))
    for number in range(32):
        own = scores[algorithm == number]
        if len(own) >= ENOUGH:
            shifts[number], spreads[number] = own.mean(axis=0), np.maximum(own.std(axis=0), 0.05)
    chosen = rng.permutation(len(rows))[:FITTED]
    shift, spread = shifts[algorithm[chosen]], spreads[algorithm[chosen]]
    ends = [ndtr((ndtri(side[chosen]) - shift) / spread) for side in (low, high)]
    copula = fit_copula(ends[0], ends[1], rng, factors=FACTORS, rounds=ROUNDS)
    for row, loadings in zip(columns.values(), copula.loadings, strict=True):
        row["loadings"] = [round(float(number), 2) for number in loadings]
    algorithms = [
        {
            "share": round(float((algorithm == number).mean()), 5),
            "shift": [round(float(value), 2) for value in shifts[number]],
            "spread": [round(float(value), 2) for value in spreads[number]],
        }
        for number in range(32)
    ]
    return {"about": about, "columns": columns, "algorithms": algorithms}


def table_bytes(path: Path) -> bytes:
    """The file that a collection of voices gives."""
    rows, rest = voices(path)
    about = {
        "what": "statistics of how people set the DX7's controls; no voice can be read from them",
        "recipe": "recipes/dx7_prior.py",
        "voices_sha256": hash_file(path),
        "voices_fitted": len(rows),
        "voices_held_out": rest,
        "floor": FLOOR,
        "seed": SEED,
        "space": Dx7().space.fingerprint,
    }
    table = fit(rows, about)
    columns = ",\n".join(f"{json.dumps(name)}:{compact(row)}" for name, row in table["columns"].items())
    algorithms = ",\n".join(compact(row) for row in table["algorithms"])
    told = json.dumps(table["about"], indent=1)
    return f'{{\n"about": {told},\n"columns": {{\n{columns}\n}},\n"algorithms": [\n{algorithms}\n]\n}}\n'.encode()


if __name__ == "__main__":
    write_table(__doc__, "packed voices, an array of shape (n, 128)", "dx7_prior.json", table_bytes)
