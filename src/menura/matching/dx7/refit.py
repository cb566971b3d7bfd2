"""Corrected forecasts for the DX7."""

from __future__ import annotations

from functools import partial

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.dx7.forecast import Forecast
from menura.matching.dx7.patch import NAMES, knobs_of, wiring_of, with_knobs
from menura.matching.dx7.starts import improve
from menura.matching.forecasting import Way
from menura.matching.target import Target, base_frequency

GENERATIONS = 16


class Refit:
    """Makes the next patches of rendered ones.

    Args:
        target: The sound, its note and what was heard of it.
    """

    def __init__(self, target: Target) -> None:
        self._forecast = Forecast(target, base_frequency(target))

    def way(self, candidate: Candidate, rng: np.random.Generator, step: float) -> Way | None:
        """To other knobs, algorithm and ratios as they are."""
        values = candidate.preset.values
        ratios = all(values.get(f"op{number}_mode", 0.0) == 0.0 for number in range(1, 7))
        if candidate.picture is None or not ratios or any(name not in values for name in NAMES):
            return None
        wiring, knobs = wiring_of(candidate.preset), knobs_of(candidate.preset)
        predicted = self._forecast.predict(wiring.algorithm, wiring.ratios[None], knobs[None])[0]
        correction = candidate.picture[self._forecast.moments].astype(np.float32) - predicted
        better, loss = improve(
            self._forecast, wiring, knobs, rng, generations=GENERATIONS, step=step, correction=correction
        )
        return Way(knobs, better, loss, partial(with_knobs, candidate.preset))
