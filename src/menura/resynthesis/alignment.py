"""The form of one cycle and a fundamental that keeps step with the target, by hearing a rendering. Knows no synth.

Two tones of the same spectrum still differ where a window is shorter than their period: low notes are
heard as a train of cycles, and then it matters when each comes and what form it has.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from menura.resynthesis.analysis import Analysis
from menura.resynthesis.partials import Partials, track_partials

_LOWEST_PARTIALS = 12
"""Partials that tell how far the cycles are out of step; higher ones turn too fast."""


def aligned(
    analysis: Analysis, target: NDArray[np.float32], rendered: NDArray[np.float32], sample_rate: int
) -> Analysis:
    """The analysis with one phase a partial and a fundamental set so that a rendering keeps step.

    Args:
        analysis: What the rendering was written from, its `phases` set.
        target: Mono sound, shape (samples,).
        rendered: Mono sound of the engine.
        sample_rate: Samples a second, of both.

    Returns:
        The same where there are no phases or too little sound to compare.
    """
    partials = analysis.partials
    if analysis.phases is None or len(partials.times) < 8:
        return analysis
    count = partials.amplitude.shape[1]
    wanted = _tracked(target, sample_rate, partials)
    heard = _tracked(rendered, sample_rate, partials)
    count = min(count, wanted.phase.shape[1], heard.phase.shape[1])
    order = np.arange(1, count + 1)
    behind = _wrapped(wanted.phase[:, :count] - heard.phase[:, :count])
    weight = np.minimum(wanted.amplitude[:, :count], heard.amplitude[:, :count])

    # Least squares over the partials: a step of the cycle by e turns partial k by k e.
    low = order <= _LOWEST_PARTIALS
    step = _wrapped(np.diff(behind, axis=0))[:, low]
    strength = np.minimum(weight[1:], weight[:-1])[:, low]
    slip = (strength * step * order[low]).sum(axis=1) / ((strength * order[low] ** 2).sum(axis=1) + 1e-12)
    course = gaussian_filter1d(np.concatenate([[0.0], np.cumsum(slip)]), 4.0)
    still = np.exp(1j * (behind - np.outer(course, order)))
    phases = analysis.phases.copy()
    phases[:count] += np.angle(np.sum(weight * still, axis=0))
    f0 = partials.f0_hz + np.gradient(course, partials.times) / (2.0 * np.pi)
    # A slip that asks for more than a tenth of a semitone is noise, not pitch.
    f0 = np.clip(f0, partials.f0_hz * 0.994, partials.f0_hz * 1.006)
    return replace(analysis, partials=replace(partials, f0_hz=f0), phases=phases)


def _tracked(sound: NDArray[np.float32], sample_rate: int, like: Partials) -> Partials:
    return track_partials(np.ascontiguousarray(sound, np.float32), sample_rate, like.times, like.f0_hz)


def _wrapped(radians: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same angles from -pi to pi."""
    return np.angle(np.exp(1j * radians))
