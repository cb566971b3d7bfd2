"""What Vital's analogue filter of 12 dB does to a log-mel picture, as measured on the engine. Knows no target.

Source: measurements in docs/decisions/031-forecast.md.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from menura.matching.vital.laws import Knobs, Picture


class Filter:
    """Two poles, low-pass over band-pass to high-pass, at some frequencies.

    Args:
        offset: Semitones above the cutoff, shape (n or 1, frames, bands).
        resonance: 0 to 1, shape (n,).
        blend: 0 is low-pass, 1 band-pass, 2 high-pass, shape (n,).
        level: Of the oscillator before it, shape (n,): a loud one damps the resonance.
    """

    def __init__(self, offset: Picture, resonance: Knobs, blend: Knobs, level: Knobs | None = None) -> None:
        mix = blend.astype(np.float32)[:, None, None]
        damping = 2.0 * (1.0 - resonance) ** 2
        if level is not None:
            damping = damping + 1.33 * resonance**2 * level**3
        ratio = np.exp2(offset / np.float32(12.0))
        squared = ratio * ratio
        self._across = damping.astype(np.float32)[:, None, None] * ratio
        self._under = 1.0 - squared
        self._aside = np.sqrt(np.maximum(0.0, 1.0 - (1.0 - mix) ** 2)) * ratio
        self._straight = np.maximum(1.0 - mix, 0.0) - np.maximum(mix - 1.0, 0.0) * squared
        self._above = self._straight**2 + self._aside**2
        self._below = self._under**2 + self._across**2
        self._quieter = (10.0 ** (-0.95 * resonance**0.7)).astype(np.float32)[:, None, None]

    @property
    def power(self) -> Picture:
        """Response in power, of the shape of the offsets."""
        return np.asarray(self._quieter * self._above / self._below, dtype=np.float32)

    @cached_property
    def turn(self) -> Picture:
        """Cosine of the turn in phase, of the shape of the offsets."""
        along = self._straight * self._under + self._aside * self._across
        return np.asarray(along / np.sqrt(self._above * self._below + np.float32(1e-12)), dtype=np.float32)
