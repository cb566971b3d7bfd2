"""Corrected forecasts for patches of `voice`."""

from __future__ import annotations

from functools import partial

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.forecasting import Way
from menura.matching.target import Target, base_frequency
from menura.matching.vital.forecast import Forecast
from menura.matching.vital.starts import improve
from menura.synths.vital.voice import knobs_of, sources_of, with_knobs

ITERATIONS = 12
REACH = 3.0
"""Steps that a knob may go."""


class Refit:
    """Makes the next patches of rendered ones.

    Args:
        target: The sound, its note and what was heard of it.
    """

    def __init__(self, target: Target) -> None:
        hertz = base_frequency(target)
        self._forecast = Forecast(target, hertz)
        self._tune = float(12.0 * np.log2(hertz / target.note.frequency_hz))

    def way(self, candidate: Candidate, rng: np.random.Generator, step: float) -> Way | None:
        """To other knobs, its tables as they are."""
        del rng
        sources = sources_of(candidate.preset, self._tune)
        if sources is None or candidate.picture is None:
            return None
        knobs = knobs_of(candidate.preset)
        predicted = self._forecast.predict(knobs[None], sources[None])[0]
        correction = candidate.picture.astype(np.float32) - predicted
        better, loss = improve(
            self._forecast, knobs, sources, iterations=ITERATIONS, reach=REACH * step, correction=correction
        )
        return Way(knobs, better, loss, partial(with_knobs, candidate.preset))
