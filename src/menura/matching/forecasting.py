"""What synths with a forecast have in common: ways down it, a spread of draws, steps corrected by renders.

After a patch has been rendered, the forecast's error at that patch is known, and is nearly the same for patches
close by. Minimising the corrected forecast moves all knobs at once, for the price of one render a step.
Knows no particular synth and no pool.

Source: space mapping, Bandler et al., IEEE Trans. Microwave Theory and Techniques 42 (1994) 2536-2544.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from menura.matching.candidate import Candidate
from menura.preset import Preset
from menura.search import SeparableCmaEs

Knobs = NDArray[np.float64]
"""Knobs of one patch, shape (n,), or of many, shape (patches, n), each in its own units."""


def descend(
    loss: Callable[[Knobs], NDArray[np.float64]],
    knobs: Knobs,
    bounds: tuple[Knobs, Knobs],
    rng: np.random.Generator,
    *,
    generations: int,
    step: float,
    population: int,
) -> tuple[Knobs, float]:
    """Knobs that a forecast likes better, by separable CMA-ES, and their loss.

    Args:
        loss: Of many patches, shape (patches, n) to (patches,).
        knobs: Where to begin, shape (n,).
        bounds: Lowest and highest, shape (n,) each.
        rng: Where chance comes from.
        generations: How long.
        step: First step, a share of each knob's range.
        population: Patches of a generation.
    """
    low, high = bounds
    span = high - low
    search = SeparableCmaEs((knobs - low) / span, rng, sigma=step, population=population)
    for _ in range(generations):
        vectors = search.ask(population)
        if not len(vectors):
            break
        search.tell(vectors, loss(low + vectors * span))
    vector, least = search.best
    return low + vector * span, least


def spread(families: Iterable[str], n: int) -> list[int]:
    """Places of the first n in order, but of no family more than a third of them."""
    taken: dict[str, int] = {}
    found: list[int] = []
    for place, family in enumerate(families):
        if len(found) == n:
            break
        if taken.get(family, 0) < max(1, n // 3):
            taken[family] = taken.get(family, 0) + 1
            found.append(place)
    return found


class CorrectedForecast(ABC):
    """Makes the next patches of rendered ones."""

    @abstractmethod
    def understands(self, candidate: Candidate) -> bool:
        """True where the forecast knows such patches and the candidate's sound was pictured."""

    @abstractmethod
    def optimum(self, candidate: Candidate, rng: np.random.Generator, step: float) -> tuple[Knobs, Knobs] | None:
        """The knobs of a candidate and those that the corrected forecast likes best; None where not understood."""

    @abstractmethod
    def moved(self, preset: Preset, knobs: Knobs) -> Preset:
        """The preset with other knobs."""

    def steps(
        self, candidate: Candidate, rng: np.random.Generator, *, step: float, shares: tuple[float, ...]
    ) -> list[Preset]:
        """Presets on the way from a candidate to the corrected forecast's optimum.

        Args:
            candidate: A rendered patch; nothing is found where it is not understood.
            rng: Where chance comes from.
            step: First step of the optimisation, a share of each knob's range: how far the correction is trusted.
            shares: How much of the way each answer goes, 1 is all of it.
        """
        found = self.optimum(candidate, rng, step)
        if found is None:
            return []
        here, best = found
        return [self.moved(candidate.preset, here + share * (best - here)) for share in shares]
