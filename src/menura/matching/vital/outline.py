"""Corrected forecasts for any Vital patch: of its sound's outline, which is its course of level and its colour.

The amplitude envelope and the equaliser act on the whole voice, whatever plays: what another setting of them would do
to a sound that was rendered is known without rendering. Nothing else of the patch is touched.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.deviations import least_deviations
from menura.matching.forecasting import Way
from menura.matching.hearing import View
from menura.matching.target import Target
from menura.matching.vital.laws import FLOOR_DB, Columns, Knobs, Picture, band_keys, envelope, equaliser
from menura.matching.vital.moments import Moments
from menura.preset import Preset
from menura.synths.vital.voice import HIGH, INDEX, LOW, NAMES

ITERATIONS = 20
REACH = 3.0
"""Steps that a knob may go."""
HEARD = 0.03
"""Part of its highest level below which an envelope lets nothing through that could be heard and moved."""
_MOVED = [index for name, index in INDEX.items() if name.startswith(("env_1_", "eq_"))]
_TOLD = [NAMES[index] for index in _MOVED]


class Outline:
    """Makes the next patches of rendered ones.

    Args:
        target: The sound, its note and what was heard of it.
    """

    def __init__(self, target: Target) -> None:
        mono = target.audio.mono
        self._view = View(int(mono.size), target.note.frequency_hz)
        self._moments = Moments.of(self._view, int(mono.size))
        self._hold = target.note.hold
        self._picture = self._view.of(mono).astype(np.float32)
        self._keys = band_keys()

    def way(self, candidate: Candidate, rng: np.random.Generator, step: float) -> Way | None:
        """To another amplitude envelope and equaliser; None for other synths' patches."""
        del rng
        preset = candidate.preset
        if candidate.picture is None or any(name not in preset.values for name in _TOLD):
            return None
        knobs = _knobs(preset)
        bare = self._bare(candidate.picture.astype(np.float32), knobs)

        def predict(rows: Knobs) -> Picture:
            pictures = bare + self._drawn(_whole(rows), 1e-3)
            pictures -= pictures.max(axis=(1, 2), keepdims=True)
            return np.maximum(pictures, np.float32(FLOOR_DB)).reshape(len(rows), -1)

        goal, weights, bounds = self._picture.ravel(), self._view.cells.ravel(), (LOW[_MOVED], HIGH[_MOVED])
        better, least = least_deviations(
            predict, goal, weights, knobs, bounds, iterations=ITERATIONS, reach=REACH * step
        )
        return Way(knobs, better, least, partial(_written, preset))

    def _drawn(self, whole: Knobs, least: float) -> Picture:
        """What envelope and equaliser do, dB, shape (n, frames, bands)."""
        column = Columns(whole)
        power = self._moments.mean(envelope(column, 1, self._moments.times, self._hold) ** 4)
        level = np.float32(10.0) * np.log10(np.maximum(power, np.float32(least**4)))
        return level[:, :, None] + equaliser(column, self._keys, self._view.times)

    def _bare(self, picture: Picture, knobs: Knobs) -> Picture:
        """The picture without what envelope and equaliser did to it, shape (frames, bands)."""
        whole = _whole(knobs[None])
        bare = picture - self._drawn(whole, HEARD)[0]
        open_ = envelope(Columns(whole), 1, self._view.times, self._hold)[0] >= HEARD
        heard = np.flatnonzero(open_)
        for moment in np.flatnonzero(~open_) if heard.size else ():
            # What a closed envelope hides is taken to go on as at the nearest moment that was heard.
            bare[moment] = np.maximum(bare[moment], bare[heard[np.argmin(np.abs(heard - moment))]])
        return bare


def _knobs(preset: Preset) -> Knobs:
    """The moved knobs, shape (n,); an equaliser that is off has no gain."""
    off = preset.values.get("eq_on", 0.0) < 0.5
    return np.array([0.0 if off and name.endswith("_gain") else preset.values[name] for name in _TOLD])


def _whole(rows: Knobs) -> Knobs:
    """Rows of the moved knobs, shape (n, len(_MOVED)), among all those of `voice`."""
    whole = np.zeros((len(rows), len(NAMES)))
    whole[:, _MOVED] = rows
    return whole


def _written(preset: Preset, knobs: Knobs) -> Preset:
    return preset.with_values(eq_on=1.0, **dict(zip(_TOLD, (float(value) for value in knobs), strict=True)))
