"""Which sounds of many are taken: filters, and a balanced choice by seed. Knows no synth and reads no sound."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from menura.datasets.item import Item
from menura.errors import ManifestError

T = TypeVar("T")
Field = str | tuple[str, ...]
Where = Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as its list states it, with everything that a filter may ask for."""

    item: Item
    fields: Mapping[str, Field]
    """By column; several values where the column holds several, such as labels."""


def keep(entries: Iterable[Entry], where: Where, *, name: str = "the set") -> list[Entry]:
    """The entries that answer to every filter, in their order.

    Args:
        entries: of one list.
        where: column to the value, or the values of which one must be there.
        name: what the set is called in a message.

    Raises:
        ManifestError: a column that no entry has.
    """
    found = list(entries)
    known = {column for entry in found for column in entry.fields}
    for column in where:
        if found and column not in known:
            raise ManifestError(
                f"{name} has no column {column!r} to filter by (there are: {', '.join(sorted(known))}); "
                "mend where, or the list"
            )
    return [entry for entry in found if answers(entry.fields, where)]


def answers(fields: Mapping[str, Field], where: Where) -> bool:
    """True where each filter finds one of its values in its column."""
    return all(set(_values(wanted)) & set(_values(fields.get(column, ""))) for column, wanted in where.items())


def order(*words: object) -> int:
    """A number that only these words decide, the same on every machine: chance for choices."""
    text = "\x1f".join(str(word) for word in words)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def balanced(things: Sequence[T], *, source: Callable[[T], str], name: Callable[[T], str], seed: int) -> list[T]:
    """All things in an order whose every beginning takes from the sources as evenly as it can.

    One of each source in turn, until a source has no more. What comes first within a source, and which source begins,
    is chance by `seed` and name alone: one more thing in the list moves the others by a place at most.

    Args:
        things: to order.
        source: whose a thing is.
        name: unique among the things of a source.
        seed: of the choice.
    """
    groups: dict[str, list[T]] = {}
    for thing in things:
        groups.setdefault(source(thing), []).append(thing)
    for group in groups.values():
        group.sort(key=lambda thing: (order(seed, source(thing), name(thing)), name(thing)))
    turns = sorted(groups, key=lambda word: (order(seed, word), word))
    longest = max((len(group) for group in groups.values()), default=0)
    return [groups[word][turn] for turn in range(longest) for word in turns if turn < len(groups[word])]


def _values(field: Field) -> tuple[str, ...]:
    return (field,) if isinstance(field, str) else tuple(field)
