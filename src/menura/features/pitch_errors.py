"""How far the pitch of one sound is from that of another, frame by frame. Decides no pitch itself, knows no presets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from menura.audio import Audio
from menura.features.pitch import estimate_note
from menura.features.spectra import as_signal

GROSS_CENTS = 50.0
"""More is a gross error: nearer to another key than to its own."""


@dataclass(frozen=True, slots=True)
class PitchErrors:
    """Errors of a prediction's pitch."""

    median_cents: float | None
    """Median absolute difference over the frames voiced in both sounds; None where there are none."""
    gross_share: float | None
    """Share of the target's voiced frames in which the prediction is not within 50 cents, or has no pitch; None
    where the target has none."""


def pitch_errors(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> PitchErrors:
    """Compare the pitch of two sounds, each heard by itself, every 5 ms from the start.

    The ear is `menura.features.pitch.estimate_note`, which is told nothing: an answer an octave off is found an
    octave off. Where one sound has ended, it has no pitch.

    Args:
        target: Mono sound, shape (samples,).
        prediction: Mono sound at the same rate, of any length.
        sample_rate: Samples a second.

    Raises:
        AudioError: if either is not a finite mono sound.

    Source: raw pitch accuracy at 50 cents, of which `gross_share` is the complement: Salamon et al., "Melody
    extraction from polyphonic music signals", 2014, section on evaluation.
    """
    ours = _heard(as_signal(target, "target").tobytes(), sample_rate)
    theirs = _heard(as_signal(prediction, "prediction").tobytes(), sample_rate)
    frames = max(ours.size, theirs.size)
    wanted, found = (np.pad(hz, (0, frames - hz.size)) for hz in (ours, theirs))
    both = (wanted > 0.0) & (found > 0.0)
    cents = np.abs(1200.0 * np.log2(found[both] / wanted[both]))
    voiced = int(np.count_nonzero(wanted))
    near = int(np.count_nonzero(cents <= GROSS_CENTS))
    return PitchErrors(float(np.median(cents)) if cents.size else None, 1.0 - near / voiced if voiced else None)


@lru_cache(maxsize=8)
def _heard(samples: bytes, sample_rate: int) -> NDArray[np.float64]:
    """Fundamental in Hz every 5 ms, 0 where there is none. Cached: a target is judged against many answers."""
    estimate = estimate_note(Audio(np.frombuffer(samples, dtype=np.float32), sample_rate))
    return np.where(estimate.track_voiced, estimate.track_hz, 0.0)
