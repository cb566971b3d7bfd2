"""Ask/tell minimisers over vectors in [0, 1]. Knows no audio, no synth and no preset.

Every minimiser draws from the generator it is given and evaluates nothing itself: `ask(n)` gives vectors to try,
`tell(vectors, losses)` takes what they cost. A loss may be infinite. `best` is the best pair told.
"""

from __future__ import annotations

import math
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
        """n uniform vectors."""
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
