"""Noise of a sound as bands over time, and synthetic noise shaped by them. Knows no synth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter1d

from menura.features.spectra import hz_to_mel, mel_to_hz, power
from menura.resynthesis.partials import Partials

N_BANDS = 56
_TINY = 1e-16
_SHORT, _LONG = 1024, 4096
"""Samples of the windows for highs and for lows."""
LONG = 12
CONS = True


@dataclass(frozen=True, slots=True, eq=False)
class NoiseBands:
    """Power density of noise over time in mel-spaced bands."""

    times: NDArray[np.float64]
    """Seconds, shape (frames,)."""
    centres_hz: NDArray[np.float64]
    """Shape (bands,)."""
    widths_hz: NDArray[np.float64]
    """Shape (bands,)."""
    density: NDArray[np.float64]
    """Power per Hz, shape (frames, bands)."""

    @property
    def level(self) -> NDArray[np.float64]:
        """Root mean square of the noise, shape (frames,)."""
        return np.sqrt(self.density @ self.widths_hz)

    def evened(self) -> NoiseBands:
        """The same colours over time, each at a level of 1."""
        return replace(self, density=self.density / np.maximum(self.level, 1e-9)[:, None] ** 2)


def band_edges(sample_rate: int, bands: int = N_BANDS) -> NDArray[np.float64]:
    """Edges of `bands` half-overlapping triangles on the mel scale, in Hz, shape (bands + 2,)."""
    return mel_to_hz(np.linspace(0.0, float(hz_to_mel(sample_rate / 2)), bands + 2))


def triangles(edges: NDArray[np.float64], frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of each frequency in each band, peak 1, shape (bands, frequencies)."""
    up = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(up, down))


