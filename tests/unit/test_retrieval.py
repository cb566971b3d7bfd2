"""Ranks and shares of a retrieval, on vectors whose order is known."""

from __future__ import annotations

import numpy as np
import pytest

from menura.evaluation.retrieval import ranks, shares, sources_found


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_every_vector_finds_itself_and_no_other(metric: str, rng: np.random.Generator) -> None:
    library = rng.standard_normal((700, 16)).astype(np.float32)
    assert not ranks(library, library, metric).any()
    found = ranks(np.roll(library, 1, axis=0), library, metric)
    assert found.min() >= 1


def test_a_rank_counts_those_that_are_nearer() -> None:
    library = np.array([[0.0], [1.0], [2.0], [3.0]], dtype=np.float32)
    queries = np.array([[2.2], [1.1], [2.9]], dtype=np.float32)
    assert ranks(queries, library).tolist() == [3, 0, 1]
    assert shares(np.array([3, 0, 1]), (1, 2)) == {"top_1": 0.3333, "top_2": 0.6667, "median_place": 2.0}


def test_vectors_that_are_all_the_same_find_nothing() -> None:
    same = np.ones((50, 4), dtype=np.float32)
    assert ranks(same, same).tolist() == [49] * 50


def test_scale_counts_for_one_metric_alone(rng: np.random.Generator) -> None:
    library = rng.standard_normal((100, 8)).astype(np.float32)
    assert not ranks(100.0 * library, library, "cosine").any()
    assert ranks(100.0 * library, library, "euclidean").any()


def test_sounds_of_one_source_are_to_find_each_other() -> None:
    vectors = np.array([[0.0], [0.1], [5.0], [5.1], [9.0]], dtype=np.float32)
    told = sources_found(vectors, ["a", "a", "b", "b", "alone"])
    assert (told["n"], told["top_1"], told["mean_average_precision"]) == (4, 1.0, 1.0)
    assert told["chance"] == 0.25
    worst = sources_found(vectors, ["a", "b", "a", "b", "alone"])
    assert worst["top_1"] == 0.0
    assert worst["mean_average_precision"] < 0.6
