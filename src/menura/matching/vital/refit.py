"""Corrected forecasts for Vital: what a render shows beyond its forecast is carried over to its neighbours.

After a patch has been rendered, the forecast's error at that patch is known, and is nearly the same for patches
close by. Minimising the corrected forecast moves all knobs at once, for the price of one render a step.
Owns that step; knows no pool.

Source: space mapping, Bandler et al., IEEE Trans. Microwave Theory and Techniques 42 (1994) 2536-2544.
"""

from __future__ import annotations

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.target import Target, base_frequency
from menura.matching.vital.forecast import Forecast
from menura.matching.vital.starts import improve
from menura.matching.vital.voice import knobs_of, sources_of, with_knobs
from menura.preset import Preset

GENERATIONS = 40


class Refit:
    """Makes the next patches of rendered ones.

    Args:
        target: The sound, its note and what was heard of it.
    """

    def __init__(self, target: Target) -> None:
        hertz = base_frequency(target)
        self._forecast = Forecast(target, hertz)
        self._tune = float(12.0 * np.log2(hertz / target.note.frequency_hz))

    def understands(self, candidate: Candidate) -> bool:
        """True where the forecast knows the candidate's wiring and its sound was pictured."""
        return candidate.picture is not None and sources_of(candidate.preset, self._tune) is not None

    def steps(
        self, candidate: Candidate, rng: np.random.Generator, *, step: float, shares: tuple[float, ...]
    ) -> list[Preset]:
        """Presets on the way from a candidate to the corrected forecast's optimum.

        Args:
            candidate: A rendered patch that the forecast understands.
            rng: Where chance comes from.
            step: First step of the optimisation, a share of each knob's range: how far the correction is trusted.
            shares: How much of the way each answer goes, 1 is all of it.
        """
        sources = sources_of(candidate.preset, self._tune)
        if sources is None or candidate.picture is None:
            return []
        knobs = knobs_of(candidate.preset)
        predicted = self._forecast.predict(knobs[None], sources[None])[0]
        correction = candidate.picture.astype(np.float32) - predicted
        better, _ = improve(
            self._forecast, knobs, sources, rng, generations=GENERATIONS, step=step, correction=correction
        )
        return [with_knobs(candidate.preset, knobs + share * (better - knobs)) for share in shares]
