"""When the courses of a patch are looked at: a window hears more than its middle. Knows no knob and no law."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.features.spectra import hann
from menura.matching.hearing import HOP, View
from menura.matching.target import SAMPLE_RATE

Picture = NDArray[np.float32]

EARLY = 0.16
"""Seconds in which a note begins: controls glide, and a window is looked at in several places."""
NODES = 4
"""Places in each window of the beginning."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The times at which courses are looked at: several in a window where they change fast."""

    centres: NDArray[np.float64]
    """Seconds of the picture's moments, shape (frames,)."""
    times: NDArray[np.float64]
    """Seconds at which courses are looked at, shape (times,)."""
    weights: Picture
    """What of its window each time stands for, shape (times,)."""
    starts: NDArray[np.int64]
    """Place of each window's first time, shape (frames,)."""
    share: Picture
    """Part of each window that lies within the sound, shape (frames,)."""

    @classmethod
    def of(cls, view: View, size: int) -> Moments:
        """Those of a picture.

        Args:
            view: The picture's.
            size: Samples of the sound.
        """
        weight = np.square(hann(view.window)).astype(np.float64)
        times: list[float] = []
        weights: list[float] = []
        starts: list[int] = []
        for centre in (view.frames * HOP).astype(np.float64):
            inside = np.arange(view.window) + centre - view.window / 2.0
            heard = np.flatnonzero((inside >= 0) & (inside < size))
            starts.append(len(times))
            mass: NDArray[np.float64] = np.cumsum(weight[heard])
            count = NODES if centre < EARLY * SAMPLE_RATE else 1
            cuts = [int(np.searchsorted(mass, float(mass[-1]) * n / count)) for n in range(1, count)]
            bounds = [0, *cuts, heard.size]
            for low, high in pairwise(bounds):
                if high > low:
                    part = heard[low:high]
                    inner = float(weight[part].sum())
                    times.append(float(weight[part] @ inside[part]) / inner / SAMPLE_RATE)
                    weights.append(inner / float(weight.sum()))
        shares, places = np.array(weights, dtype=np.float32), np.array(starts)
        return cls(view.times, np.array(times), shares, places, np.add.reduceat(shares, places))

    @property
    def gliding(self) -> int:
        """Moments of the picture at which controls may glide still."""
        return int(np.searchsorted(self.centres, EARLY)) + 1

    def first(self, n: int) -> Moments:
        """The first n moments of the picture."""
        end = int(self.starts[n]) if n < len(self.starts) else len(self.times)
        return Moments(self.centres[:n], self.times[:end], self.weights[:end], self.starts[:n], self.share[:n])

    def mean(self, course: NDArray[np.floating[Any]]) -> Picture:
        """Means over each window, shape (n, times) to (n, frames); what lies outside of the sound is zero."""
        return np.add.reduceat(course * self.weights, self.starts, axis=1).astype(np.float32, copy=False)
