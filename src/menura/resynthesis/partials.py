"""Time-varying partials of a sound on the multiples of a moving fundamental. Knows no synth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

HIGHEST_HZ = 20_000.0
"""Partials above this are left out: nobody hears them and no recording here holds them."""
MOST_PARTIALS = 1024
"""A wavetable frame of 2048 samples holds no more."""

_OVERSAMPLING = 4


@dataclass(frozen=True, slots=True, eq=False)
class Partials:
    """Amplitudes of the multiples of a fundamental over time."""

    times: NDArray[np.float64]
    """Centres of the frames in seconds, shape (frames,)."""
    f0_hz: NDArray[np.float64]
    """Fundamental at those times, shape (frames,)."""
    amplitude: NDArray[np.float64]
    """Amplitude of partial k + 1, shape (frames, partials); full scale is 1."""
    window: float
    """Seconds that one frame looked at."""
    phase: NDArray[np.float64]
    """Phase of partial k + 1 against k + 1 turns of the fundamental, radians, shape (frames, partials).

    It stands still where the partial is a true harmonic of `f0_hz`."""

    @property
    def frequencies_hz(self) -> NDArray[np.float64]:
        """Median frequency of each partial, shape (partials,)."""
        return float(np.median(self.f0_hz)) * np.arange(1, self.amplitude.shape[1] + 1)

    @property
    def level(self) -> NDArray[np.float64]:
        """Root mean square of all partials together, shape (frames,)."""
        return np.sqrt(0.5 * np.sum(self.amplitude**2, axis=1))


def track_partials(
    signal: NDArray[np.float32],
    sample_rate: int,
    times: NDArray[np.float64],
    f0_hz: NDArray[np.float64],
    *,
    periods: int = 4,
    shortest: float = 0.02,
) -> Partials:
    """Amplitudes of the harmonics of a moving fundamental.

    The sound is first resampled so that its fundamental stands still; a Hann window of a whole
    number of periods then puts each harmonic on a bin of its own, vibrato and glide included.

    Args:
        signal: Mono sound, shape (samples,).
        sample_rate: Samples a second.
        times: Where to look, seconds, ascending, shape (frames,).
        f0_hz: Fundamental at those times, above 0, shape (frames,).
        periods: Periods in a window, at least 2: more tells neighbours apart, fewer tells times apart.
        shortest: Least window in seconds.

    Returns:
        The partials below 20 kHz, at most 1024.
    """
    seconds = np.arange(signal.size + 1) / sample_rate
    phase = np.concatenate(([0.0], np.cumsum(np.interp(seconds[:-1], times, f0_hz)) / sample_rate))
    middle = float(np.median(f0_hz))
    count = int(min(MOST_PARTIALS, max(1, HIGHEST_HZ // middle), max(1, sample_rate / 2 // middle)))
    per_period = int(2 ** np.ceil(np.log2(max(sample_rate / middle, 8.0))))
    fine = soxr.resample(signal, sample_rate, sample_rate * _OVERSAMPLING, quality="HQ")
    at = np.interp(np.arange(int(phase[-1] * per_period)) / per_period, phase, seconds)
    still = np.interp(at, np.arange(fine.size) / (sample_rate * _OVERSAMPLING), fine)

    periods = max(periods, int(np.ceil(shortest * middle)))
    size = periods * per_period
    window = np.hanning(size + 1)[:size]
    window *= 2.0 / window.sum()
    padded = np.concatenate((np.zeros(size // 2), still, np.zeros(size + size // 2 + 1)))
    starts = np.minimum(np.interp(times, seconds, phase) * per_period, still.size).astype(int)
    bins = np.arange(1, count + 1) * periods
    found = np.empty((len(times), count), dtype=np.complex128)
    for row, start in enumerate(starts):
        spectrum = np.fft.rfft(padded[start : start + size] * window)
        found[row] = spectrum[np.minimum(bins, spectrum.size - 1)]
    # A window begins half its size before its centre, at this phase of the fundamental.
    begins = (starts - size // 2) / per_period
    turns = 2.0 * np.pi * np.outer(begins, np.arange(1, count + 1))
    return Partials(times, f0_hz, np.abs(found), periods / middle, np.angle(found * np.exp(-1j * turns)))
