"""How near a sound is to the target, as the search hears it. Owns the in-loop distance; knows no preset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.features.distances import MssTarget, all_metrics
from menura.features.spectra import log_mel, magnitude, rms_envelope
from menura.matching.match import verdict_of
from menura.matching.target import SAMPLE_RATE

ENVELOPE_WEIGHT = 10.0
"""dB of distance for a cosine distance of 1 between the courses of level."""
TRANSPORT_WEIGHT = 10.0
"""dB of distance for a spectral optimal transport of 1."""
SILENCE = 1e-4
"""A peak below this share of full scale (-80 dB) is silence."""

BANDS = 64
HOP = 441
FRAMES = 32
"""Moments of a picture: denser where a sound begins."""


Picture = NDArray[np.float16]
"""A log-mel picture at chosen moments, dB below the loudest cell, shape (frames, BANDS)."""


class View:
    """Which moments of a sound are pictured, and through which window; the same for all sounds of one match.

    Args:
        size: Samples of the sounds.
        frequency_hz: The note's frequency: a window must hold two periods, or the picture shows single pulses.
    """

    def __init__(self, size: int, frequency_hz: float) -> None:
        self.window = 1102 if frequency_hz > 120.0 else 2205
        count = 1 + size // HOP
        places = np.linspace(0.0, 1.0, min(count, FRAMES)) ** 1.5 * (count - 1)
        self.frames = np.unique(np.round(places).astype(int))
        edges = np.concatenate([[0.0], (self.frames[1:] + self.frames[:-1]) / 2.0, [float(count)]])
        self.weights: NDArray[np.float32] = (np.diff(edges) / count).astype(np.float32)
        """Share of the sound that each moment stands for, shape (frames,), sum 1."""
        self.times: NDArray[np.float64] = self.frames * (HOP / SAMPLE_RATE)
        """Seconds of the moments, shape (frames,)."""

    @property
    def cells(self) -> NDArray[np.float32]:
        """Share of the picture that each cell stands for, shape (frames, BANDS), sum 1."""
        return np.repeat(self.weights[:, None] / np.float32(BANDS), BANDS, axis=1)

    def of(self, mono: NDArray[np.float32]) -> Picture:
        """The picture of a sound of the view's size."""
        whole = log_mel(mono, SAMPLE_RATE, self.window, HOP, BANDS)
        return whole[np.minimum(self.frames, len(whole) - 1)].astype(np.float16)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is kept of a sound once it was compared."""

    distance: float
    """The in-loop distance, lower is nearer; infinite for silence and for what is not finite."""
    mss: float
    """Its main part, dB."""
    rms: float
    """Root mean square of the sound, full scale is 1."""
    peak: float
    picture: Picture | None
    """What `View.of` saw: enough to tell two sounds apart, and to correct a forecast."""


class Ear(Protocol):
    """What hears candidates: a target's `Hearing`, or words."""

    in_workers: bool
    """True where it can be sent to the workers that render; False where it hears beside the stages."""

    def of(self, audio: Audio) -> Heard:
        """What is kept of a rendered sound."""
        ...

    def scores(self, audio: Audio) -> dict[str, float]:
        """What a report tells of an answer, by name."""
        ...

    def verdict(self, scores: Mapping[str, float]) -> str:
        """An honest word for an answer with these scores."""
        ...


class Hearing:
    """The in-loop distance to one target: MSS, with small weights on course of level and spectral mass.

    MSS alone can be gamed where a sound is quiet; the two others cannot at the same time. All three are
    gain-invariant. The target's side is computed once; an instance can be sent to workers.

    Args:
        target: Mono sound at 44.1 kHz, shape (samples,).
        frequency_hz: The note's frequency.
    """

    in_workers = True

    def __init__(self, target: NDArray[np.float32], frequency_hz: float) -> None:
        self.view = View(int(target.size), frequency_hz)
        self._mss = MssTarget(target, SAMPLE_RATE)
        self._size = int(target.size)
        self._envelope = _unit(_level(target))
        self._mass = _mass(target)

    def of(self, audio: Audio) -> Heard:
        """Compare a rendered sound."""
        return self(audio.samples)

    def scores(self, audio: Audio) -> dict[str, float]:
        """The protocol's metrics over the target's length."""
        mono = np.pad(audio.mono, (0, max(0, self._size - audio.mono.size)))[: self._size]
        return {name: float(value) for name, value in all_metrics(self._mss.signal, mono, SAMPLE_RATE).items()}

    def verdict(self, scores: Mapping[str, float]) -> str:
        """By MSS."""
        return verdict_of(scores["mss"])

    def __call__(self, samples: NDArray[np.float32]) -> Heard:
        """Compare a sound, shape (samples,) or (channels, samples), at 44.1 kHz."""
        mono = samples if samples.ndim == 1 else samples.mean(axis=0, dtype=np.float32)
        if mono.size == 0 or not np.isfinite(mono).all():
            return Heard(math.inf, math.inf, 0.0, 0.0, None)
        peak = float(np.abs(mono).max())
        level = float(np.sqrt(np.mean(np.square(mono, dtype=np.float64))))
        if peak < SILENCE:
            return Heard(math.inf, math.inf, level, peak, None)
        if mono.size != self._size:
            mono = np.pad(mono, (0, max(0, self._size - mono.size)))[: self._size]
        mss = self._mss.distance(mono)
        envelope = 1.0 - float(self._envelope @ _unit(_level(mono)))
        transport = float(np.mean(np.abs(self._mass - _mass(mono))))
        distance = mss + ENVELOPE_WEIGHT * envelope + TRANSPORT_WEIGHT * transport
        return Heard(distance, mss, level, peak, self.view.of(mono))


def sound_difference(first: Picture | None, second: Picture | None) -> float:
    """Mean absolute dB between two pictures; 0 where one is missing."""
    if first is None or second is None:
        return 0.0
    return float(np.mean(np.abs(first.astype(np.float32) - second.astype(np.float32))))


def _level(mono: NDArray[np.float32]) -> NDArray[np.float32]:
    return rms_envelope(mono, 2205, 1102)


def _unit(values: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    norm = float(np.linalg.norm(wide))
    return wide / norm if norm > 1e-12 else wide


def _mass(mono: NDArray[np.float32]) -> NDArray[np.float32]:
    # A coarser hop than the metric's own: a quarter of the work, the same mean.
    spectrum = magnitude(mono, 2205, 3528)
    return np.cumsum(spectrum / np.maximum(spectrum.sum(axis=1, keepdims=True), np.float32(1e-6)), axis=1)
