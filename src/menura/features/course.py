"""The course of a note's level: is it held, when was the key let go, how long does it ring. Knows no pitch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.features.spectra import rms_envelope

_HOP = 0.005
_FLOOR_DB = -60.0

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """When the key went up, and what the sound did until then."""

    sustaining: bool
    """True if the sound went on steadily for as long as the key was down."""
    hold: float
    """Seconds from the start to key up; the whole length for a sound that is cut off or decays freely."""
    release: float
    """Seconds from key up to silence (60 dB below the loudest moment), or to the end of the recording."""
    slope_db: float
    """dB a second while the key is down, below 0 for a decay."""
    drop_db: float
    """dB lost while the key is down, by that slope."""


def level_db(signal: NDArray[np.float32], sample_rate: int, *, window: float = 0.03) -> tuple[Series, Series]:
    """Level over time.

    Args:
        signal: Mono sound, shape (samples,).
        sample_rate: Samples a second.
        window: Seconds of a frame; two periods of the fundamental or more keep its beat out.

    Returns:
        Times in seconds, every 5 ms, and dB below the loudest frame, not under -60; each of shape (frames,).
    """
    hop = max(1, round(_HOP * sample_rate))
    envelope = rms_envelope(signal, max(hop, round(window * sample_rate)), hop).astype(np.float64)
    top = float(envelope.max(initial=0.0))
    level = np.full(envelope.shape, _FLOOR_DB)
    if top > 0.0:
        level = np.maximum(20.0 * np.log10(np.maximum(envelope / top, 1e-6)), _FLOOR_DB)
    return np.arange(envelope.size) * hop / sample_rate, level


def level_course(signal: NDArray[np.float32], sample_rate: int, *, fundamental_hz: float | None = None) -> Course:
    """Find key up and whether the sound sustains, from its level alone.

    The dB curve is split where two straight lines fit it best. The second part is a release if it
    falls by 12 dB or more and much faster than the first.

    Args:
        signal: Mono sound, shape (samples,).
        sample_rate: Samples a second.
        fundamental_hz: Widens the window for low notes.
    """
    total = signal.size / sample_rate
    window = 0.03 if fundamental_hz is None else float(np.clip(2.0 / fundamental_hz, 0.03, 0.12))
    times, level = level_db(signal, sample_rate, window=window)
    audible = np.flatnonzero(level > _FLOOR_DB + 1.0)
    if audible.size < 4:
        return Course(False, total, 0.0, 0.0, 0.0)
    start = int(np.flatnonzero(level > -6.0)[0])
    last = int(audible[-1])
    # The last frames look past the end of the file: their level falls by half a window alone.
    if last == level.size - 1:
        last = max(start + 3, last - round(0.5 * window / _HOP) - 1)
    split = _key_up(times[start : last + 1], level[start : last + 1])
    stop = last if split is None else start + split
    slope, drop = _decay(times[start : stop + 1], level[start : stop + 1])
    length = float(times[stop] - times[start])
    # The end of the held part lies half its fall below its middle: that may be 8 dB. A sound that nobody
    # let go must in addition lose little a second, or it is a pluck that the recording cuts off.
    sustaining = length >= 0.1 and drop > -16.0 and slope > -_steepest(length, released=split is not None)
    if split is None:
        sustaining = sustaining and not _rings(times[start : stop + 1], level[start : stop + 1], slope)
        return Course(sustaining, total, 0.0, slope, drop)
    key_up = _fall_begins(times, level, start, stop)
    end = float(times[last])
    return Course(sustaining, min(key_up, total), max(0.0, end - key_up), slope, drop)


def _steepest(length: float, *, released: bool) -> float:
    # In dB a second; a short note's slope says little.
    return (8.0 if released else 4.0) / min(1.0, max(length, 0.1))


def _rings(times: Series, level: Series, slope: float) -> bool:
    """True for a sound that was struck and left to ring, though so slowly that its slope alone does not tell.

    Its level falls along a straight line, or it begins at its loudest and ends far below.
    """
    if times.size < 20 or slope > -0.8:
        return False
    inner = slice(times.size // 20, None)
    straight = float(np.corrcoef(times[inner], level[inner])[0, 1]) < -0.95 and slope < -2.5
    struck = int(np.argmax(level > -3.0)) * _HOP <= 0.05
    return straight or (struck and float(level[-(times.size // 4) :].mean()) < -12.0)


def _key_up(times: Series, level: Series) -> int | None:
    """Index of the frame where a release begins, or None."""
    count = times.size
    if count < 12:
        return None
    first = _line_errors(times, level)
    second = _line_errors(times[::-1], level[::-1])[::-1]
    candidates = np.arange(5, count - 4)
    errors = first[candidates] + second[candidates]
    best = int(candidates[np.argmin(errors)])
    before, _ = np.polyfit(times[: best + 1], level[: best + 1], 1)
    after, _ = np.polyfit(times[best:], level[best:], 1)
    fall = level[best] - level[-1]
    length = times[best] - times[0]
    if fall < 12.0 or after > 2.5 * min(before, -3.0) or length < 0.06:
        return None
    # A short plateau before a long slow fall is the attack of a pluck, not a held note.
    if length < 0.5 and after > -60.0:
        return None
    return best


def _line_errors(times: Series, level: Series) -> Series:
    """Squared error of the best line through the first i + 1 points, for every i."""
    x = times - times[0]
    n = np.arange(1, x.size + 1, dtype=np.float64)
    sx, sy = np.cumsum(x), np.cumsum(level)
    sxx, sxy, syy = np.cumsum(x * x), np.cumsum(x * level), np.cumsum(level * level)
    var_x = sxx - sx * sx / n
    cov = sxy - sx * sy / n
    var_y = syy - sy * sy / n
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = np.where(var_x > 1e-12, cov * cov / np.maximum(var_x, 1e-12), 0.0)
    return np.maximum(var_y - explained, 0.0)


def _decay(times: Series, level: Series) -> tuple[float, float]:
    """Slope in dB a second and the whole fall, by a line that a few outliers do not tilt."""
    if times.size < 4:
        return 0.0, 0.0
    slope, offset = np.polyfit(times, level, 1)
    residual = np.abs(level - slope * times - offset)
    near = residual <= max(1.0, 2.0 * float(np.median(residual)))
    if near.sum() >= 4:
        slope, offset = np.polyfit(times[near], level[near], 1)
    return float(slope), float(slope * (times[-1] - times[0]))


def _fall_begins(times: Series, level: Series, start: int, split: int) -> float:
    """Walk back from the split to where the fall begins."""
    body = float(np.median(level[start : split + 1]))
    index = split
    while index > start and level[index] < body - 2.0 and level[index - 1] > level[index]:
        index -= 1
    return float(times[index])
