"""An analysis set right by hearing what was made of it: analysis by synthesis. Knows no synth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from menura.resynthesis.analysis import Analysis
from menura.resynthesis.noise import band_edges, band_power, between, triangles

_DEPTH_DB = 82.0
"""What lies further below the loudest band is silence to the distance as well."""
_MOST = 3.0
"""Nepers that one step may ask for."""


def corrected(
    analysis: Analysis,
    target: NDArray[np.float32],
    rendered: NDArray[np.float32],
    sample_rate: int,
    *,
    smoothing: float = 0.2,
    damping: float = 0.7,
) -> Analysis:
    """The analysis whose rendering would have been nearer to the target.

    Where a band of the rendering is too weak or too strong, its partials or its noise are raised or
    lowered, whichever of them rules there. Ratios are smoothed over time, less so at the onset,
    since those of noise to other noise say nothing one by one.

    Args:
        analysis: What the rendering was written from.
        target: Mono sound, shape (samples,).
        rendered: Mono sound of the engine, any level, any length.
        sample_rate: Samples a second, of both.
        smoothing: Seconds that a ratio is averaged over, at most; shorter near the onset.
        damping: Share of the step that is taken, 0 to 1.
    """
    sound = np.zeros(target.size, np.float32)
    sound[: min(rendered.size, target.size)] = rendered[: target.size]
    partials, noise, times = analysis.partials, analysis.noise, analysis.times
    edges = band_edges(sample_rate)
    widths = noise.widths_hz
    wanted = np.log(band_power(target, sample_rate, times, edges)) + np.log(widths)
    heard = np.log(band_power(sound, sample_rate, times, edges)) + np.log(widths)
    floor = float(wanted.max()) - _DEPTH_DB * np.log(10.0) / 10.0
    # Gain is free: what counts is the shape, so the middle of the differences is taken as equal, not
    # the loudest cells, of which one alone may stand out.
    heard += float(np.median((wanted - heard)[wanted > floor]))
    wanted, heard = np.maximum(wanted, floor), np.maximum(heard, floor)
    audible = ((wanted > floor + 0.5) | (heard > floor + 0.5)).astype(float)
    lack = np.clip(wanted - heard, -_MOST, _MOST)

    tonal_gain = analysis.tonal_level / np.maximum(partials.level, 1e-12)
    noise_gain = analysis.noise_level / np.maximum(noise.level, 1e-12)
    frequencies = partials.frequencies_hz
    weights = triangles(edges, frequencies)
    tonal = (0.5 * (partials.amplitude * tonal_gain[:, None]) ** 2) @ weights.T / widths
    hiss = noise.density * noise_gain[:, None] ** 2
    share = tonal / (tonal + hiss + 1e-30)

    half = np.clip(np.arange(len(times)) // 2, 1, max(1, round(smoothing / 2 / max(float(times[1]), 1e-6))))
    for_noise = damping * _smooth(lack, audible * (1.0 - share), half)
    for_tone = damping * _smooth(lack, audible * share, half)
    density = noise.density * np.exp(for_noise)
    by_partial = between(for_tone, noise.centres_hz, frequencies)
    crest = _crest(wanted, heard, damping)
    tonal_gain, noise_gain = tonal_gain * crest, noise_gain * crest
    better_noise = replace(noise, density=density)
    better_partials = replace(partials, amplitude=partials.amplitude * np.exp(0.5 * by_partial))
    return replace(
        analysis,
        partials=better_partials,
        noise=better_noise,
        tonal_level=better_partials.level * tonal_gain,
        noise_level=better_noise.level * noise_gain,
    )


def _crest(wanted: NDArray[np.float64], heard: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    """Gain over time that brings the loudest cell, the distance's reference, to its place: shape (frames,)."""
    excess = float(heard.max() - wanted.max())
    cells = heard if excess > 0.0 else wanted
    at = int(np.argmax(cells.max(axis=1)))
    near = np.exp(-0.5 * ((np.arange(len(cells)) - at) / 3.0) ** 2)
    return np.exp(-0.5 * damping * float(np.clip(excess, -1.5, 1.5)) * near)


def _smooth(values: NDArray[np.float64], weight: NDArray[np.float64], half: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weighted mean over frames i - half to i + half, drawn to 0 where nothing has weight."""
    index = np.arange(len(values))
    first, last = np.maximum(0, index - half), np.minimum(len(values), index + half + 1)
    counts = (last - first)[:, None]

    def mean(of: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.concatenate([np.zeros((1, of.shape[1])), np.cumsum(of, axis=0)])
        return (total[last] - total[first]) / counts

    return mean(values * weight) / (mean(weight) + 0.05)
