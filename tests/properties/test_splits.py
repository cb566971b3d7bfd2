"""Splits and choices: nothing straddles, everything is the same on every machine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.datasets.item import Item
from menura.datasets.names import file_name
from menura.datasets.selection import balanced
from menura.datasets.splits import SHARES, by_source, split_of
from menura.errors import InputError

words = st.text(min_size=1, max_size=12)


@given(st.lists(st.tuples(words, words), max_size=40), st.integers(0, 5))
def test_no_source_straddles_a_split_and_nothing_is_lost(rows, seed):
    items = [Item(id=name, sound=Path("x"), source=source) for source, name in rows]
    parts = by_source(items, SHARES, seed)
    assert sorted(item.id for part in parts.values() for item in part) == sorted(item.id for item in items)
    of = {}
    for part, found in parts.items():
        for item in found:
            assert of.setdefault(item.source, part) == part


def test_a_split_is_the_same_everywhere():
    # Written down once: other machines and later versions must agree.
    assert [split_of(word) for word in ("alice", "bob", "carol", "dave", "erin", "frank")] == [
        "train",
        "train",
        "train",
        "train",
        "test",
        "validation",
    ]


def test_shares_hold_on_average():
    counts = Counter(split_of(str(number), {"a": 3, "b": 1}) for number in range(4000))
    assert abs(counts["a"] / 4000 - 0.75) < 0.03
    assert split_of("x", {"none": 0.0, "all": 1.0}) == "all"


@pytest.mark.parametrize("shares", [{}, {"a": 0.0}, {"a": -1.0, "b": 3.0}, {"a": float("nan")}, {"a": float("inf")}])
def test_shares_that_divide_nothing_are_refused(shares):
    with pytest.raises(InputError):
        split_of("x", shares)


@given(st.lists(st.tuples(st.sampled_from("abcd"), words), unique=True, max_size=40), st.integers(0, 3), st.randoms())
def test_a_balanced_order_loses_nothing_and_every_beginning_is_even(things, seed, random):
    found = balanced(things, source=lambda t: t[0], name=lambda t: t[1], seed=seed)
    assert sorted(found) == sorted(things)
    shuffled = random.sample(things, len(things))
    assert balanced(shuffled, source=lambda t: t[0], name=lambda t: t[1], seed=seed) == found
    sizes = Counter(source for source, _ in things)
    for count in range(len(found) + 1):
        taken = Counter(source for source, _ in found[:count])
        open_sources = [source for source in sizes if taken[source] < sizes[source]]
        if open_sources and count:
            assert max(taken.values()) - min(taken[source] for source in open_sources) <= 1


@given(words, words)
def test_file_names_are_safe_and_different(first, second):
    one, other = file_name(first), file_name(second)
    assert one
    assert len(one) <= 120
    assert not set(one) & set('/\\:*?"<>|\0 ')
    assert one.strip(".") == one
    if first != second:
        assert one.lower() != other.lower()
