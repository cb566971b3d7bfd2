"""Neural audio codecs, as far as their latents: EnCodec and DAC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from menura.features.embedders.base import FrameEmbedder
from menura.features.embedders.pretrained import Pretrained, open_pretrained
from menura.features.embedders.weights import hub
from menura.features.spectra import Matrix

ENCODEC = hub(
    "encodec",
    "facebook/encodec_24khz",
    "c1dbe2ae3f1de713481a3b3e7c47f357092ee040",
    {
        "config.json": None,
        "preprocessor_config.json": None,
        "model.safetensors": "37a7cb100f71a29e6c1d815aca8666a1d7ea8885ebe44c306c751a5103559d57",
    },
    93,
    "CC-BY-NC-4.0 (code: MIT)",
)
# No commit of this repository was known to us when it was added; the checksums of the first download are kept.
DAC = hub(
    "dac",
    "descript/dac_44khz",
    "main",
    {
        "config.json": "4eb55fb9af1990b8d608184ad29b70e358589719af7ea8d3c06998f7c2264a64",
        "preprocessor_config.json": None,
        "model.safetensors": None,
    },
    307,
    "MIT",
)


def encodec(folder: Path | None = None, fetch: bool = True) -> FrameEmbedder:
    """What the encoder gives before it is quantised: 128 numbers, 75 times a second, at 24 kHz.

    Source: Défossez et al., "High fidelity neural audio compression", 2022.
    """
    network = open_pretrained(ENCODEC, "EncodecModel", "EncodecFeatureExtractor", folder, fetch)
    width = int(network.model.config.hidden_size)
    return _embedder("encodec", network, _EncodecLatents(network), width, ENCODEC.licence)


def dac(folder: Path | None = None, fetch: bool = True) -> FrameEmbedder:
    """The projected latents of all codebooks before they are quantised, one after the other: 72 numbers a frame.

    Source: Kumar et al., "High-fidelity audio compression with improved RVQGAN", 2023; which latents: Combes et al.
    2025, appendix A.1.
    """
    network = open_pretrained(DAC, "DacModel", "DacFeatureExtractor", folder, fetch)
    config = network.model.config
    width = int(config.n_codebooks * config.codebook_dim)
    return _embedder("dac", network, _DacLatents(network), width, DAC.licence)


def _embedder(
    name: str, network: Pretrained, frames: _EncodecLatents | _DacLatents, width: int, licence: str
) -> FrameEmbedder:
    return FrameEmbedder(
        name, frames, width, network.sample_rate, licence, network.identity, shortest=network.sample_rate // 10
    )


@dataclass(frozen=True, slots=True)
class _EncodecLatents:
    network: Pretrained

    def __call__(self, signal: NDArray[np.float32]) -> Sequence[Matrix]:
        values = self.network.prepare(signal)["input_values"]
        return [self.network.run(self.network.model.encoder, values)[0].numpy().T]


@dataclass(frozen=True, slots=True)
class _DacLatents:
    network: Pretrained

    def __call__(self, signal: NDArray[np.float32]) -> Sequence[Matrix]:
        values = self.network.prepare(signal)["input_values"]
        return [self.network.run(self.network.model.encode, values).projected_latents[0].numpy().T]
