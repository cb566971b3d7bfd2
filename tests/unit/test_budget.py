"""The budget: renders first, seconds as a ceiling, and a word for what stopped."""

from __future__ import annotations

import math
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.errors import InputError
from menura.matching.budget import Budget


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.integers(1, 500), st.lists(st.integers(0, 90), max_size=30), st.integers(0, 50))
def test_no_more_is_granted_than_there_is(renders: int, wants: list[int], reserve: int) -> None:
    account = Budget(renders, math.inf).start()
    account.reserve(reserve)
    granted = sum(account.grant(want) for want in wants)
    kept = min(reserve, renders)
    assert granted == min(sum(wants), renders - kept) == account.spent
    last = account.grant_last(reserve)
    assert last >= min(reserve, kept)
    assert account.spent <= renders


def test_renders_stop() -> None:
    account = Budget(10, 1e9).start()
    assert account.grant(10) == 10
    assert account.stopped_by == "stages"
    assert account.grant(1) == 0
    assert account.stopped_by == "renders"


def test_seconds_stop_but_the_last_check_is_still_done() -> None:
    clock = Clock()
    account = Budget(100, 5.0).start(clock=clock)
    account.reserve(4)
    assert account.grant(20) == 20
    clock.now = 5.0
    assert account.left == 0
    assert account.grant(20) == 0
    assert account.stopped_by == "seconds"
    assert account.grant_last(4) == 4


def test_cancelling_stops() -> None:
    cancel = Event()
    account = Budget(100).start(cancel=cancel)
    assert account.grant(5) == 5
    cancel.set()
    assert account.grant(5) == 0
    assert account.stopped_by == "cancelled"


@pytest.mark.parametrize(("renders", "seconds"), [(0, 1.0), (-1, 1.0), (5, 0.0), (5, math.nan), (5, -1.0)])
def test_empty_budgets_are_refused(renders: int, seconds: float) -> None:
    with pytest.raises(InputError, match="nothing to do"):
        Budget(renders, seconds)
