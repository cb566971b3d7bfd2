"""How well a proxy stands for render and embedder: mean reciprocal rank and L1 error. Knows no network.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, section 5.1.2 and appendix A.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.errors import InputError

DRAWS, PRESETS = 100, 4_096
"""Of the paper: runs, and presets in each of them."""
_AT_ONCE = 512

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ProxyScores:
    """Means and standard deviations over draws."""

    mrr: float
    """Mean reciprocal rank, 0 to 1; higher is better."""
    mrr_deviation: float
    l1: float
    """Mean absolute difference of a number of an embedding; lower is better."""
    l1_deviation: float
    presets: int
    """In each draw: each is asked for once, among all."""
    pool: int
    """That were drawn from."""
    draws: int


def proxy_scores(
    answers: Vectors, heard: Vectors, *, presets: int = PRESETS, draws: int = DRAWS, seed: int = 0
) -> ProxyScores:
    """Both metrics over draws of presets.

    Where there are fewer presets than a draw wants, the largest power of two that is at most half of them is taken
    instead, so that draws differ. Where there are more than twice as many, all draws are made from twice as many,
    chosen at random: every distance between two of them is needed.

    Args:
        answers: of the proxy, shape (n, dim).
        heard: of the embedder on the same presets, shape (n, dim).
        presets: in a draw.
        draws: how many.
        seed: of the draws.

    Raises:
        InputError: the shapes differ, or there are fewer than four presets.
    """
    if answers.shape != heard.shape or answers.ndim != 2 or len(answers) < 4:
        raise InputError(f"answers of shape {answers.shape} to {heard.shape} heard; give a row for each of 4 or more")
    count = len(answers)
    if count < presets:
        presets = 1 << ((count // 2).bit_length() - 1)
    if count > 2 * presets:
        pool = np.random.default_rng((seed, count)).permutation(count)[: 2 * presets]
        answers, heard, count = answers[pool], heard[pool], len(pool)
    nearer = _nearer(answers, heard)
    errors = np.abs(answers - heard).mean(axis=1, dtype=np.float64)
    rng = np.random.default_rng(seed)
    found = np.empty((draws, 2))
    for place in range(draws):
        chosen = rng.permutation(count)[:presets]
        asked = np.zeros(count, dtype=np.uint8)
        asked[chosen] = 1
        ranks = 1 + np.bitwise_count(nearer[chosen] & np.packbits(asked)[None]).sum(axis=1, dtype=np.int64)
        found[place] = (1.0 / ranks).mean(), errors[chosen].mean()
    mean, deviation = found.mean(axis=0), found.std(axis=0)
    return ProxyScores(float(mean[0]), float(deviation[0]), float(mean[1]), float(deviation[1]), presets, count, draws)


def validation_scores(answers: Vectors, heard: Vectors, *, queries: int = 256, among: int = 512) -> dict[str, float]:
    """`mrr` and `l1` of one fixed set, as checkpoints are chosen by.

    Targets are taken in groups of `queries`, until all have been asked for; each group is asked among itself and the
    presets that follow it.

    Args:
        answers: of the proxy, shape (n, dim), in an order without meaning.
        heard: of the embedder, shape (n, dim).
        queries: in a group.
        among: presets that a group is looked for among, or all where there are fewer.
    """
    count = len(answers)
    reciprocal: list[NDArray[np.float64]] = []
    for start in range(0, count, queries):
        asked = np.arange(start, min(start + queries, count))
        there = (start + np.arange(min(among, count))) % count
        reciprocal.append(1.0 / _ranks(answers[there], heard[asked], np.arange(len(asked))))
    return {
        "mrr": float(np.concatenate(reciprocal).mean()),
        "l1": float(np.abs(answers - heard).mean(dtype=np.float64)),
    }


def _ranks(answers: Vectors, targets: Vectors, own: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each target's own answer among all, by L1 distance, from 1; a tie counts against it."""
    from scipy.spatial.distance import cdist

    far = cdist(targets, answers, "cityblock")
    return (far <= far[np.arange(len(own)), own][:, None]).sum(axis=1)


def _nearer(answers: Vectors, heard: Vectors) -> NDArray[np.uint8]:
    """Bit i of row q: whether the answer to preset i is at least as near to what was heard of q as q's own is.

    Each preset's own bit is 0. Shape (n, ceil(n / 8)). Ranks within any draw are then counts of bits, and no distance
    is computed twice.
    """
    from scipy.spatial.distance import cdist

    count = len(answers)
    found = np.empty((count, -(-count // 8)), dtype=np.uint8)
    for start in range(0, count, _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, count))
        far = cdist(heard[rows], answers, "cityblock")
        near = far <= far[np.arange(len(rows)), rows][:, None]
        near[np.arange(len(rows)), rows] = False
        found[rows] = np.packbits(near, axis=1)
    return found
