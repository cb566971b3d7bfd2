"""A sound taken apart: partials, noise and their fine levels. Knows no synth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.resynthesis.noise import NoiseBands, estimate_noise
from menura.resynthesis.partials import Partials, track_partials

HOP = 0.005
"""Seconds between frames."""
_ONSET = 0.04
_CALM_WINDOW = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What of a sound goes into a preset."""

    partials: Partials
    noise: NoiseBands
    tonal_level: NDArray[np.float64]
    """Root mean square of the partials, fine in time, shape (frames,)."""
    noise_level: NDArray[np.float64]
    """Root mean square of the noise, fine in time, shape (frames,)."""
    seconds: float
    pitched: bool
    """Whether the partials are those of a note; otherwise of a dense comb that keys transpose."""
    phases: NDArray[np.float64] | None = None
    """One phase a partial, radians, shape (partials,): the form of one cycle. None draws them."""

    @property
    def times(self) -> NDArray[np.float64]:
        """Centres of the frames in seconds, shape (frames,)."""
        return self.partials.times


def analyse_pitched(
    signal: NDArray[np.float32], sample_rate: int, track_times: NDArray[np.float64], track_hz: NDArray[np.float64]
) -> Analysis:
    """Take a note apart along its fundamental.

    Args:
        signal: Mono sound, shape (samples,).
        sample_rate: Samples a second.
        track_times: Seconds, ascending, shape (n,).
        track_hz: Fundamental at those times, shape (n,).
    """
    times = _grid(signal.size, sample_rate)
    f0 = np.interp(times, track_times, track_hz)
    raw = track_partials(signal, sample_rate, times, f0)
    noise, partials = estimate_noise(signal, sample_rate, raw, pitched=True)
    return _with_levels(
        signal, sample_rate, partials, noise, window=max(0.004, 1.0 / float(np.median(f0))), pitched=True
    )


def analyse_dense(signal: NDArray[np.float32], sample_rate: int, fundamental_hz: float | None = None) -> Analysis:
    """Take a sound of no or several pitches apart on a comb so dense that any partial is near a tooth.

    Args:
        signal: Mono sound, shape (samples,).
        sample_rate: Samples a second.
        fundamental_hz: Spacing of the comb; chosen so that the strongest partials fall on it without.
    """
    times = _grid(signal.size, sample_rate)
    if fundamental_hz is None:
        fundamental_hz = comb_fundamental(signal, sample_rate)
    f0 = np.full(len(times), fundamental_hz)
    raw = track_partials(signal, sample_rate, times, f0, periods=2)
    noise, partials = estimate_noise(signal, sample_rate, raw, pitched=False)
    return _with_levels(signal, sample_rate, partials, noise, window=0.005, pitched=False)


def comb_fundamental(signal: NDArray[np.float32], sample_rate: int) -> float:
    """Spacing in Hz of the comb whose teeth lie nearest to the strongest partials of a sound.

    Short sounds get a wider comb, since a tooth needs a window of two periods to be seen.
    """
    low, high = (20.0, 36.0) if signal.size > 0.4 * sample_rate else (36.0, 60.0)
    size = int(2 ** np.ceil(np.log2(max(signal.size, 4096))))
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(signal.size), size))
    inner = spectrum[1:-1]
    peaks = np.flatnonzero((inner > spectrum[:-2]) & (inner >= spectrum[2:])) + 1
    strongest = peaks[np.argsort(spectrum[peaks])[-24:]]
    hz = strongest * sample_rate / size
    weight = np.sqrt(spectrum[strongest])
    combs = np.arange(low, high, 0.02)
    order = hz[None, :] / combs[:, None]
    missed = np.abs(order - np.round(order)) * combs[:, None]
    return float(combs[int(np.argmin((missed**2) @ weight))])


def _grid(size: int, sample_rate: int) -> NDArray[np.float64]:
    return np.arange(0.0, max(size / sample_rate, 2 * HOP), HOP)


def _with_levels(
    signal: NDArray[np.float32],
    sample_rate: int,
    partials: Partials,
    noise: NoiseBands,
    *,
    window: float,
    pitched: bool,
) -> Analysis:
    """Split the fine level of the whole sound as the slower spectra say."""
    tonal, noisy = partials.level**2, noise.level**2
    share = tonal / np.maximum(tonal + noisy, 1e-20)
    fine = level_contour(signal, sample_rate, partials.times, window)
    if not pitched:
        # Behind the onset a short window would draw single swings of low partials, which sound as bursts.
        calm = level_contour(signal, sample_rate, partials.times, _CALM_WINDOW)
        late = np.clip((partials.times - _ONSET) / _ONSET, 0.0, 1.0)
        fine = fine * (1.0 - late) + calm * late
    return Analysis(
        partials, noise, fine * np.sqrt(share), fine * np.sqrt(1.0 - share), signal.size / sample_rate, pitched
    )


def level_contour(
    signal: NDArray[np.float32], sample_rate: int, times: NDArray[np.float64], window: float
) -> NDArray[np.float64]:
    """Root mean square in windows of that many seconds around the times, shape (frames,).

    At the edges only the part of the window that holds sound counts.
    """
    total = np.concatenate(([0.0], np.cumsum(signal.astype(np.float64) ** 2)))
    first = np.clip(((times - window / 2) * sample_rate).round().astype(int), 0, signal.size)
    last = np.clip(((times + window / 2) * sample_rate).round().astype(int), 0, signal.size)
    last = np.maximum(last, np.minimum(first + 1, signal.size))
    return np.sqrt(np.maximum(total[last] - total[first], 0.0) / np.maximum(last - first, 1))
