"""How well vectors find their own: ranks of the right answer, shares among the first. Renders and embeds nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 512

Metric = str
"""``"cosine"`` or ``"euclidean"``."""


def ranks(
    queries: NDArray[np.float32], library: NDArray[np.float32], metric: Metric = "euclidean"
) -> NDArray[np.int64]:
    """How many of the library are at least as near to query i as library row i is; 0 is a hit. Shape (n,).

    A tie counts against the answer: vectors that are all the same find nothing.

    Args:
        queries: shape (n, dim).
        library: shape (m, dim), m at least n; row i is the right answer to query i.
        metric: of nearness.
    """
    found = np.empty(len(queries), dtype=np.int64)
    for start in range(0, len(queries), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(queries)))
        far = distances(queries[rows], library, metric)
        own = far[np.arange(len(rows)), rows]
        found[rows] = (far <= own[:, None]).sum(axis=1) - 1
    return found


def distances(queries: NDArray[np.float32], library: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Of each query from each row of the library, shape (n, m); the order matters, not the size."""
    if metric == "cosine":
        queries, library = _unit(queries), _unit(library)
    products = queries @ library.T
    if metric == "cosine":
        return -products
    return np.einsum("ij,ij->i", library, library)[None, :] - 2.0 * products


def shares(found: NDArray[np.int64], firsts: Sequence[int] = (1, 5, 10)) -> dict[str, float]:
    """Shares of queries whose answer is among the first so many, and the median place, 1 for the first."""
    told = {f"top_{first}": round(float((found < first).mean()), 4) for first in firsts}
    return told | {"median_place": float(np.median(found)) + 1.0}


def sources_found(
    vectors: NDArray[np.float32], sources: Sequence[str], metric: Metric = "euclidean"
) -> Mapping[str, float]:
    """Whether the nearest other sound is of the same source, and the mean precision over all of its source.

    Args:
        vectors: shape (n, dim).
        sources: what each comes from; those that nothing else comes from are in the way, but are not asked for.
        metric: of nearness.

    Returns:
        ``top_1``, ``top_5`` (any of the five), ``mean_average_precision`` and ``chance``, what the first would be were
        the nearest drawn by lot.
    """
    labels = np.unique(np.asarray(sources), return_inverse=True)[1]
    far = distances(vectors, vectors, metric).astype(np.float64)
    np.fill_diagonal(far, np.inf)
    order = np.argsort(far, axis=1, kind="stable")[:, :-1]
    same = labels[order] == labels[:, None]
    asked = same.any(axis=1)
    hits = same[asked]
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return {
        "n": int(asked.sum()),
        "top_1": round(float(hits[:, 0].mean()), 4),
        "top_5": round(float(hits[:, :5].any(axis=1).mean()), 4),
        "mean_average_precision": round(float(((precision * hits).sum(axis=1) / hits.sum(axis=1)).mean()), 4),
        "chance": round(float(hits.mean()), 4),
    }


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
