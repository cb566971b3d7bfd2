"""Pairs (A, B): two notes of one instrument, so that an answer to A can be played as B. Reads no sound.

Whether a preset is an instrument, and not a recording of one note, shows where it plays another note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from menura.datasets.item import Item
from menura.datasets.selection import order

WIDEST = 12.0
"""Semitones between the notes of a pair, at most."""
NARROWEST = 1.0
"""And at least: a nearer note is the same note."""
_KEY = re.compile(r"(?<![A-Za-z])([A-Ga-g])([#b♯♭]?)(-?\d)(?!\d)")
_NUMBER = re.compile(r"(?<!\d)\d{2,3}(?!\d)")
_CLASS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHIFT = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}


@dataclass(frozen=True, slots=True)
class _Bond:
    """Two items that may be a pair, in either direction."""

    low: Item
    high: Item
    chance: int


def pairs_of(items: Sequence[Item], *, per_source: int = 5, seed: int = 0) -> tuple[Item, ...]:
    """Pairs of notes of one instrument.

    Both notes have a known pitch, 1 to 12 semitones apart, and the same source, category and articulation: the same
    velocity layer, stroke and round robin. Where an item states no articulation, its name without the key stands for
    it, so that ``arco_g1_mf_up`` is paired with ``arco_c2_mf_up`` alone. In each source as many pairs go up as go
    down, give or take one, and each item takes part in as few as can be.

    Args:
        items: of one set; items with an error or without a pitch take no part.
        per_source: the most pairs of one source.
        seed: of the choice.

    Returns:
        One item a pair: it sounds as A and is told A's pitch, and is judged against B's file at B's pitch. Sorted by
        source, in an order that each source's choice decides.
    """
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        if item.pitch is not None and not item.error:
            groups.setdefault((item.source, item.category, articulation(item)), []).append(item)
    sources: dict[str, list[_Bond]] = {}
    for (source, _, _), members in groups.items():
        sources.setdefault(source, []).extend(_bonds(members, seed))
    chosen: list[Item] = []
    for source in sorted(sources):
        bonds = _spread(sources[source], per_source)
        # Which way the first one goes is chance too, else sources with one pair would all go up.
        first = order(seed, source, "up") % 2
        for number, bond in enumerate(bonds):
            up = (number + first) % 2 == 0
            chosen.append(_pair(bond.low, bond.high) if up else _pair(bond.high, bond.low))
    return tuple(chosen)


def articulation(item: Item) -> str:
    """How the item's note is played: what it states, else its name with the key taken out."""
    if item.articulation:
        return item.articulation
    name = PurePosixPath(item.id).with_suffix("").as_posix()
    key = round(item.pitch) if item.pitch is not None else None
    for found in reversed(list(_KEY.finditer(name))):
        letter, shift, _ = found.groups()
        # Octaves are counted from different zeros; the key's name within the octave is not.
        if key is None or (_CLASS[letter.upper()] + _SHIFT[shift] - key) % 12 == 0:
            return f"{name[: found.start()]}*{name[found.end() :]}"
    for found in reversed(list(_NUMBER.finditer(name))):
        if key is not None and int(found.group()) == key:
            return f"{name[: found.start()]}*{name[found.end() :]}"
    return name


def _bonds(members: Sequence[Item], seed: int) -> Iterator[_Bond]:
    for number, first in enumerate(members):
        for second in members[number + 1 :]:
            low, high = sorted((first, second), key=lambda item: (item.pitch or 0.0, item.id))
            if NARROWEST <= (high.pitch or 0.0) - (low.pitch or 0.0) <= WIDEST:
                yield _Bond(low, high, order(seed, low.id, high.id))


def _spread(bonds: Sequence[_Bond], most: int) -> list[_Bond]:
    """The chosen ones: at each turn the bond whose items were used least, chance among equals."""
    left = list(bonds)
    used: dict[str, int] = {}
    chosen: list[_Bond] = []
    while left and len(chosen) < most:
        best = min(left, key=lambda bond: (used.get(bond.low.id, 0) + used.get(bond.high.id, 0), bond.chance))
        left.remove(best)
        chosen.append(best)
        for item in (best.low, best.high):
            used[item.id] = used.get(item.id, 0) + 1
    return chosen


def _pair(heard: Item, played: Item) -> Item:
    names = [PurePosixPath(item.id) for item in (heard, played)]
    return replace(
        heard,
        id=f"{names[0].with_suffix('')} to {names[1].stem}",
        judged=played.sound,
        judged_pitch=played.pitch,
        articulation=articulation(heard),
    )
