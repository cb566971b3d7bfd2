"""The `Audio` value and its files: read, write, trim, resample, loudness. Knows no synth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.errors import AudioError


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """A sound in memory; never changed in place.

    Raises:
        AudioError: if the shape or the rate is not that of a sound.
    """

    samples: NDArray[np.float32]
    """Shape (channels, samples), full scale at 1.0; read-only."""
    sample_rate: int
    """Samples a second."""

    def __post_init__(self) -> None:
        samples = np.array(self.samples, dtype=np.float32, ndmin=2)
        if samples.ndim != 2 or self.sample_rate <= 0:
            raise AudioError(f"audio of shape {samples.shape} at {self.sample_rate} Hz is not (channels, samples)")
        samples.flags.writeable = False
        object.__setattr__(self, "samples", samples)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples.shape[1] / self.sample_rate

    @property
    def mono(self) -> NDArray[np.float32]:
        """Mean of the channels, shape (samples,)."""
        return self.samples[0] if self.samples.shape[0] == 1 else self.samples.mean(axis=0, dtype=np.float32)
