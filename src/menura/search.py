"""Ask/tell minimisers over vectors in [0, 1]. Knows no audio, no synth and no preset.

Every minimiser draws from the generator it is given and evaluates nothing itself: `ask(n)` gives vectors to try,
`tell(vectors, losses)` takes what they cost. A loss may be infinite. `best` is the best pair told.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from menura.errors import SpaceError

Vectors = NDArray[np.float64]


class Minimiser(Protocol):
    """Something that looks for the vector of least loss in the unit cube."""

    dim: int

    @property
    def best(self) -> tuple[Vectors, float]:
        """The best vector told, shape (dim,), and its loss; the loss is infinite before the first."""
        ...

    @property
    def done(self) -> bool:
        """True where nothing more is to be gained."""
        ...

    def ask(self, n: int) -> Vectors:
        """At most n vectors to try next, shape (n, dim); an empty matrix when done."""
        ...

    def tell(self, vectors: Vectors, losses: Vectors) -> None:
        """What the vectors cost, in any number and order."""
        ...


class _Remembering:
    """The best so far, checked; the base of the minimisers here."""

    def __init__(self, dim: int) -> None:
        if dim < 1:
            raise SpaceError(f"a search over {dim} dimensions has nothing to move; unlock some controls")
        self.dim = dim
        self._best: tuple[Vectors, float] = (np.full(dim, 0.5), math.inf)

    @property
    def best(self) -> tuple[Vectors, float]:
        """The best vector told and its loss."""
        return self._best

    def _remember(self, vectors: Vectors, losses: Vectors) -> None:
        if vectors.shape != (len(losses), self.dim):
            raise SpaceError(f"vectors of shape {vectors.shape} do not fit {len(losses)} losses in {self.dim} dims")
        if np.isnan(losses).any():
            raise SpaceError("a loss is NaN; give infinity for what could not be judged")
        if len(losses) and losses.min() < self._best[1]:
            index = int(losses.argmin())
            self._best = (vectors[index].copy(), float(losses[index]))


class RandomSearch(_Remembering):
    """Uniform draws from the unit cube: the baseline that every search has to beat."""

    done = False

    def __init__(self, dim: int, rng: np.random.Generator) -> None:
        super().__init__(dim)
        self._rng = rng

    def ask(self, n: int) -> Vectors:
        """N uniform vectors."""
        return self._rng.random((n, self.dim))

    def tell(self, vectors: Vectors, losses: Vectors) -> None:
        """Remember the best."""
        self._remember(vectors, losses)


class CmaEs(_Remembering):
    """CMA-ES within the unit cube, by the package `cma`.

    Source: Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772.
    """

    def __init__(
        self,
        start: NDArray[np.floating[Any]],
        rng: np.random.Generator,
        *,
        sigma: float = 0.15,
        population: int | None = None,
        scales: NDArray[np.floating[Any]] | None = None,
        low: NDArray[np.floating[Any]] | None = None,
        high: NDArray[np.floating[Any]] | None = None,
        diagonal: bool = False,
    ) -> None:
        """Begin at `start`.

        Args:
            start: Vector of shape (dim,) in [0, 1].
            rng: Where chance comes from.
            sigma: First step size, a share of the cube's side.
            population: Vectors of one generation; None is 4 + 3 ln(dim).
            scales: First step of each coordinate relative to sigma, shape (dim,).
            low: Lower bounds within the cube, shape (dim,); None is 0.
            high: Upper bounds, as `low`; None is 1.
            diagonal: Keep the covariance diagonal, which learns faster in few evaluations.

        Raises:
            SpaceError: if there is nothing to move.
        """
        with warnings.catch_warnings():
            # cma says on import that it cannot plot without matplotlib; nobody asks it to.
            warnings.simplefilter("ignore")
            import cma

        point = np.asarray(start, dtype=np.float64)
        super().__init__(point.size)
        self.low = np.zeros(self.dim) if low is None else np.asarray(low, dtype=np.float64)
        self.high = np.ones(self.dim) if high is None else np.asarray(high, dtype=np.float64)
        options: dict[str, Any] = {
            # cma takes 0 for "by the clock"; it is given no global state, its draws come from `rng` below.
            "seed": int(rng.integers(1, 2**31)),
            "randn": lambda *shape: rng.standard_normal(shape),  # pyright: ignore[reportUnknownLambdaType]
            "bounds": [self.low.tolist(), self.high.tolist()],
            "verbose": -9,
            "verb_log": 0,
            "CMA_diagonal": bool(diagonal),
            "tolfun": 1e-4,
            "tolflatfitness": 20,
        }
        if population is not None:
            options["popsize"] = population
        if scales is not None:
            options["CMA_stds"] = np.asarray(scales, dtype=np.float64).tolist()
        inside = np.clip(point, self.low + 1e-6, self.high - 1e-6)
        self._engine = cma.CMAEvolutionStrategy(inside.tolist(), sigma, options)
        self._asked: list[Vectors] = []
        self._told: list[tuple[Vectors, float]] = []

    @property
    def population(self) -> int:
        """Vectors of one generation."""
        return int(self._engine.popsize)

    @property
    def done(self) -> bool:
        """True when the steps have become too small to matter."""
        return bool(self._engine.stop())

    def ask(self, n: int) -> Vectors:
        """At most n vectors, of one generation: the strategy learns once a whole generation was told."""
        if self.done:
            return np.empty((0, self.dim))
        if not self._asked:
            self._asked = [np.asarray(row, dtype=np.float64) for row in self._engine.ask()]
        return np.stack(self._asked[: max(0, n)]) if n > 0 else np.empty((0, self.dim))

    def tell(self, vectors: Vectors, losses: Vectors) -> None:
        """Take the losses of vectors that were asked; learn when the generation is complete."""
        self._remember(vectors, losses)
        for vector, loss in zip(vectors, losses, strict=True):
            place = next((i for i, row in enumerate(self._asked) if np.array_equal(row, vector)), None)
            if place is None:
                continue
            self._told.append((self._asked.pop(place), float(loss)))
        if self._told and not self._asked:
            finite = [loss for _, loss in self._told if math.isfinite(loss)]
            # CMA-ES ranks, so that any value above the worst stands for infinity.
            worst = (max(finite) if finite else 0.0) + 1.0
            self._engine.tell(
                [row for row, _ in self._told],
                [loss if math.isfinite(loss) else worst for _, loss in self._told],
            )
            self._told = []


class SeparableCmaEs(_Remembering):
    """CMA-ES with a diagonal covariance, for cheap losses: a generation costs a few array operations.

    Vectors that leave the unit cube are reflected back into it.

    Source: Ros and Hansen, "A Simple Modification in CMA-ES Achieving Linear Time and Space Complexity", PPSN 2008.
    """

    def __init__(
        self, start: NDArray[np.floating[Any]], rng: np.random.Generator, *, sigma: float = 0.1, population: int = 16
    ) -> None:
        """Begin at `start`.

        Args:
            start: Vector of shape (dim,) in [0, 1].
            rng: Where chance comes from.
            sigma: First step size, a share of the cube's side.
            population: Vectors of one generation; each `tell` takes one.

        Raises:
            SpaceError: if there is nothing to move.
        """
        self._mean = np.clip(np.asarray(start, dtype=np.float64), 0.0, 1.0)
        super().__init__(self._mean.size)
        self.population = population
        self._rng = rng
        self._sigma = sigma
        dim, parents = self.dim, population // 2
        weights = np.log(parents + 0.5) - np.log(np.arange(1, parents + 1))
        self._weights = weights / weights.sum()
        mass = 1.0 / float(np.square(self._weights).sum())
        self._step_rate = (mass + 2.0) / (dim + mass + 5.0)
        self._damping = 1.0 + 2.0 * max(0.0, math.sqrt((mass - 1.0) / (dim + 1.0)) - 1.0) + self._step_rate
        self._path_rate = (4.0 + mass / dim) / (dim + 4.0 + 2.0 * mass / dim)
        faster = (dim + 2.0) / 3.0
        self._rank_one = faster * 2.0 / ((dim + 1.3) ** 2 + mass)
        rank_mu = faster * 2.0 * (mass - 2.0 + 1.0 / mass) / ((dim + 2.0) ** 2 + mass)
        self._rank_mu = max(0.0, min(1.0 - self._rank_one, rank_mu))
        self._mass = mass
        self._expected = math.sqrt(dim) * (1.0 - 1.0 / (4.0 * dim) + 1.0 / (21.0 * dim**2))
        self._variances = np.ones(dim)
        self._path = np.zeros(dim)
        self._step_path = np.zeros(dim)

    @property
    def done(self) -> bool:
        """True when the steps have become too small to matter."""
        return self._sigma * math.sqrt(float(self._variances.max())) < 1e-5

    def ask(self, n: int) -> Vectors:
        """At most n vectors of one generation."""
        if self.done:
            return np.empty((0, self.dim))
        drawn = self._rng.standard_normal((min(n, self.population), self.dim)) * np.sqrt(self._variances)
        vectors = np.abs(self._mean + self._sigma * drawn) % 2.0
        return np.where(vectors > 1.0, 2.0 - vectors, vectors)

    def tell(self, vectors: Vectors, losses: Vectors) -> None:
        """Learn from a generation; vectors that were not asked are fine too."""
        self._remember(vectors, losses)
        parents = self._weights.size
        if len(losses) < parents:
            return
        steps = (vectors[np.argsort(losses, kind="stable")[:parents]] - self._mean) / self._sigma
        mean_step = self._weights @ steps
        self._mean = np.clip(self._mean + self._sigma * mean_step, 0.0, 1.0)
        rate = self._step_rate
        scaled = mean_step / np.sqrt(self._variances)
        self._step_path = (1.0 - rate) * self._step_path + math.sqrt(rate * (2.0 - rate) * self._mass) * scaled
        length = float(np.linalg.norm(self._step_path))
        quiet = length < (1.4 + 2.0 / (self.dim + 1.0)) * self._expected * 1.2
        rate = self._path_rate
        self._path = (1.0 - rate) * self._path + quiet * math.sqrt(rate * (2.0 - rate) * self._mass) * mean_step
        spread = self._weights @ np.square(steps)
        self._variances = (
            (1.0 - self._rank_one - self._rank_mu) * self._variances
            + self._rank_one * np.square(self._path)
            + self._rank_mu * spread
        )
        self._sigma *= math.exp(min(0.6, (self._step_rate / self._damping) * (length / self._expected - 1.0)))


class SparseSteps(_Remembering):
    """Steps in a few coordinates at a time: quick progress where many coordinates matter a little each.

    Every vector differs from the best so far in about `touched` coordinates. Where several of a batch are nearer,
    their steps are also tried together. What the steps did tells which coordinates matter: `sensitivity`.
    """

    done = False

    def __init__(
        self,
        start: NDArray[np.floating[Any]],
        loss: float,
        rng: np.random.Generator,
        *,
        sigma: float = 0.1,
        touched: int = 5,
        low: NDArray[np.floating[Any]] | None = None,
        high: NDArray[np.floating[Any]] | None = None,
    ) -> None:
        """Begin at `start`, whose loss is known.

        Args:
            start: Vector of shape (dim,) in [0, 1].
            loss: Its loss.
            rng: Where chance comes from.
            sigma: Usual step, a share of the range of a coordinate; it grows with success and shrinks without.
            touched: How many coordinates a step moves on average.
            low: Lower bounds, shape (dim,); None is 0.
            high: Upper bounds, as `low`; None is 1.

        Raises:
            SpaceError: if there is nothing to move.
        """
        point = np.asarray(start, dtype=np.float64)
        super().__init__(point.size)
        self.low = np.zeros(self.dim) if low is None else np.asarray(low, dtype=np.float64)
        self.high = np.ones(self.dim) if high is None else np.asarray(high, dtype=np.float64)
        self.sigma = sigma
        self._touched = touched
        self._rng = rng
        self._best = (np.clip(point, self.low, self.high), loss)
        self._together: Vectors | None = None
        self._moved = np.zeros(self.dim)
        self._counted = np.zeros(self.dim)

    @property
    def sensitivity(self) -> Vectors:
        """Mean change of the loss by a step that moved the coordinate, shape (dim,); 0 where none has."""
        return self._moved / np.maximum(self._counted, 1.0)

    def ask(self, n: int) -> Vectors:
        """N vectors around the best."""
        found = np.tile(self._best[0], (n, 1))
        for row in found:
            count = min(self.dim, 1 + int(self._rng.poisson(self._touched - 1)))
            where = self._rng.choice(self.dim, size=count, replace=False)
            step = self._rng.normal(0.0, self.sigma, count) * self._rng.choice((0.3, 1.0, 2.0))
            row[where] += step * (self.high - self.low)[where]
        if n and self._together is not None:
            found[0] = self._together
            self._together = None
        return np.clip(found, self.low, self.high)

    def tell(self, vectors: Vectors, losses: Vectors) -> None:
        """Move to the best; note what the steps did."""
        centre, before = self._best
        self._remember(vectors, losses)
        if math.isfinite(before):
            for vector, loss in zip(vectors, losses, strict=True):
                moved = vector != centre
                if math.isfinite(loss) and 0 < moved.sum() <= 3 * self._touched:
                    self._moved[moved] += abs(float(loss) - before) / moved.sum()
                    self._counted[moved] += 1.0
        nearer = np.flatnonzero(losses < before)
        if len(nearer) > 1:
            steps = (vectors - centre)[nearer[np.argsort(losses[nearer], kind="stable")][:4]]
            self._together = np.clip(centre + steps.sum(axis=0), self.low, self.high)
        success = len(nearer) / max(1, len(losses))
        self.sigma = float(np.clip(self.sigma * (1.15 if success > 0.2 else 0.92), 0.005, 0.3))
