"""Embedders of a corpus by name: sounds to vectors. Knows no preset."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.features.spectra import log_mel
from menura.registry import Registry


class Embedder(Protocol):
    """Turns sounds into vectors."""

    name: str
    dim: int
    fingerprint: str
    """Of weights and parameters; stored with the vectors."""
    sample_rate: int

    def embed(self, sounds: Sequence[Audio]) -> NDArray[np.float32]:
        """One row a sound, shape (n, dim)."""
        ...


EMBEDDERS: Registry[type[Embedder]] = Registry(
    "embedder", "menura.embedders", {"mel128": "menura.datasets.embedding:MelBands"}
)


@cache
def embedder_of(name: str) -> Embedder:
    """The embedder of a name, the same object each time. Raises UnknownNameError, EngineError."""
    return EMBEDDERS.get(name)()


class MelBands:
    """Mean level of 128 mel bands over time, in dB."""

    name = "mel128"
    dim = 128
    fingerprint = "mel128-mean-2048-512-44100"
    sample_rate = 44_100

    def embed(self, sounds: Sequence[Audio]) -> NDArray[np.float32]:
        """One row a sound, shape (n, 128)."""
        signals = (sound.resample(self.sample_rate).to_mono().samples[0] for sound in sounds)
        return np.stack([log_mel(signal, self.sample_rate, 2048, 512, self.dim).mean(axis=0) for signal in signals])
