"""What a library hears of a sound: the same for the patches it is built from and for what it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import AudioError
from menura.features.embedders import embedder_of
from menura.features.spectra import rms_envelope
from menura.note import Note

SAMPLE_RATE = 44_100
HOLD, TOTAL = 1.0, 1.5
"""Seconds for which a patch is held, and those that are heard."""
LEVEL = 0.1
"""Root mean square of the loudest 50 ms that every sound is brought to: a patch's volume is no part of its timbre."""
SILENT = 1e-3
"""Root mean square of the loudest 50 ms below which a patch is silent."""

Heard = tuple[NDArray[np.float16], NDArray[np.float16]]
"""The fast and the perceptual embedding, one vector each."""


@dataclass(frozen=True, slots=True)
class Ear:
    """A fast and a perceptual embedder, by name: small enough to be sent to a worker."""

    fast: str
    close: str

    def __call__(self, sound: Audio) -> Heard | None:
        """What is heard of a patch's sound; None where it is silent."""
        try:
            return self.hear(sound)
        except AudioError:
            return None

    def hear(self, sound: Audio) -> Heard:
        """What is heard of a sound. Raises AudioError where it is silent."""
        ready = prepared(sound)
        fast, close = (_embedder(spec).embed([ready])[0].astype(np.float16) for spec in (self.fast, self.close))
        return fast, close

    def fingerprints(self) -> tuple[str, str]:
        """Of both embedders: what was embedded by others cannot be compared."""
        return _embedder(self.fast).fingerprint, _embedder(self.close).fingerprint


def prepared(sound: Audio) -> Audio:
    """Mono from its onset, at `SAMPLE_RATE`, `TOTAL` long at most, at one level.

    Raises:
        AudioError: it is silent.
    """
    heard = sound.to_mono().resample(SAMPLE_RATE)
    if loudest(heard) < SILENT:
        raise AudioError("the sound is silent; give one that can be heard")
    heard = heard.trim(tail=False).cut(stop=TOTAL)
    return Audio(heard.samples * np.float32(LEVEL / loudest(heard)), SAMPLE_RATE)


def loudest(sound: Audio) -> float:
    """Root mean square of the loudest 50 ms."""
    return float(rms_envelope(sound.mono, SAMPLE_RATE // 20, SAMPLE_RATE // 80).max())


def note_of(pitch: float) -> Note:
    """The note at which a patch is heard."""
    return Note(pitch=pitch, hold=HOLD, total=TOTAL)


_embedder = cache(embedder_of)
"""Loaded once in each process."""
