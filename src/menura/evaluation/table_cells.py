"""Cells and sections of a table, and numbers as they are printed. Knows no run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DASH = "–"
ARROWS = {"lower": "↓", "higher": "↑", "zero": "→ 0"}


@dataclass(frozen=True, slots=True)
class Cell:
    """Text in a table."""

    text: str
    strong: bool = False
    """The best of its column, or a difference that is significant."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences, and at most one table."""

    title: str
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    level: int = 1
    """1 is a heading of the page, 2 one below it."""
    numeric: bool = True
    """The columns after the first hold numbers."""


def texts(*values: object) -> tuple[Cell, ...]:
    """A row of plain cells."""
    return tuple(Cell(str(value)) for value in values)


def number(value: float | None, places: int, *, signed: bool = False) -> str:
    """A number with its decimals; a dash for none."""
    if value is None:
        return DASH
    text = f"{value:+.{places}f}" if signed else f"{value:.{places}f}"
    return text.replace("-", "−")


def percent(share: float | None) -> str:
    """A share as a percentage."""
    return DASH if share is None else f"{100.0 * share:.0f}%"


def interval(score: Mapping[str, Any] | None, places: int, *, signed: bool = False) -> str:
    """A mean and, where it is known, its 95% interval."""
    if score is None or score["mean"] is None:
        return DASH
    mean = number(score["mean"], places, signed=signed)
    if score["low"] is None or score["high"] is None:
        return mean
    return f"{mean} [{number(score['low'], places, signed=signed)}, {number(score['high'], places, signed=signed)}]"


def nearest(values: Mapping[str, float | None], better: str) -> set[str]:
    """Names of the best values; none where fewer than two are known, for there is nothing to be better than."""
    known = {name: value for name, value in values.items() if value is not None}
    if len(known) < 2:
        return set()
    best = max(known.values()) if better == "higher" else min(known.values())
    return {name for name, value in known.items() if value == best}


def title_of(metric: Mapping[str, Any]) -> str:
    """A metric as the head of a column: its title, unit and which way is better."""
    title = f"|{metric['title']}|" if metric["better"] == "zero" else str(metric["title"])
    unit = f" {metric['unit']}" if metric["unit"] else ""
    return f"{title}{unit} {ARROWS[metric['better']]}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
