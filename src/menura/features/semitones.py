"""The picture of a sound that our own networks look at: bands a semitone wide. Knows no network and no preset.

On an axis of semitones a transposition moves a spectrum without bending it, so that a convolution meets the same
pattern of partials at every pitch.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, sparse

from menura.audio.edges import sounding_range
from menura.features.spectra import Matrix, as_signal, power_to_db, stft

SAMPLE_RATE = 44_100
WINDOW, N_FFT, HOP = 3072, 4096, 1024
"""70 ms tell the partials of C2 apart; 23 ms from frame to frame."""
LOWEST = 24
"""MIDI pitch of the lowest band's centre, C1: 33 Hz."""
BANDS = 108
"""Nine octaves, to 15.8 kHz."""
RANGE_DB = 80.0
STEP_DB = 0.5
"""Decibels are rounded to this: far below what is heard, and a corpus of pictures becomes a third as large."""
SHORTEST, LONGEST = 1.5, 6.0
"""Seconds: shorter sounds are followed by silence, longer ones are cut."""
FRAMES = 1 + round(SHORTEST * SAMPLE_RATE) // HOP
"""Of a picture of the shortest length."""


def semitone_picture(samples: NDArray[np.float32], *, trim: bool = True) -> Matrix:
    """Decibels below the loudest band and frame, -80 to 0, shape (frames, BANDS), frames at least `FRAMES`.

    Gain changes nothing; what is shorter than `SHORTEST` is followed by silence.

    Args:
        samples: mono at `SAMPLE_RATE`, shape (n,).
        trim: begin at the onset and end with the sound, so that silence around it changes nothing but the last frames.

    Raises:
        AudioError: it is empty or not finite.
    """
    signal = as_signal(samples)
    first, last = sounding_range(signal[None], SAMPLE_RATE) if trim else (0, signal.size)
    signal = signal[first : min(last, first + round(LONGEST * SAMPLE_RATE))]
    signal = np.pad(signal, (0, max(0, round(SHORTEST * SAMPLE_RATE) - signal.size)))
    spectrum = stft(signal, WINDOW, HOP, n_fft=N_FFT)
    bands = np.asarray((_filters() @ (spectrum.real**2 + spectrum.imag**2).T).T, dtype=np.float32)
    decibels = power_to_db(bands, range_db=RANGE_DB)
    # A silent sound has no loudest band; its picture is all floor.
    decibels = np.maximum(decibels, -RANGE_DB) if bands.max() > 0.0 else np.full_like(bands, -RANGE_DB)
    return np.asarray(np.rint(decibels / STEP_DB) * STEP_DB, dtype=np.float32)


@cache
def _filters() -> sparse.csr_matrix:
    """Triangles of peak 1, from one neighbour's centre to the other's, shape (BANDS, bins).

    None is narrower than three bins, so that the lowest are not empty.
    """
    bins = fft.rfftfreq(N_FFT, 1.0 / SAMPLE_RATE)
    centres = 440.0 * 2.0 ** ((LOWEST - 69 + np.arange(-1, BANDS + 1)) / 12.0)
    narrowest = 1.5 * bins[1]
    below = np.maximum(centres[1:-1] - centres[:-2], narrowest)[:, None]
    above = np.maximum(centres[2:] - centres[1:-1], narrowest)[:, None]
    away = bins[None, :] - centres[1:-1, None]
    return sparse.csr_matrix(
        np.maximum(0.0, 1.0 - np.where(away < 0.0, -away / below, away / above)).astype(np.float32)
    )
