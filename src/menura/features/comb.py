"""How well a fundamental explains a spectrum: the arbiter between pitch trackers. Tracks nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import map_coordinates

from menura.features.spectra import frame, hann

_DEPTH_DB = 45.0
_HIGHEST_HZ = 12_000.0


@dataclass(frozen=True, slots=True, eq=False)
class SpectralPeaks:
    """Peaks of the average spectrum of a sound."""

    hz: NDArray[np.float64]
    """Frequencies, ascending, shape (peaks,)."""
    level_db: NDArray[np.float64]
    """Levels below the strongest peak, 0 or less."""
    resolution_hz: float
    """Half the width of a peak: nearer frequencies are not told apart."""

    @classmethod
    def of(cls, signal: NDArray[np.float32], sample_rate: int, *, window_seconds: float = 0.37) -> SpectralPeaks:
        """Peaks that stand at least 9 dB above their surroundings and within 45 dB of the strongest one.

        Args:
            signal: Mono sound, shape (samples,).
            sample_rate: Samples a second.
            window_seconds: Length of the analysis; a shorter sound is analysed whole.
        """
        window = max(256, min(int(window_seconds * sample_rate), signal.size))
        n_fft = 2 * fft.next_fast_len(window, real=True)
        frames = frame(signal, window, max(1, window // 2), centred=False)
        power = np.abs(fft.rfft(frames * hann(window), n=n_fft, axis=1)) ** 2
        # Each frame counts alike up to its level: the long tail of a pluck must not vanish beside its attack.
        total = power.sum(axis=1, keepdims=True)
        weights = np.sqrt(total / max(float(total.max(initial=0.0)), 1e-20))
        mean = (power / np.maximum(total, 1e-20) * weights).sum(axis=0)
        bin_hz = sample_rate / n_fft
        stop = min(mean.size, int(_HIGHEST_HZ / bin_hz))
        level = 10.0 * np.log10(np.maximum(mean[:stop], 1e-20))
        resolution = 2.0 * sample_rate / window
        inner = level[1:-1]
        peaks = 1 + np.flatnonzero((inner > level[:-2]) & (inner >= level[2:]))
        peaks = peaks[peaks * bin_hz >= 12.0]
        if peaks.size == 0:
            return cls(np.zeros(0), np.zeros(0), resolution)
        around = _surroundings(level, max(2, round(1.3 * resolution / bin_hz)))
        strongest = level[peaks].max()
        peaks = peaks[(level[peaks] > around[peaks] + 9.0) & (level[peaks] > strongest - _DEPTH_DB)]
        left, middle, right = level[peaks - 1], level[peaks], level[peaks + 1]
        shift = 0.5 * (left - right) / np.minimum(left - 2.0 * middle + right, -1e-9)
        return cls((peaks + np.clip(shift, -0.5, 0.5)) * bin_hz, middle - strongest, resolution)

    def fit(self, fundamental_hz: float) -> float:
        """How well multiples of a frequency explain the peaks, about 0 (no better than chance) to 1.

        The explained share of the peaks, weighed by the square root of their amplitude and corrected
        for what a comb that dense catches by chance, times the share of the comb's teeth that are used.
        """
        if self.hz.size == 0 or fundamental_hz <= 0.0:
            return 0.0
        weights = 10.0 ** (self.level_db / 40.0)
        ratio = self.hz / fundamental_hz
        number = np.maximum(1.0, np.round(ratio))
        # Strings and bars are a little sharp in their upper partials; wider teeth there.
        tolerance = np.maximum(0.75 * self.resolution_hz, 0.008 * self.hz * np.sqrt(number))
        tolerance = np.minimum(tolerance, 0.35 * fundamental_hz)
        caught = np.abs(self.hz - number * fundamental_hz) <= tolerance
        explained = float(weights[caught].sum() / weights.sum())
        chance = float(np.average(2.0 * tolerance / fundamental_hz, weights=weights))
        kappa = (explained - chance) / max(1.0 - chance, 1e-6)
        used = np.unique(number[caught])
        highest = min(24.0, float(used.max(initial=1.0)))
        # The first teeth matter most: a comb an octave too low leaves every other one empty.
        teeth = np.arange(1.0, highest + 1.0)
        filled = float(np.isin(teeth, used) @ (1.0 / np.sqrt(teeth)) / (1.0 / np.sqrt(teeth)).sum())
        return max(0.0, kappa) * (0.3 + 0.7 * filled)


def sharpen(signal: NDArray[np.float32], sample_rate: int, fundamental_hz: float, *, reach: float = 35.0) -> float:
    """The fundamental near a rough one whose harmonics gather most of the spectrum, in Hz.

    Maximises the sum of the square roots of the amplitudes at the first 20 multiples, over all frames of
    0.37 s: what a copy made of exact multiples wants, also where the partials are a little stretched.

    Args:
        signal: Mono sound, shape (samples,).
        sample_rate: Samples a second.
        fundamental_hz: A rough fundamental.
        reach: Cents to look to either side.
    """
    window = max(256, min(int(0.37 * sample_rate), signal.size))
    n_fft = 4 * fft.next_fast_len(window, real=True)
    frames = frame(signal, window, max(1, window // 2), centred=False)
    roots = np.sqrt(np.abs(fft.rfft(frames * hann(window), n=n_fft, axis=1))).mean(axis=0)
    number = np.arange(1.0, 21.0)
    number = number[number * fundamental_hz * 1.05 < min(_HIGHEST_HZ, 0.48 * sample_rate)]
    if number.size == 0:
        return fundamental_hz
    cents = np.arange(-reach, reach + 0.5)
    hz = fundamental_hz * 2.0 ** (cents / 1200.0)
    places = hz[:, None] * number[None, :] * (n_fft / sample_rate)
    found = map_coordinates(roots, [places.ravel()], order=3, mode="nearest").reshape(places.shape)
    # What is 40 dB below the strongest harmonic is noise, or the skirt of a window.
    gathered = np.maximum(found - 0.1 * found.max(), 0.0).sum(axis=1)
    best = int(np.argmax(gathered))
    if not 0 < best < cents.size - 1:
        return fundamental_hz
    left, middle, right = gathered[best - 1 : best + 2]
    shift = 0.5 * (left - right) / min(left - 2.0 * middle + right, -1e-12)
    return float(fundamental_hz * 2.0 ** ((cents[best] + np.clip(shift, -0.5, 0.5)) / 1200.0))


def _surroundings(level: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Level just outside a peak's main lobe: the mean of both sides, `reach` bins away."""
    padded = np.pad(level, reach, mode="edge")
    size = level.size
    return 0.5 * (padded[:size] + padded[2 * reach : 2 * reach + size])