def between(
    rows: NDArray[np.float64], centres_hz: NDArray[np.float64], frequencies: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values of bands at frequencies between their centres, shape (frames, frequencies); the ends go on."""
    place = np.interp(frequencies, centres_hz, np.arange(len(centres_hz)))
    low = np.minimum(place.astype(int), len(centres_hz) - 2)
    mix = place - low
    return rows[:, low] * (1.0 - mix) + rows[:, low + 1] * mix


def log_density(
    signal: NDArray[np.float32],
    sample_rate: int,
    times: NDArray[np.float64],
    window: int,
    edges: NDArray[np.float64],
    free: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Mean log power density in bands, shape (frames, bands); NaN where a band has no free bin.

    The mean of the logarithm, set right for the bias that noise has, is robust against a leaking
    partial and is what a distance in decibels compares.

    Args:
        signal: Mono sound.
        sample_rate: Samples a second.
        times: Frames wanted, on a regular grid from 0, seconds.
        window: Samples of the Hann window.
        edges: From `band_edges`.
        free: Bins that may be used, shape (frames, bins); all without it.
    """
    logs = np.log(_density(signal, sample_rate, times, window) + _TINY)
    weights = _band_weights(edges, sample_rate, window)
    use = np.ones_like(logs) if free is None else free.astype(float)
    total = use @ weights.T
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = ((logs * use) @ weights.T) / total
    mean[total < 0.5] = np.nan
    return mean + np.euler_gamma


def band_power(
    signal: NDArray[np.float32], sample_rate: int, times: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean power density in bands, shape (frames, bands): what is heard there, partials and noise alike."""

    def through(window: int) -> NDArray[np.float64]:
        weights = _band_weights(edges, sample_rate, window)
        return _density(signal, sample_rate, times, window) @ (weights / weights.sum(axis=1, keepdims=True)).T

    return np.exp(_by_height(np.log(through(_SHORT) + _TINY), np.log(through(_LONG) + _TINY), edges))


def _density(
    signal: NDArray[np.float32], sample_rate: int, times: NDArray[np.float64], window: int
) -> NDArray[np.float64]:
    """Power per Hz in the bins of a Hann window, shape (frames, bins)."""
    hop = max(1, round((times[1] - times[0]) * sample_rate)) if len(times) > 1 else window
    frames = power(np.asarray(signal, np.float32), window, hop)
    rows = np.minimum((times * sample_rate / hop).round().astype(int), len(frames) - 1)
    return frames[rows].astype(np.float64) * (2.0 / (sample_rate * 0.375 * window))


def _band_weights(edges: NDArray[np.float64], sample_rate: int, window: int) -> NDArray[np.float64]:
    """Weight of each bin in each band; a band narrower than a bin takes its nearest one."""
    bins = np.arange(window // 2 + 1) * sample_rate / window
    weights = triangles(edges, bins)
    for band in np.flatnonzero(weights.sum(axis=1) < 0.5):
        weights[band, int(np.argmin(np.abs(bins - edges[band + 1])))] = 1.0
    return weights


def _by_height(
    short: NDArray[np.float64], long: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Highs from the short window, lows from the long one: a short window cannot tell low bands apart."""
    mix = np.clip((edges[1:-1] - 300.0) / 500.0, 0.0, 1.0)
    return mix * short + (1.0 - mix) * long


def estimate_noise(
    signal: NDArray[np.float32], sample_rate: int, partials: Partials, *, pitched: bool
) -> tuple[NoiseBands, Partials]:
    """What of a sound is noise, and its partials with the noise taken out of them.

    Beside the partials of a note, noise is what lies between them in a long window, though never more
    than a short one hears, which keeps its timing. On a dense comb it is the floor under the peaks
    where peaks rule, and the sound itself elsewhere.
    """
    times, edges = partials.times, band_edges(sample_rate)
    centres, widths = edges[1:-1], (edges[2:] - edges[:-2]) / 2
    short = _by_height(
        log_density(signal, sample_rate, times, _SHORT, edges),
        log_density(signal, sample_rate, times, _LONG, edges),
        edges,
    )
    if pitched:
        logs = np.minimum(_between(signal, sample_rate, partials, edges), short)
    else:
        floor = _under_peaks(partials, centres)
        tonal = (0.5 * partials.amplitude**2) @ triangles(edges, partials.frequencies_hz).T / widths
        ruled = np.clip((tonal / (tonal + np.exp(floor)) - 0.2) / 0.3, 0.0, 1.0)
        logs = ruled * np.minimum(floor, short) + (1.0 - ruled) * short
    logs = uniform_filter1d(logs, 5, axis=0, mode="nearest")
    noise = NoiseBands(times, centres, widths, np.exp(logs))
    under = np.exp(between(logs, centres, partials.frequencies_hz))
    # A Hann bin holds 3 / window of a density, in squared amplitude.
    bare = partials.amplitude**2 - (3.0 / partials.window) * under * (1.0 if pitched else 3.0)
    clean = np.sqrt(np.maximum(bare, (1e-3 if pitched else 1e-4) * partials.amplitude**2))
    return noise, replace(partials, amplitude=clean)


def _between(
    signal: NDArray[np.float32], sample_rate: int, partials: Partials, edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log density from the bins between harmonics of a window of at least 8 periods."""
    f0 = partials.f0_hz
    window = int(2 ** np.clip(np.ceil(np.log2(8.0 * sample_rate / np.median(f0))), 13, 14))
    width = sample_rate / window
    bins = np.arange(window // 2 + 1) * width
    order = bins[None, :] / f0[:, None]
    away = np.abs(order - np.maximum(np.round(order), 1.0)) * f0[:, None]
    # Vibrato smears a harmonic over the bins that it crosses within a window.
    drift = np.abs(np.gradient(f0)) / max(np.gradient(partials.times).mean(), 1e-9) * (window / sample_rate) / 2
    free = away > 2.5 * width + np.minimum(drift[:, None] * order, 0.3 * f0[:, None])
    long = log_density(signal, sample_rate, partials.times, window, edges, free)
    filled = np.empty_like(long)
    index = np.arange(long.shape[1])
    last = np.full(long.shape[1], np.log(_TINY))
    for row, values in enumerate(long):
        known = np.isfinite(values)
        last = np.interp(index, index[known], values[known]) if known.any() else last
        filled[row] = last
    return filled


def _under_peaks(partials: Partials, centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log density under the peaks of a dense spectrum: its median over neighbouring partials."""
    floor = median_filter(partials.amplitude**2, size=(1, 31), mode="nearest") / np.log(2.0)
    density = floor * partials.window / 3.0
    frequencies = partials.frequencies_hz
    return np.log(between(density, frequencies, centres) + _TINY)


def folded(bands: NoiseBands, seconds: float) -> NoiseBands:
    """Bands of the first `seconds`, with those that are heard on the way to and fro later mixed in.

    A sampler that plays to and fro comes by every moment again; the mean of the logarithms serves
    them all, the first coming most, since the attack is there.
    """
    last = float(bands.times[-1])
    if seconds >= last:
        return bands
    logs = np.log(bands.density + _TINY)
    times = bands.times[bands.times <= seconds]
    mixed, weight, turn = 2.0 * logs[: len(times)], 2.0, 1
    while turn * seconds < last:
        again = (turn + 1) * seconds - times if turn % 2 else turn * seconds + times
        heard = np.interp(np.minimum(again, last), bands.times, np.arange(len(bands.times))).round().astype(int)
        mixed, weight, turn = mixed + logs[heard], weight + 1.0, turn + 1
    return NoiseBands(times, bands.centres_hz, bands.widths_hz, np.exp(mixed / weight))


def shaped_noise(bands: NoiseBands, seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Synthetic Gaussian noise with that density over time, shape (samples,).

    Lows and highs are shaped in windows of their own length, so that both a rumble's bands and a
    click's timing survive.
    """
    count = max(1, round(seconds * sample_rate))
    white = rng.standard_normal(count + 8192)
    low = _shape(white, bands, sample_rate, 4096, (900.0, 600.0))
    high = _shape(white, bands, sample_rate, 512, (600.0, 900.0))
    return (low + high)[:count]


def _shape(
    white: NDArray[np.float64], bands: NoiseBands, sample_rate: int, window: int, fade: tuple[float, float]
) -> NDArray[np.float64]:
    hop = window // 4
    shape = np.sqrt(np.hanning(window + 1)[:window])
    padded = np.concatenate((np.zeros(window), white, np.zeros(window)))
    starts = np.arange(0, padded.size - window, hop)
    frequencies = np.fft.rfftfreq(window, 1.0 / sample_rate)
    gain_hz = np.clip((frequencies - fade[0]) / (fade[1] - fade[0]), 0.0, 1.0)
    logs = np.log(bands.density + _TINY)
    at = np.clip((starts - window / 2) / sample_rate, bands.times[0], bands.times[-1])
    row = np.interp(at, bands.times, np.arange(len(bands.times)))
    out = np.zeros(padded.size)
    for start, position in zip(starts, row, strict=True):
        low = int(position)
        high = min(low + 1, len(logs) - 1)
        here = logs[low] + (logs[high] - logs[low]) * (position - low)
        gain = gain_hz * np.exp(0.5 * np.interp(frequencies, bands.centres_hz, here))
        piece = np.fft.irfft(np.fft.rfft(padded[start : start + window] * shape) * gain, window)
        out[start : start + window] += piece * shape
    # Four overlapping squared root-Hann windows add up to 2; white noise has 2 / rate power per Hz.
    return out[window : window + white.size] * (0.5 * np.sqrt(sample_rate / 2.0))
