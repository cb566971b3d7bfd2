"""CLAP with its text side: sounds and texts in one space. Owns the meeting of both; the audio side is `clap`'s."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import InputError
from menura.features.embedders.base import FrameEmbedder
from menura.features.embedders.clap import WEIGHTS, clap
from menura.features.embedders.pretrained import Pretrained, open_pretrained

TEXT_WEIGHTS = replace(WEIGHTS, files={**WEIGHTS.files, "vocab.json": None, "merges.txt": None})
"""The audio side's files, which hold the text side too, and the tokenizer's."""


@dataclass(frozen=True, slots=True)
class Clap:
    """Both sides of one network."""

    audio: FrameEmbedder
    network: Pretrained
    """The text side, its tokenizer in the extractor's place."""

    @property
    def fingerprint(self) -> str:
        """Of the weights."""
        return self.audio.fingerprint

    def sounds(self, sounds: Sequence[Audio]) -> NDArray[np.float32]:
        """Unit vectors of sounds, shape (n, dim). Raises as `Embedder.embed`."""
        return self.audio.embed(sounds)

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of texts, shape (n, dim).

        Raises:
            InputError: a text is empty.
        """
        if not all(text.strip() for text in texts):
            raise InputError("a text is empty; say what it should sound like")
        rows = [self._vector(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self.audio.dim), dtype=np.float32)

    def _vector(self, text: str) -> NDArray[np.float32]:
        # One at a time: filled up to the longest, a text's vector would depend on its neighbours in the last bits.
        tokens: Any = self.network.extractor(text, return_tensors="pt", truncation=True, max_length=_LONGEST)
        answer = self.network.run(self.network.model, **tokens)
        vector = answer.text_embeds[0].numpy()
        return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)


_LONGEST = 77
"""Tokens of a text that are read, as in training."""


def clap_is_here() -> bool:
    """True where CLAP can answer without a download: its weights, its tokenizer and the libraries that run it."""
    return TEXT_WEIGHTS.present() and all(importlib.util.find_spec(name) for name in ("torch", "transformers"))


def open_clap(folder: Path | None = None, fetch: bool = True) -> Clap:
    """Both sides of CLAP.

    Args:
        folder: with the files; None looks where `Weights.locate` does.
        fetch: whether missing files may be downloaded.

    Raises:
        EngineError: torch or transformers is not installed.
        InputError: the named folder lacks a file.
        WorkError: the weights are not here, or are those of another network.

    Source: Wu et al., ICASSP 2023, as in `clap`.
    """
    network = open_pretrained(TEXT_WEIGHTS, "ClapTextModelWithProjection", "RobertaTokenizer", folder, fetch)
    return Clap(clap(folder, fetch), network)
