"""A target's strongest partials as operators: the additive start. Owns the reading; knows no search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from menura.features.spectra import hann
from menura.matching.dx7.families import Profile, falling
from menura.matching.dx7.forecast import DB_PER_LEVEL, rate_of_fall, rate_of_rise
from menura.matching.dx7.patch import HIGH, LOW, Knobs, Wiring
from menura.matching.target import SAMPLE_RATE, Target

ADDITIVE = 32
"""The algorithm of six carriers."""
_WINDOW, _HOP = 4096, 512
_LOWEST_RATIO, _HIGHEST_RATIO = 0.45, 40.0


def additive(target: Target, frequency_hz: float, profile: Profile) -> tuple[Wiring, Knobs]:
    """The six strongest partials of a target, each with a course of its own, as a patch of algorithm 32.

    Args:
        target: The sound.
        frequency_hz: What an operator of ratio 1 plays.
        profile: The course of the whole.

    Returns:
        The wiring, and knobs in the order of `patch.NAMES`, shape (43,).
    """
    mono = target.audio.mono
    padded = np.pad(mono, (_WINDOW // 2, _WINDOW))
    starts = range(0, max(mono.size, 1), _HOP)
    window = hann(_WINDOW).astype(np.float64)
    frames = np.stack([padded[start : start + _WINDOW] for start in starts])
    spectra: NDArray[np.float64] = np.abs(np.fft.rfft(frames * window, axis=1))
    bins = _strongest(np.sqrt(np.mean(spectra**2, axis=0)), frequency_hz)
    courses: NDArray[np.float64] = 20.0 * np.log10(spectra[:, bins].max(axis=2) + 1e-9)
    top = float(courses.max())
    rows: list[Knobs] = []
    for course in courses.T:
        peak = int(np.argmax(course))
        level = 99.0 - (top - float(course[peak])) / DB_PER_LEVEL
        until = max(peak + 2, min(len(course), round(target.note.hold * SAMPLE_RATE / _HOP)))
        quiet = course[peak:until] < course[peak] - 50.0
        slope = falling(course[peak : peak + int(np.argmax(quiet))] if quiet.any() else course[peak:until], _HOP)
        rise = rate_of_rise(peak * _HOP / SAMPLE_RATE) if peak > 8 else profile.attack
        fall = rate_of_fall(slope)
        lost = slope * (until - 1 - peak) * _HOP / SAMPLE_RATE / DB_PER_LEVEL
        end = 99.0 * max(0.0, 1.0 - lost / max(level, 1.0))
        rows.append(np.array([level, rise, fall, fall, profile.release, (99.0 + end) / 2.0, end]))
    ratios = (bins[:, 1] * SAMPLE_RATE / _WINDOW) / frequency_hz
    near = np.abs(ratios - np.rint(ratios)) < 0.04
    ratios = np.where(near & (ratios > 0.9), np.rint(ratios), ratios)
    # The engine ends a voice of this algorithm without looking at operator 5: it takes the weakest.
    order = [0, 1, 2, 3, 5, 4]
    knobs = np.concatenate([*(rows[place] for place in order), [0.0]])
    return Wiring(ADDITIVE, ratios[order]).settled(), np.clip(knobs, LOW, HIGH)


def _strongest(spectrum: NDArray[np.float64], frequency_hz: float) -> NDArray[np.int64]:
    """Bins of the six strongest peaks with their neighbours, the strongest first, shape (6, 3)."""
    low = max(2, int(_LOWEST_RATIO * frequency_hz * _WINDOW / SAMPLE_RATE))
    high = min(spectrum.size - 2, int(_HIGHEST_RATIO * frequency_hz * _WINDOW / SAMPLE_RATE) + 2)
    left = spectrum.copy()
    left[:low] = left[high:] = 0.0
    apart = max(3, int(0.3 * frequency_hz * _WINDOW / SAMPLE_RATE))
    found: list[int] = []
    for _ in range(6):
        best = int(np.argmax(left)) if left.any() else low
        found.append(min(max(best, 1), spectrum.size - 2))
        left[max(0, best - apart) : best + apart + 1] = 0.0
    centres = np.array(found)
    return np.stack([centres - 1, centres, centres + 1], axis=1)
