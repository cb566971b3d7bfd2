"""`timbre`, our own embedder: a small network over `menura.features.semitones`, its weights in the package.

Owns how the network is run. How it was trained says its card, ``timbre.json``; what trains it is
``recipes/timbre_embedding.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura import storage
from menura.errors import InputError, WorkError
from menura.features.embedders.base import FrameEmbedder
from menura.features.onnx_session import onnx_session
from menura.features.semitones import BANDS, SAMPLE_RATE, semitone_picture
from menura.features.spectra import Matrix

WEIGHTS, CARD = "timbre.onnx", "timbre.json"
INPUT, OUTPUT = "pictures", "vectors"
"""Of the network: (batch, frames, BANDS) in dB -> (batch, dim), unit rows."""
_AT_ONCE = 256
_VERSION = 2


@dataclass(frozen=True, slots=True)
class PictureNetwork:
    """An ONNX network from pictures to vectors."""

    session: Any

    @classmethod
    def load(cls, path: Path) -> PictureNetwork:
        """The network in a file, on one thread: whoever has many sounds runs many processes.

        Raises:
            InputError: it is missing, or no such network.
            EngineError: ONNX Runtime is not installed.
        """
        session = onnx_session(path)
        names = [each.name for each in session.get_inputs()], [each.name for each in session.get_outputs()]
        if names != ([INPUT], [OUTPUT]):
            raise InputError(f"{path} goes from {names[0]} to {names[1]}, not from {INPUT} to {OUTPUT}; export it anew")
        return cls(session)

    def __call__(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors of pictures of one length, shape (n, dim).

        Args:
            pictures: dB, shape (n, frames, BANDS).

        Raises:
            WorkError: the network refuses them.
        """
        starts = range(0, len(pictures), _AT_ONCE)
        try:
            found = [self.session.run([OUTPUT], {INPUT: pictures[start : start + _AT_ONCE]})[0] for start in starts]
        except Exception as error:
            raise WorkError(f"the network refuses pictures of shape {pictures.shape}: {error}") from error
        return np.concatenate(found) if found else np.zeros((0, self.dim), dtype=np.float32)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.session.get_outputs()[0].shape[1])

    def of_sound(self, signal: NDArray[np.float32]) -> Sequence[Matrix]:
        """The vector of one mono sound at `SAMPLE_RATE`, shape (1, dim), in a list.

        When it begins is heard too: an echo without its sound is another sound. Whoever compares recordings trims them
        first, as `menura.library.listening.prepared` does.
        """
        return [self(semitone_picture(signal, trim=False)[None])]


def timbre(folder: Path | None = None, _fetch: bool = True) -> FrameEmbedder:
    """Trained so that notes of one patch lie together and those of another apart; ignores gain.

    Args:
        folder: with other weights and their card; None takes the package's own.

    Raises:
        InputError: as `timbre_network`.
        EngineError: ONNX Runtime is not installed.
    """
    network, sha256, licence = timbre_network(folder)
    identity = {"version": _VERSION, "weights": sha256, "bands": BANDS}
    return FrameEmbedder("timbre", network.of_sound, network.dim, SAMPLE_RATE, licence, identity, framewise=False)


def timbre_network(folder: Path | None = None) -> tuple[PictureNetwork, str, str]:
    """The network, the hash of its weights and their licence: for whoever has pictures already.

    Raises:
        InputError: the weights are missing, or not those that the card tells of.
        EngineError: ONNX Runtime is not installed.
    """
    place = folder or Path(__file__).parent
    weights, card = place / WEIGHTS, place / CARD
    try:
        told = json.loads(card.read_text(encoding="utf-8"))
        expected, licence = str(told["sha256"]), str(told["licence"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"the weights are not here: {card} is missing or no card ({error}); make both: recipes/timbre_embedding.py"
        ) from error
    found = storage.hash_file(weights) if weights.is_file() else "nothing"
    if found != expected:
        raise InputError(f"{weights} is {found[:12]}, its card tells of {expected[:12]}; export both again")
    return PictureNetwork.load(weights), found, licence
