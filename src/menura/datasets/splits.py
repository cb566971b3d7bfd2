"""Splits that nothing straddles: a hash of where a sound comes from decides. Knows no file and no synth."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping

from menura.datasets.item import Item
from menura.errors import InputError

SHARES: Mapping[str, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}
"""The usual shares."""


def split_of(lineage: str, shares: Mapping[str, float] = SHARES, seed: int = 0) -> str:
    """The part of a split that a lineage belongs to, always the same one.

    Everything of one author, instrument or mutated preset shares a lineage, so siblings never straddle train and test,
    and sets that are made at different times agree. Parts come out in their shares only on average over many
    lineages: one author who made nearly everything is in one part, whatever the shares say.

    Args:
        lineage: source, author, or the id of the preset from which others were mutated.
        shares: part to its share; in this order, need not sum to 1.
        seed: another one deals anew.

    Raises:
        InputError: the shares are none, negative or not finite.
    """
    total = sum(shares.values())
    if not shares or not math.isfinite(total) or total <= 0 or min(shares.values()) < 0:
        raise InputError(f"a split into {dict(shares)}; give each part a share above 0")
    digest = hashlib.sha256(f"menura split\x1f{seed}\x1f{lineage}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64 * total
    for part, share in shares.items():
        if place < share:
            return part
        place -= share
    return next(part for part in reversed(list(shares)) if shares[part] > 0)


def by_source(
    items: Iterable[Item], shares: Mapping[str, float] = SHARES, seed: int = 0
) -> dict[str, tuple[Item, ...]]:
    """The items of each part, in their order, split by source; an item without a source is its own.

    Raises:
        InputError: as `split_of`.
    """
    parts: dict[str, list[Item]] = {part: [] for part in shares}
    for item in items:
        parts[split_of(item.source or item.id, shares, seed)].append(item)
    return {part: tuple(found) for part, found in parts.items()}
