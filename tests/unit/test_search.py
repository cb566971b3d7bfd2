"""Minimisers: they find, they repeat, they take infinities, they stay in their box."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.errors import SpaceError
from menura.search import CmaEs, RandomSearch


def bowl(vectors: np.ndarray, centre: np.ndarray) -> np.ndarray:
    return ((vectors - centre) ** 2).sum(axis=1)


def run(seed: int, *, generations: int = 60, dim: int = 12, batch: int = 100, **options: object) -> CmaEs:
    centre = np.random.default_rng(1).random(dim)
    search = CmaEs(np.full(dim, 0.5), np.random.default_rng(seed), sigma=0.2, diagonal=True, **options)  # type: ignore[arg-type]
    for _ in range(generations):
        vectors = search.ask(batch)
        if not len(vectors):
            break
        search.tell(vectors, bowl(vectors, centre))
    return search


def test_cma_es_finds_the_bottom_where_random_draws_do_not() -> None:
    search = run(0)
    centre = np.random.default_rng(1).random(12)
    random = RandomSearch(12, np.random.default_rng(0))
    drawn = random.ask(660)
    random.tell(drawn, bowl(drawn, centre))
    assert search.best[1] < 0.01 < 0.2 < random.best[1]


def test_a_run_is_a_function_of_its_generator_alone() -> None:
    first = run(3)
    np.random.seed(99)  # noqa: NPY002 - the global state must not matter
    second = run(3)
    assert first.best[1] == second.best[1]
    assert np.array_equal(first.best[0], second.best[0])
    assert run(4).best[1] != first.best[1]


def test_the_global_random_state_is_left_alone() -> None:
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002 # type: ignore[union-attr]
    run(0, generations=3)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002 # type: ignore[arg-type]


def test_generations_may_be_told_in_pieces() -> None:
    whole, pieces = run(7, generations=10), run(7, generations=40, batch=3)
    assert pieces.best[1] < 1.0
    assert whole.best[1] < 1.0


def test_bounds_hold() -> None:
    low, high = np.full(12, 0.4), np.full(12, 0.6)
    search = CmaEs(np.full(12, 0.5), np.random.default_rng(0), sigma=0.5, low=low, high=high)
    for _ in range(5):
        vectors = search.ask(20)
        assert (vectors >= low).all()
        assert (vectors <= high).all()
        search.tell(vectors, vectors.sum(axis=1))


@given(st.lists(st.floats(0.0, 100.0) | st.just(math.inf), min_size=12, max_size=12))
def test_infinite_losses_are_taken_and_never_the_best(losses: list[float]) -> None:
    search = CmaEs(np.full(4, 0.5), np.random.default_rng(0), population=12)
    vectors = search.ask(12)
    search.tell(vectors, np.array(losses))
    assert search.best[1] == min(losses)
    assert search.done or len(search.ask(12)) == 12


def test_a_nan_loss_is_refused() -> None:
    search = RandomSearch(3, np.random.default_rng(0))
    with pytest.raises(SpaceError, match="NaN"):
        search.tell(search.ask(2), np.array([1.0, np.nan]))


def test_nothing_to_move_is_refused() -> None:
    with pytest.raises(SpaceError, match="nothing to move"):
        CmaEs(np.empty(0), np.random.default_rng(0))
