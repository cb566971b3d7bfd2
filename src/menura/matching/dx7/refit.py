"""Corrected forecasts for the DX7."""

from __future__ import annotations

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.dx7.forecast import Forecast
from menura.matching.dx7.patch import NAMES, knobs_of, wiring_of, with_knobs
from menura.matching.dx7.starts import improve
from menura.matching.forecasting import CorrectedForecast, Knobs
from menura.matching.target import Target, base_frequency
from menura.preset import Preset

GENERATIONS = 16


class Refit(CorrectedForecast):
    """Makes the next patches of rendered ones.

    Args:
        target: The sound, its note and what was heard of it.
    """

    def __init__(self, target: Target) -> None:
        self._forecast = Forecast(target, base_frequency(target))

    def understands(self, candidate: Candidate) -> bool:
        """True where the candidate's sound was pictured and its voice has all the knobs."""
        values = candidate.preset.values
        ratios = all(values.get(f"op{number}_mode", 0.0) == 0.0 for number in range(1, 7))
        return candidate.picture is not None and ratios and all(name in values for name in NAMES)

    def optimum(self, candidate: Candidate, rng: np.random.Generator, step: float) -> tuple[Knobs, Knobs] | None:
        """The candidate's knobs and those that the corrected forecast likes best, algorithm and ratios as they are."""
        if candidate.picture is None:
            return None
        wiring, knobs = wiring_of(candidate.preset), knobs_of(candidate.preset)
        predicted = self._forecast.predict(wiring.algorithm, wiring.ratios[None], knobs[None])[0]
        correction = candidate.picture[self._forecast.moments].astype(np.float32) - predicted
        better, _ = improve(
            self._forecast, wiring, knobs, rng, generations=GENERATIONS, step=step, correction=correction
        )
        return knobs, better

    def moved(self, preset: Preset, knobs: Knobs) -> Preset:
        """The voice with other knobs."""
        return with_knobs(preset, knobs)
