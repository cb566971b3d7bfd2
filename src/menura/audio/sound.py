"""The `Audio` value: samples at a rate. Knows no file and no synth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from menura.audio.edges import sounding_range
from menura.errors import AudioError

_LOWEST_RATE = 1_000
_HIGHEST_RATE = 1_536_000


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Audio:
    """A sound in memory; never changed in place."""

    samples: NDArray[np.float32]
    """Shape (channels, samples), full scale at 1.0; read-only."""
    sample_rate: int
    """Samples a second."""

    def __init__(self, samples: ArrayLike, sample_rate: int) -> None:
        """Takes a copy of the samples.

        Args:
            samples: shape (channels, samples), or (samples,) for one channel; any numbers, kept as float32.
            sample_rate: in Hz.

        Raises:
            AudioError: if the shape or the rate is not that of a sound.
        """
        self._keep(np.array(samples, dtype=np.float32, ndmin=2), sample_rate)

    @classmethod
    def holding(cls, samples: NDArray[np.float32], sample_rate: int) -> Audio:
        """A sound that takes the array itself, for whoever made it and lets go of it: no copy, read-only from then on.

        Args:
            samples: shape (channels, samples), its own memory or that of a read-only array.
            sample_rate: in Hz.

        Raises:
            AudioError: if the shape or the rate is not that of a sound.
        """
        sound = cls.__new__(cls)
        sound._keep(samples, sample_rate)
        return sound

    def _keep(self, kept: NDArray[np.float32], sample_rate: int) -> None:
        if kept.ndim != 2 or kept.shape[0] == 0 or sample_rate <= 0:
            raise AudioError(
                f"audio of shape {kept.shape} at {sample_rate} Hz is not a sound; give (channels, samples)"
            )
        kept.flags.writeable = False
        object.__setattr__(self, "samples", kept)
        object.__setattr__(self, "sample_rate", sample_rate)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples.shape[1] / self.sample_rate

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.samples.shape[0]

    @property
    def mono(self) -> NDArray[np.float32]:
        """Mean of the channels, shape (samples,); channels of opposite sign cancel, see `to_mono`."""
        return self.samples[0] if self.samples.shape[0] == 1 else self.samples.mean(axis=0, dtype=np.float32)

    @property
    def peak(self) -> float:
        """Largest absolute sample, 0 for an empty sound."""
        return float(np.max(np.abs(self.samples), initial=0.0))

    def to_mono(self) -> Audio:
        """One channel: the mean, or the loudest channel where the mean would cancel by more than 20 dB."""
        if self.channels == 1:
            return self
        mean = self.mono
        energies = np.sum(np.square(self.samples, dtype=np.float64), axis=1)
        if np.sum(np.square(mean, dtype=np.float64)) < 0.01 * float(energies.mean()):
            return Audio(self.samples[int(energies.argmax())], self.sample_rate)
        return Audio(mean, self.sample_rate)

    def resample(self, sample_rate: int) -> Audio:
        """The same sound at another rate (soxr, high quality, linear phase); itself when the rate is already that.

        Args:
            sample_rate: wanted samples a second, 1000 to 1536000.

        Raises:
            AudioError: one of the two rates is out of range.
        """
        if sample_rate == self.sample_rate:
            return self
        for rate in (self.sample_rate, sample_rate):
            if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
                raise AudioError(
                    f"a sample rate of {rate} Hz is out of range; use {_LOWEST_RATE} to {_HIGHEST_RATE} Hz"
                )
        wanted = max(1, round(self.samples.shape[1] * sample_rate / self.sample_rate))
        if self.samples.shape[1] == 0:
            return Audio(self.samples, sample_rate)
        import soxr

        turned: NDArray[np.float32] = np.asarray(soxr.resample(self.samples.T, self.sample_rate, sample_rate, "HQ")).T
        return Audio(turned[:, :wanted], sample_rate).pad_to(wanted)

    def transposed(self, semitones: float) -> Audio:
        """The same sound faster (or slower) by that much, at the same rate: what a sampler plays at another key.

        Raises:
            AudioError: it is too far for the resampler.
        """
        # Told a higher rate than it has, the resampler plays it faster; the ratio is exact to a thousandth of a cent.
        told = round(self.sample_rate * 2.0 ** (semitones / 12.0))
        return Audio(self.samples, told).resample(self.sample_rate)

    def pad_to(self, count: int) -> Audio:
        """At least `count` samples: silence is added at the end, nothing is cut."""
        missing = count - self.samples.shape[1]
        return self if missing <= 0 else Audio(np.pad(self.samples, ((0, 0), (0, missing))), self.sample_rate)

    def cut(self, start: float = 0.0, stop: float = math.inf) -> Audio:
        """The part from `start` to `stop`, in seconds; what lies outside the sound is left out."""
        first = max(0, round(start * self.sample_rate))
        last = self.samples.shape[1] if math.isinf(stop) else max(first, round(stop * self.sample_rate))
        return Audio(self.samples[:, first:last], self.sample_rate)

    def trim(self, *, head: bool = True, tail: bool = True, rest: float = 0.0) -> Audio:
        """Without the quiet before and after it; itself where there is too little of it to matter.

        Conservative on purpose, so that a copy stays aligned with its original: a lead of less than 20 ms and a tail
        of less than 100 ms are left alone, 5 ms before the onset and 50 ms after the end stay.

        Args:
            head: take the lead away.
            tail: take the end away.
            rest: seconds of what follows the end that stay, as far as there are any.
        """
        first, last = sounding_range(self.samples, self.sample_rate)
        end = self.samples.shape[1]
        first, last = (first if head else 0), (min(end, last + round(rest * self.sample_rate)) if tail else end)
        if (first, last) == (0, end):
            return self
        return Audio(self.samples[:, first:last], self.sample_rate)

    def gain(self, db: float) -> Audio:
        """The same sound louder or softer by `db` decibels."""
        return Audio(self.samples * np.float32(10.0 ** (db / 20.0)), self.sample_rate)

    def at_peak(self, peak: float = 0.9) -> Audio:
        """A copy whose largest sample is `peak`; a silent sound as it is."""
        own = self.peak
        return self if own <= 0.0 else Audio(self.samples * np.float32(peak / own), self.sample_rate)
