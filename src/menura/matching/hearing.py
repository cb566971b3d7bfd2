"""How near a sound is to the target, as the search hears it. Owns the in-loop distance; knows no preset."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.features.distances import MssTarget
from menura.features.spectra import log_mel, magnitude, rms_envelope
from menura.matching.target import SAMPLE_RATE

ENVELOPE_WEIGHT = 10.0
"""dB of distance for a cosine distance of 1 between the courses of level."""
TRANSPORT_WEIGHT = 10.0
"""dB of distance for a spectral optimal transport of 1."""
SILENCE = 1e-4
"""A peak below this share of full scale (-80 dB) is silence."""

SKETCH_FRAMES = 16
SKETCH_BANDS = 32


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
    sketch: NDArray[np.float16] | None
    """A coarse log-mel picture, shape (frames, bands), dB: enough to tell two sounds apart."""


class Hearing:
    """The in-loop distance to one target: MSS, with small weights on course of level and spectral mass.

    MSS alone can be gamed where a sound is quiet; the two others cannot at the same time. All three are
    gain-invariant. The target's side is computed once; an instance can be sent to workers.

    Args:
        target: Mono sound at 44.1 kHz, shape (samples,).
    """

    def __init__(self, target: NDArray[np.float32]) -> None:
        self._mss = MssTarget(target, SAMPLE_RATE)
        self._size = int(target.size)
        self._envelope = _unit(_level(target))
        self._mass = _mass(target)

    def of(self, audio: Audio) -> Heard:
        """Compare a rendered sound."""
        return self(audio.samples)

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
        return Heard(distance, mss, level, peak, sketch(mono))


def sketch(mono: NDArray[np.float32]) -> NDArray[np.float16]:
    """A coarse log-mel picture of a sound, dB below its loudest cell, shape (SKETCH_FRAMES, SKETCH_BANDS)."""
    hop = max(441, mono.size // SKETCH_FRAMES)
    picture = log_mel(mono, SAMPLE_RATE, 2205, hop, SKETCH_BANDS)[:SKETCH_FRAMES]
    missing = SKETCH_FRAMES - len(picture)
    if missing > 0:
        picture = np.pad(picture, ((0, missing), (0, 0)), constant_values=-80.0)
    return picture.astype(np.float16)


def sound_difference(first: NDArray[np.float16] | None, second: NDArray[np.float16] | None) -> float:
    """Mean absolute dB between two sketches; 0 where one is missing."""
    if first is None or second is None:
        return 0.0
    return float(np.mean(np.abs(first.astype(np.float32) - second.astype(np.float32))))


def _level(mono: NDArray[np.float32]) -> NDArray[np.float32]:
    return rms_envelope(mono, 2205, 1102)


def _unit(values: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    norm = float(np.linalg.norm(wide))
    return wide / norm if norm > 1e-12 else wide


def _mass(mono: NDArray[np.float32]) -> NDArray[np.float64]:
    # A coarser hop than the metric's own: a quarter of the work, the same mean.
    spectrum = magnitude(mono, 2205, 3528)
    return np.cumsum(spectrum / np.maximum(spectrum.sum(axis=1, keepdims=True), 1e-6), axis=1, dtype=np.float64)
