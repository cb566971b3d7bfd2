"""The `Embedder` protocol, and `FrameEmbedder`, which is all of ours. Knows no particular model and no weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import AudioError, InputError, WorkError
from menura.features.spectra import Matrix

Reduction = Literal["mean", "flat"]
"""What becomes of the time axis: the mean over frames, or all frames one after the other."""


@runtime_checkable
class Embedder(Protocol):
    """Turns sounds into vectors.

    What every embedder promises, each a test in tests/contracts:

    - `embed` answers with finite float32 of shape (n, dim), a row for each sound, in order.
    - A row depends on its own sound alone, and is the same in every run of the same fingerprint.
    """

    @property
    def name(self) -> str:
        """As `embedder_of` takes it."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector; 0 where it follows from the length of the sound (the reduction flat)."""
        ...

    @property
    def fingerprint(self) -> str:
        """sha256 of the weights and of every parameter, as hex: vectors of two fingerprints are not compared."""
        ...

    @property
    def sample_rate(self) -> int:
        """Hz at which it listens; sounds of other rates are resampled."""
        ...

    @property
    def licence(self) -> str:
        """Of the weights; NumPy baselines have menura's own."""
        ...

    def embed(self, sounds: Sequence[Audio]) -> NDArray[np.float32]:
        """The vectors of some sounds, shape (n, dim).

        Raises:
            AudioError: a sound is empty or not finite, or flat vectors were asked of sounds of different length.
            WorkError: the model gave no finite numbers.
        """
        ...


@dataclass(frozen=True)
class FrameEmbedder:
    """An embedder made of a function from one signal to its frames, and a reduction of time."""

    model: str
    """Name without the reduction."""
    frames: Callable[[NDArray[np.float32]], Sequence[Matrix]]
    """(samples,), or (channels, samples) where `channels` is 2, at `sample_rate` -> matrices of shape (frames, width),
    one for each resolution."""
    width: int
    """Numbers in a frame, all resolutions together."""
    sample_rate: int
    """Hz."""
    licence: str
    identity: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """All that the vectors depend on besides: weights by hash, parameters. JSON values."""
    channels: int = 1
    """1: the mean of the channels is heard; 2: a mono sound is heard on both."""
    shortest: int = 1
    """Samples; a shorter sound is filled with silence at its end."""
    framewise: bool = True
    """False where there is one frame for the whole sound, so that both reductions would be the same."""
    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        if self.reduction == "flat" and not self.framewise:
            raise InputError(f"{self.model} gives one vector for a sound; leave /flat away")

    @property
    def name(self) -> str:
        """As `embedder_of` takes it."""
        return self.model if self.reduction == "mean" else f"{self.model}/{self.reduction}"

    @property
    def dim(self) -> int:
        """Length of a vector; 0 where it follows from the length of the sound."""
        return self.width if self.reduction == "mean" else 0

    @property
    def fingerprint(self) -> str:
        """sha256 of all that the vectors depend on, as hex."""
        state = {
            "model": self.model,
            "reduction": self.reduction,
            "width": self.width,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "shortest": self.shortest,
            **self.identity,
        }
        return hashlib.sha256(json.dumps(state, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def reduced(self, reduction: Reduction) -> FrameEmbedder:
        """The same model, its weights shared, with another reduction of time.

        Raises:
            InputError: it has no frames to line up.
        """
        return replace(self, reduction=reduction)

    def embed(self, sounds: Sequence[Audio]) -> NDArray[np.float32]:
        """The vectors of some sounds, shape (n, dim); one sound after the other.

        Raises:
            AudioError: a sound is empty or not finite, or flat vectors were asked of sounds of different length.
            WorkError: the model gave no finite numbers.
        """
        rows = [self._vector(sound) for sound in sounds]
        if not rows:
            return np.zeros((0, self.dim), dtype=np.float32)
        if len({row.size for row in rows}) > 1:
            raise AudioError(f"{self.name} lines frames up; give sounds of one length, or take {self.model}/mean")
        return np.stack(rows)

    def _vector(self, sound: Audio) -> NDArray[np.float32]:
        parts = self.frames(self._signal(sound))
        reduced = [part.mean(axis=0, dtype=np.float64) if self.reduction == "mean" else part.ravel() for part in parts]
        vector = np.concatenate(reduced).astype(np.float32)
        if not np.isfinite(vector).all():
            raise WorkError(f"{self.name} gave numbers that are not finite for a sound of {sound.seconds:.2f} s")
        return vector

    def _signal(self, sound: Audio) -> NDArray[np.float32]:
        if sound.samples.size == 0 or not np.isfinite(sound.samples).all():
            raise AudioError("a sound is empty, or holds NaN or infinite samples; repair or render it anew")
        samples = sound.mono if self.channels == 1 else np.broadcast_to(sound.samples[:2], (2, sound.samples.shape[1]))
        heard = Audio(samples, sound.sample_rate).resample(self.sample_rate).pad_to(self.shortest).samples
        return heard[0] if self.channels == 1 else heard
