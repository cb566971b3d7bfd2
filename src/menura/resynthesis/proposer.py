"""Drafts of a patch from a target: a few readings of the sound, each corrected by what it sounds like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.features.pitch import NoteEstimate
from menura.note import Note
from menura.preset import Preset
from menura.resynthesis.alignment import aligned
from menura.resynthesis.analysis import Analysis, analyse_dense, analyse_pitched, level_contour
from menura.resynthesis.correction import corrected
from menura.resynthesis.gesture import Gesture
from menura.resynthesis.noise import NoiseBands, band_edges, band_power
from menura.resynthesis.vital_writing import Plan, write_vital_patch

_KILOBYTES = 380
_FIXED_KILOBYTES = 28
_KEYFRAME_KILOBYTES = 10.95
_NOISE_RATES = (16_000, 22_050, 32_000, 44_100)
_SILENT_DB = 84.0


@dataclass(frozen=True, eq=False)
class Draft:
    """One reading of a sound, ready to be written as a preset."""

    reading: str
    """`harmonic`, `dense` or `noise`."""
    analysis: Analysis
    gesture: Gesture
    note: Note
    plan: Plan
    steps: int = 0
    """Corrections so far."""

    @cached_property
    def preset(self) -> Preset:
        """The draft as a Vital preset."""
        return write_vital_patch(self.analysis, self.gesture, self.note, self.plan, name=self.reading)


class Resynthesis:
    """Reads a target in several ways and corrects the readings.

    Args:
        audio: The target; channels are mixed.
        note: The key that it is to be heard on.
        estimate: What the ear made of it.
        rng: Draws the seeds of phases and noise.
    """

    def __init__(self, audio: Audio, note: Note, estimate: NoteEstimate, rng: np.random.Generator) -> None:
        self._signal: NDArray[np.float32] = np.ascontiguousarray(audio.mono, dtype=np.float32)
        self._rate = audio.sample_rate
        self._note = note
        self._estimate = estimate
        self._seed = int(rng.integers(2**31))
        self._rng = rng

    def drafts(self) -> Iterator[Draft]:
        """The readings of the target, likeliest first, each as soon as it is made.

        A note is read along its fundamental; any sound can be read on a dense comb, and as noise alone.
        """
        estimate = self._estimate
        if estimate.pitched:
            harmonic = analyse_pitched(self._signal, self._rate, estimate.track_times, estimate.track_hz)
            yield self._draft("harmonic", harmonic)
        dense = analyse_dense(self._signal, self._rate)
        yield self._draft("dense", dense)
        alone = replace(dense, noise=self._all_noise(dense), noise_level=np.hypot(dense.tonal_level, dense.noise_level))
        yield self._draft("noise", alone, tonal=False)

    def correct(self, draft: Draft, rendered: NDArray[np.float32], *, smoothing: float, damping: float) -> Draft:
        """The draft after hearing it: see `corrected`."""
        analysis = draft.analysis
        if draft.reading == "harmonic":
            analysis = aligned(analysis, self._signal, rendered, self._rate)
        better = corrected(analysis, self._signal, rendered, self._rate, smoothing=smoothing, damping=damping)
        return replace(draft, analysis=better, steps=draft.steps + 1)

    def _draft(self, reading: str, analysis: Analysis, *, tonal: bool = True) -> Draft:
        phases = self._rng.uniform(0.0, 2.0 * np.pi, analysis.partials.amplitude.shape[1])
        analysis = replace(analysis, phases=phases)
        level = level_contour(self._signal, self._rate, analysis.times, 0.05)
        gesture = Gesture.of(
            level, analysis.times, analysis.seconds, sustaining=self._estimate.sustaining, hold=self._estimate.hold
        )
        return Draft(reading, analysis, gesture, self._note, self._plan(analysis, tonal=tonal))

    def _plan(self, analysis: Analysis, *, tonal: bool) -> Plan:
        """Share the size of a preset between noise and keyframes, as the sound needs them."""
        rate = self._noise_rate(analysis)
        seconds = min(analysis.seconds, 0.65 if tonal else 2.5)
        left = _KILOBYTES - _FIXED_KILOBYTES - seconds * rate * 2 / 750
        return Plan(
            keyframes=int(np.clip(left / _KEYFRAME_KILOBYTES, 8, 32)),
            noise_seconds=seconds,
            noise_rate=rate,
            tonal=tonal,
            seed=self._seed,
        )

    def _noise_rate(self, analysis: Analysis) -> int:
        """The lowest rate that loses nothing audible of the noise."""
        total = analysis.noise.density * analysis.noise.widths_hz
        sound = band_power(self._signal, self._rate, analysis.times, band_edges(self._rate)) * analysis.noise.widths_hz
        threshold = float(sound.max()) * 10.0 ** (-_SILENT_DB / 10.0)
        heard = np.flatnonzero(np.quantile(total, 0.9, axis=0) > threshold)
        top = float(analysis.noise.centres_hz[heard[-1]]) if heard.size else 0.0
        return next((rate for rate in _NOISE_RATES if 0.47 * rate > top), _NOISE_RATES[-1])

    def _all_noise(self, analysis: Analysis) -> NoiseBands:
        """All that sounds, as if it were noise."""
        power = band_power(self._signal, self._rate, analysis.times, band_edges(self._rate))
        return replace(analysis.noise, density=power)
