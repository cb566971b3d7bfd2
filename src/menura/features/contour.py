"""How a spectrum unfolds: mel bands in slots of time that grow longer. Knows no preset."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from menura.features.spectra import as_signal, hz_to_mel, mel_power, mel_to_hz

SLOTS = (0.0, 0.015, 0.03, 0.06, 0.12, 0.24, 0.48, 1.0)
"""Edges of the slots in seconds: an attack is told in hundredths, what follows in halves."""
BANDS = 24
RANGE_DB = 70.0
"""What lies further below the loudest slot and band is as good as nothing."""
_WINDOW, _HOP = 1024, 128
_WEIGHTS = np.sqrt(np.diff(SLOTS)) / np.sqrt(np.diff(SLOTS)).sum()
_MOVED = 0.15
"""What a dB of another course of level counts beside a dB that is left."""


def contour(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Decibels below the loudest, at most `RANGE_DB`, shape (len(SLOTS) - 1, BANDS).

    Independent of gain. What comes after the sound's end counts as silence.

    Args:
        samples: mono, shape (n,), from its onset.
        sample_rate: Hz.

    Raises:
        AudioError: it is empty or not finite.
    """
    signal = as_signal(samples)[: round((SLOTS[-1] + 0.1) * sample_rate)]
    power = mel_power(signal, sample_rate, _WINDOW, _HOP, BANDS)
    edges = np.round(np.array(SLOTS) * sample_rate / _HOP).astype(int)
    found = np.zeros((len(SLOTS) - 1, BANDS), dtype=np.float64)
    for slot, (start, stop) in enumerate(pairwise(edges)):
        frames = power[start : max(stop, start + 1)]
        found[slot] = frames.sum(axis=0) / max(stop - start, 1)
    loudest = max(float(found.max()), 1e-20)
    decibels = 10.0 * np.log10(np.maximum(found / loudest, 10.0 ** (-RANGE_DB / 10.0)))
    return decibels.astype(np.float32)


def contour_distance(contours: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean absolute dB, long slots counting more than short ones, shape (n,).

    Args:
        contours: of many sounds, shape (n, (len(SLOTS) - 1) * BANDS).
        target: of one, shape ((len(SLOTS) - 1) * BANDS,).
    """
    return np.asarray(np.abs(_apart(contours, target)).mean(axis=2) @ _WEIGHTS)


def outline_distance(contours: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """As `contour_distance`, after another course of level and an equaliser: how near sounds could be brought.

    The course is free but costs a little; the equaliser is a low shelf, a high shelf and a band, of at most 15 dB.

    Args:
        contours: of many sounds, shape (n, (len(SLOTS) - 1) * BANDS).
        target: of one, shape ((len(SLOTS) - 1) * BANDS,).
    """
    rest = _apart(contours, target)
    course = np.median(rest, axis=2)
    rest -= course[:, :, None]
    place = np.linspace(-1.0, 1.0, BANDS)
    shapes = np.stack([np.maximum(-place, 0.0), np.maximum(place, 0.0), np.exp(-np.square(place / 0.4))])
    shapes -= shapes.mean(axis=1, keepdims=True)
    colour = np.einsum("ntb,t->nb", rest, _WEIGHTS)
    gains = np.linalg.solve(shapes @ shapes.T + 0.5 * np.eye(len(shapes)), shapes @ colour.T).T
    rest -= (np.clip(gains, -15.0, 15.0) @ shapes)[:, None]
    moved = np.abs(course - (course @ _WEIGHTS)[:, None]) @ _WEIGHTS
    return np.asarray(np.abs(rest).mean(axis=2) @ _WEIGHTS + _MOVED * moved)


def contour_qualities(contours: NDArray[np.float32], sample_rate: int = 44_100) -> dict[str, NDArray[np.float64]]:
    """Coarse readings of some quantities of `menura.features.qualities`, for as many sounds as there are contours.

    Good for putting many sounds in order, not for telling a value: time is as coarse as the slots.

    Args:
        contours: shape (n, len(SLOTS) - 1, BANDS), as `contour` gives them.
        sample_rate: of the sounds.

    Returns:
        ``brightness`` (Hz), ``attack`` (s), ``held`` (dB), ``length`` (s), each of shape (n,).
    """
    mels = np.linspace(0.0, float(hz_to_mel(sample_rate / 2.0)), BANDS + 2)[1:-1]
    # Filters are of unit area, so that a band's amplitude counts by its width.
    amplitude = 10.0 ** (contours.astype(np.float64) / 20.0) * np.gradient(mel_to_hz(mels))
    power = (10.0 ** (contours.astype(np.float64) / 10.0)).sum(axis=2)
    level = 10.0 * np.log10(power / power.max(axis=1, keepdims=True))
    edges = np.array(SLOTS)
    lasting = len(SLOTS) - 2 - np.argmax(level[:, ::-1] > -40.0, axis=1)
    return {
        "brightness": (amplitude @ mel_to_hz(mels)).sum(axis=1) / amplitude.sum(axis=(1, 2)),
        "attack": edges[np.argmax(level >= -6.0, axis=1)],
        "held": level[:, -1],
        "length": edges[1:][lasting],
    }


def _apart(contours: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """Target minus contours, shape (n, slots, bands)."""
    return (target - contours).astype(np.float64).reshape(len(contours), -1, BANDS)
