"""A Gaussian copula with factors: how columns of any kind (switches, choices, amounts) go together.

A column's rank is the normal score of z = L f + noise, with few common factors f. It is fitted on intervals of ranks,
so that ties (a knob that nine in ten leave alone, a switch) and absent values need no special case. Knows no preset.

Source: Murray, Dunson, Carin and Lucas, "Bayesian Gaussian Copula Factor Models for Mixed Data", JASA 108 (2013),
sections 2 and 3; fitted here by stochastic approximation EM (Delyon, Lavielle and Moulines, Annals of Statistics 27
(1999)) in place of its full Gibbs sampler.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_TINY = 1e-12
_LEAST_NOISE = 0.02
"""Share of a column's variance that is its own, at least: no column is ruled by the factors alone."""


@dataclass(frozen=True, slots=True, eq=False)
class FactorCopula:
    """What a fit found."""

    loadings: Matrix
    """Shape (columns, factors); rows of length below 1."""

    @property
    def correlations(self) -> Matrix:
        """Of the normal scores, shape (columns, columns)."""
        found = self.loadings @ self.loadings.T
        np.fill_diagonal(found, 1.0)
        return found

    def sample(self, rng: np.random.Generator, n: int) -> Matrix:
        """Ranks in (0, 1), shape (n, columns)."""
        from scipy.special import ndtr

        columns, factors = self.loadings.shape
        noise = np.sqrt(1.0 - (self.loadings**2).sum(axis=1))
        common = rng.standard_normal((n, factors))
        own = rng.standard_normal((n, columns))
        return ndtr(common @ self.loadings.T + noise * own)


def fit_copula(
    low: Matrix,
    high: Matrix,
    rng: np.random.Generator,
    *,
    weights: Matrix | None = None,
    factors: int = 12,
    rounds: int = 100,
    ridge: float = 20.0,
) -> FactorCopula:
    """Fits the loadings to intervals of ranks.

    Args:
        low: lower ends of ranks, 0 to 1, shape (n, columns).
        high: upper ends; an absent value reaches from 0 to 1.
        rng: where chance comes from.
        weights: of the rows, shape (n,); all alike where None.
        factors: how many common factors.
        rounds: of the EM algorithm; the latter half is averaged.
        ridge: rows' worth of evidence that a loading is 0.
    """
    from scipy.special import ndtr, ndtri

    rows, columns = low.shape
    row_weights = np.ones(rows) if weights is None else weights / weights.mean()
    seen = ((high - low) < 1.0 - 1e-9).astype(np.float64)
    floor, ceiling = ndtri(np.clip(low, 0.0, 1.0)), ndtri(np.clip(high, 0.0, 1.0))
    loadings = 0.1 * rng.standard_normal((columns, factors))
    noise = 1.0 - (loadings**2).sum(axis=1)
    common = rng.standard_normal((rows, factors))
    square = np.zeros((columns, factors, factors))
    cross = np.zeros((columns, factors))
    power = np.zeros(columns)
    mass = (row_weights[:, None] * seen).sum(axis=0)
    for number in range(rounds):
        # Scores given the factors: normal, cut to the interval of their ranks.
        mean, spread = common @ loadings.T, np.sqrt(noise)
        under, over = ndtr((floor - mean) / spread), ndtr((ceiling - mean) / spread)
        place = np.clip(under + rng.random(low.shape) * (over - under), _TINY, 1.0 - _TINY)
        scores = np.clip(mean + spread * ndtri(place), floor, ceiling)
        # Factors given the scores.
        scaled = loadings / noise[:, None]
        outer = (loadings[:, :, None] * scaled[:, None, :]).reshape(columns, -1)
        precision = (seen @ outer).reshape(rows, factors, factors) + np.eye(factors)
        half = np.linalg.cholesky(precision)
        centre = np.linalg.solve(precision, ((seen * scores) @ scaled)[:, :, None])
        chance = np.linalg.solve(half.transpose(0, 2, 1), rng.standard_normal((rows, factors, 1)))
        common = (centre + chance)[:, :, 0]
        # Loadings given both, from averaged statistics.
        step = 1.0 if number < rounds // 2 else 1.0 / (number - rounds // 2 + 1)
        heavy = row_weights[:, None] * seen
        pairs = (common[:, :, None] * common[:, None, :]).reshape(rows, -1)
        square += step * ((heavy.T @ pairs).reshape(columns, factors, factors) - square)
        cross += step * ((heavy * scores).T @ common - cross)
        power += step * ((heavy * scores**2).sum(axis=0) - power)
        loadings = np.linalg.solve(square + ridge * np.eye(factors), cross[:, :, None])[:, :, 0]
        fitted = np.einsum("cf,cfg,cg->c", loadings, square, loadings)
        left = power - 2.0 * (loadings * cross).sum(axis=1) + fitted
        noise = np.clip(left / np.maximum(mass, 1.0), 1e-3, None)
        total = (loadings**2).sum(axis=1) + noise
        loadings, noise = loadings / np.sqrt(total)[:, None], noise / total
        tight = noise < _LEAST_NOISE
        loadings[tight] *= np.sqrt((1.0 - _LEAST_NOISE) / (1.0 - noise[tight]))[:, None]
        noise[tight] = _LEAST_NOISE
    return FactorCopula(loadings)
