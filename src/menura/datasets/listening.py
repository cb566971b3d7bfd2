"""What is kept of each render of a corpus: levels, embeddings, sound. Applied where the sound is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio, encode_audio
from menura.audio.edges import sounding_range
from menura.datasets.truths import SILENT_PEAK
from menura.errors import WorkError
from menura.features.embedders import embedder_of


@dataclass(frozen=True, slots=True, eq=False)
class Sounding:
    """One render as a corpus keeps it."""

    peak: float
    """Largest absolute sample."""
    rms_dbfs: float
    """Root mean square over all samples and channels, dB of full scale."""
    duration: float
    """Seconds from the first to the last that is to be heard."""
    embeddings: tuple[NDArray[np.float16], ...] = ()
    """One a listener's embedder, shape (dim,)."""
    flac: bytes = b""
    flac_gain: float = 1.0
    """Factor of the samples of `flac`: a power of two, above 1 where the sound exceeds full scale."""

    @property
    def silent(self) -> bool:
        """True where there is nothing to hear."""
        return self.peak < SILENT_PEAK


@dataclass(frozen=True, slots=True)
class Listener:
    """A measure for the render pool."""

    embedders: tuple[str, ...]
    audio: bool = False

    def __call__(self, sound: Audio) -> Sounding:
        """What is kept of a sound; of a silent one only its peak.

        Raises:
            WorkError: an embedding does not fit into float16.
            UnknownNameError: no such embedder.
        """
        peak = sound.peak
        if peak < SILENT_PEAK:
            return Sounding(peak, -math.inf, 0.0)
        # Many patches are mono on two channels; half the work then gives the same numbers.
        alike = len(sound.samples) == 2 and np.array_equal(*sound.samples)
        heard = Audio(sound.samples[:1], sound.sample_rate) if alike else sound
        # No loudness after BS.1770: its filters cost more than all the rest, and their package makes forks slower.
        rms = math.sqrt(float(np.square(heard.samples).mean(dtype=np.float64)))
        first, last = sounding_range(heard.samples, sound.sample_rate)
        gain = 2.0 ** max(math.ceil(math.log2(peak)), 0) if self.audio else 1.0
        flac = encode_audio(Audio(sound.samples / np.float32(gain), sound.sample_rate), ".flac") if self.audio else b""
        return Sounding(
            peak,
            20.0 * math.log10(rms),
            (last - first) / sound.sample_rate,
            tuple(_embedded(name, heard) for name in self.embedders),
            flac,
            gain,
        )


_embedder = cache(embedder_of)


def _embedded(name: str, sound: Audio) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        found = _embedder(name).embed([sound])[0].astype(np.float16)
    if not np.isfinite(found).all():
        raise WorkError(f"embedder {name} gave a number beyond float16 (65504); scale it, or leave it out")
    return found
