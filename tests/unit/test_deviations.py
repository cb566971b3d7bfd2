"""Least absolute deviations: what is found is the least there is, within its bounds."""

from __future__ import annotations

import numpy as np

from menura.matching.deviations import least_deviations

RNG = np.random.default_rng(0)
SHAPES = RNG.normal(0.0, 20.0, (6, 300)).astype(np.float32)
WEIGHTS = np.full(300, 1.0 / 300.0, dtype=np.float32)
UNIT = (np.zeros(6), np.ones(6))


def bent(vectors: np.ndarray) -> np.ndarray:
    """Cells that are no straight function of the vectors."""
    return (np.expm1(vectors) @ SHAPES).astype(np.float32)


def test_the_vector_behind_a_picture_is_found_although_some_cells_are_wild() -> None:
    truth = np.array([0.2, 0.9, 0.5, 0.0, 1.0, 0.7])
    target = bent(truth[None])[0]
    target[::10] += 60.0
    found, loss = least_deviations(bent, target, WEIGHTS, np.full(6, 0.5), UNIT, iterations=30)
    assert np.abs(found - truth).max() < 0.02
    assert loss < 6.1


def test_bounds_are_in_the_units_of_the_vector() -> None:
    low, high = np.full(6, -10.0), np.full(6, 30.0)
    truth = np.array([-10.0, 30.0, 0.0, 12.0, 25.0, -3.0])

    def far(vectors: np.ndarray) -> np.ndarray:
        return bent((vectors - low) / (high - low))

    found, _ = least_deviations(far, far(truth[None])[0], WEIGHTS, np.full(6, 10.0), (low, high), iterations=30)
    assert np.abs(found - truth).max() < 0.5


def test_what_did_not_move_is_not_probed_again() -> None:
    asked: list[int] = []

    def counted(vectors: np.ndarray) -> np.ndarray:
        asked.append(len(vectors))
        return bent(vectors)

    least_deviations(counted, bent(np.full((1, 6), 0.5))[0], WEIGHTS, np.full(6, 0.5), UNIT, iterations=5)
    assert asked[0] == 7
    assert asked[1:] == [6] * (len(asked) - 1)


def test_bounds_hold_and_no_step_is_worse() -> None:
    start = np.array([0.0, 1.0, 0.5, 0.5, 0.5, 0.5])
    target = bent(np.array([[-0.3, 1.3, 0.9, 0.1, 0.5, 0.5]]))[0]
    before = float(np.abs(bent(start[None])[0] - target) @ WEIGHTS)
    found, loss = least_deviations(bent, target, WEIGHTS, start, UNIT, iterations=20, reach=0.2)
    assert (found >= 0.0).all()
    assert (found <= 1.0).all()
    assert np.abs(found - start).max() <= 0.2 + 1e-12
    assert loss < before


def test_a_start_outside_comes_inside_and_what_is_no_number_is_not_taken() -> None:
    target = bent(np.full((1, 6), 0.1))[0]
    found, _ = least_deviations(bent, target, WEIGHTS, np.full(6, -0.4), UNIT, iterations=10, reach=0.2)
    assert np.abs(found - 0.1).max() < 0.02

    def broken(vectors: np.ndarray) -> np.ndarray:
        return np.where(vectors.max(axis=1, keepdims=True) > 0.52, np.nan, bent(vectors)).astype(np.float32)

    found, loss = least_deviations(broken, bent(np.full((1, 6), 0.9))[0], WEIGHTS, np.full(6, 0.5), UNIT, iterations=10)
    assert np.isfinite(found).all()
    assert np.isfinite(loss)


def test_a_flat_forecast_moves_nothing() -> None:
    target = np.ones(300, dtype=np.float32)

    def flat(vectors: np.ndarray) -> np.ndarray:
        return np.zeros((len(vectors), 300), dtype=np.float32)

    found, loss = least_deviations(flat, target, WEIGHTS, np.full(6, 0.4), UNIT, iterations=5)
    assert np.array_equal(found, np.full(6, 0.4))
    assert np.isclose(loss, 1.0)
