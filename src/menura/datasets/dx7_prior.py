"""DX7 voices as people make them: draws from a table of statistics, in which no voice is.

Owns the table's format (`dx7_prior.json`, written by ``recipes/dx7_prior.py``) and the way from it to a voice. Each
control has one distribution for all voices; what an algorithm does to it is a shift and a spread of its normal score,
for what carries and what modulates is set differently; how controls go together is one copula.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from menura.datasets.copula import FactorCopula
from menura.datasets.marginals import Marginal, Row
from menura.errors import WorkError
from menura.preset import Preset
from menura.storage import hash_bytes
from menura.synths.base import Synth
from menura.synths.dx7.controls import control_of

_FILE = "dx7_prior.json"


@dataclass(frozen=True, slots=True, eq=False)
class VoiceTable:
    """What `dx7_prior.json` holds."""

    about: Mapping[str, Any]
    """Where it comes from."""
    columns: Mapping[str, Marginal]
    copula: FactorCopula
    """Over the columns, in their order, of scores without what the algorithm does to them."""
    shares: Row
    """How often each algorithm is used, shape (32,), sum 1."""
    shifts: Row
    """What an algorithm adds to the normal scores, shape (32, columns)."""
    spreads: Row
    """What it multiplies them by before, shape (32, columns)."""
    sha256: str

    def drawn(self, rng: np.random.Generator) -> dict[str, float]:
        """Control to stored value, of one draw."""
        from scipy.special import ndtr, ndtri

        algorithm = int(rng.choice(len(self.shares), p=self.shares))
        scores = self.shifts[algorithm] + self.spreads[algorithm] * ndtri(self.copula.sample(rng, 1)[0])
        values = {
            name: float(np.clip(round(column.value(rank)), 0, control_of(name).high))
            for (name, column), rank in zip(self.columns.items(), ndtr(scores).tolist(), strict=True)
        }
        return {**values, "algorithm": float(algorithm)}


@cache
def voice_table() -> VoiceTable:
    """The packaged table.

    Raises:
        WorkError: it was made for other controls.
    """
    from menura.synths.dx7.synth import Dx7

    table = read_table(files("menura.datasets").joinpath(_FILE).read_bytes())
    if table.about["space"] != Dx7().space.fingerprint:
        raise WorkError(f"{_FILE} was made for space {table.about['space']}; run recipes/dx7_prior.py again")
    return table


def read_table(content: bytes) -> VoiceTable:
    """The table in the bytes of its file."""
    found = json.loads(content)
    rows: Mapping[str, Any] = found["columns"]
    algorithms: list[Mapping[str, Any]] = found["algorithms"]
    shares = np.array([row["share"] for row in algorithms], dtype=np.float64)
    return VoiceTable(
        found["about"],
        {name: Marginal(np.array(row["ranks"]), np.array(row["values"])) for name, row in rows.items()},
        FactorCopula(np.array([row["loadings"] for row in rows.values()], dtype=np.float64)),
        shares / shares.sum(),
        np.array([row["shift"] for row in algorithms], dtype=np.float64),
        np.array([row["spread"] for row in algorithms], dtype=np.float64),
        hash_bytes(content),
    )


class HumanDx7:
    """A DX7 voice with the algorithm, ratios, levels, envelopes and their company that voices by people have."""

    def __call__(self, synth: Synth, rng: np.random.Generator) -> Preset:
        """A draw from the packaged table."""
        return synth.init().with_values(**voice_table().drawn(rng))

    @property
    def fingerprint(self) -> str:
        """Of the table."""
        return voice_table().sha256


human_dx7 = HumanDx7()
