"""What the Vital engine says of its own controls, read from packaged data: no engine is loaded.

The table is written by `recipes/vital_controls.py` and tested against the installed engine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

SLOTS = 64
"""Modulation slots, counted from 1."""
SLOT_FIELDS: tuple[Literal["amount", "bipolar", "bypass", "power", "stereo"], ...] = (
    "amount",
    "bipolar",
    "bypass",
    "power",
    "stereo",
)
"""The scalar controls of one slot: `modulation_<slot>_<field>`."""


@dataclass(frozen=True, slots=True)
class Control:
    """One scalar control of the engine."""

    name: str
    low: float
    high: float
    default: float
    scale: str
    """How the engine shows the value: linear, indexed, quadratic, quartic, square_root or exponential."""
    choices: tuple[str, ...]
    """Names of the positions from `low` up; empty where the engine has none, shorter where it has too few."""
    units: str
    label: str
    multiply: float
    """The shown value is multiply * curve(value) + offset."""
    offset: float

    @property
    def indexed(self) -> bool:
        """True where the control takes whole positions only."""
        return self.scale == "indexed"


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(files("menura.synths.vital").joinpath("controls.json").read_text("utf-8"))
    return table


def _control(name: str, row: Mapping[str, Any]) -> Control:
    fields: dict[str, Any] = {**row, "choices": tuple(row["choices"])}
    return Control(name, **fields)


@cache
def controls() -> Mapping[str, Control]:
    """All 772 scalar controls by name, the modulation slots' included; sorted by name."""
    found: dict[str, Control] = {}
    for name, row in _table()["controls"].items():
        if name.startswith("modulation_N_"):
            for slot in range(1, SLOTS + 1):
                full = name.replace("_N_", f"_{slot}_")
                found[full] = _control(full, row)
        else:
            found[name] = _control(name, row)
    return MappingProxyType(dict(sorted(found.items())))


@cache
def sources() -> tuple[str, ...]:
    """The engine's 32 modulation sources."""
    return tuple(_table()["sources"])


@cache
def destinations() -> tuple[str, ...]:
    """The engine's 428 modulation destinations."""
    found: list[str] = []
    for name in _table()["destinations"]:
        found += [name.replace("_N_", f"_{n}_") for n in range(1, SLOTS + 1)] if "_N_" in name else [name]
    return tuple(found)


def engine_version() -> str:
    """The engine that the table was taken from, e.g. ``'vita 0.1.0'``."""
    version: str = _table()["engine"]
    return version
