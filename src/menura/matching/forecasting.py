"""What synths with a forecast have in common: ways down it, a spread of draws, steps corrected by renders.

After a patch has been rendered, the forecast's error at that patch is known, and is nearly the same for patches
close by. Minimising the corrected forecast moves all knobs at once, for the price of one render a step.
Knows no particular synth and no pool.

Source: space mapping, Bandler et al., IEEE Trans. Microwave Theory and Techniques 42 (1994) 2536-2544.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """From a rendered patch to where its corrected forecast is nearest to the target."""

    start: Knobs
    """The patch's own knobs, shape (n,)."""
    end: Knobs
    """Those that the corrected forecast likes best, shape (n,)."""
    loss: float
    """What is forecast for them: mean absolute dB between the pictures."""
    write: Callable[[Knobs], Preset]
    """The patch with other knobs."""

    def at(self, share: float) -> Preset:
        """The patch after a share of the way, 1 is all of it."""
        return self.write(self.start + share * (self.end - self.start))


class CorrectedForecast(Protocol):
    """Makes the next patches of rendered ones."""

    def way(self, candidate: Candidate, rng: np.random.Generator, step: float) -> Way | None:
        """To where the corrected forecast is nearest to the target.

        Args:
            candidate: A rendered patch.
            rng: Where chance comes from.
            step: First step of the optimisation, a share of each knob's range: how far the correction is trusted.

        Returns:
            None where the forecast does not know such patches, or the candidate's sound was not pictured.
        """
        ...


class FirstOf:
    """Several forecasts, of which the first that knows a candidate answers."""

    def __init__(self, *forecasts: CorrectedForecast) -> None:
        self._forecasts = forecasts

    def way(self, candidate: Candidate, rng: np.random.Generator, step: float) -> Way | None:
        """By the first that knows it."""
        ways = (forecast.way(candidate, rng, step) for forecast in self._forecasts)
        return next((way for way in ways if way is not None), None)
