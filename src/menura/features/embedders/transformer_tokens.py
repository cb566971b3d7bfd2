"""Transformers that give a token for each moment of a sound: AST and wav2vec 2.0."""

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

AST = hub(
    "ast",
    "MIT/ast-finetuned-audioset-10-10-0.4593",
    "f826b80d28226b62986cc218e5cec390b1096902",
    {"config.json": None, "preprocessor_config.json": None, "model.safetensors": None},
    346,
    "BSD-3-Clause",
)
WAV2VEC2 = hub(
    "wav2vec2",
    "facebook/wav2vec2-base",
    "0b5b8e868dd84f03fd87d01f9c4ff0f080fecfe8",
    {
        "config.json": "4937977e24d12d1bba70cdce8709c3c04807a8e4ae8ddac4229c48c436ae99ae",
        "preprocessor_config.json": "b225d617c025463b9e157e06afea8b90dc7078fc70b013c533328423e0486b4a",
        "pytorch_model.bin": "3249fe98bfc62fcbc26067f724716a6ec49d12c4728a2af1df659013905dff21",
    },
    380,
    "Apache-2.0",
)

_FBANK_WINDOW, _FBANK_HOP = 400, 160
"""Samples, at 16 kHz, of AST's mel bands."""


def ast(folder: Path | None = None, fetch: bool = True) -> FrameEmbedder:
    """Last hidden states of the patches, mean over frequency, one frame for each patch in time.

    Of a sound shorter than 10.24 s only the patches that it fills are taken; of a longer one the first 10.24 s.

    Source: Gong et al., "AST: Audio Spectrogram Transformer", Interspeech 2021.
    """
    network = open_pretrained(AST, "ASTModel", "ASTFeatureExtractor", folder, fetch)
    width = int(network.model.config.hidden_size)
    # One frame of mel bands at least, or there is nothing to take a spectrum of.
    return FrameEmbedder(
        "ast", _Patches(network), width, network.sample_rate, AST.licence, network.identity, shortest=_FBANK_WINDOW
    )


def wav2vec2(folder: Path | None = None, fetch: bool = True) -> FrameEmbedder:
    """Last hidden states, 50 frames a second. A model of speech: here to be compared with.

    Source: Baevski et al., "wav2vec 2.0: a framework for self-supervised learning of speech representations", 2020.
    """
    network = open_pretrained(WAV2VEC2, "Wav2Vec2Model", "Wav2Vec2FeatureExtractor", folder, fetch)
    config = network.model.config
    # The shortest sound of which the convolutions leave one frame.
    shortest = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        shortest = (shortest - 1) * stride + kernel
    return FrameEmbedder(
        "wav2vec2",
        _Hidden(network),
        int(config.hidden_size),
        network.sample_rate,
        WAV2VEC2.licence,
        network.identity,
        shortest=int(shortest),
    )


@dataclass(frozen=True, slots=True)
class _Patches:
    network: Pretrained

    def __call__(self, signal: NDArray[np.float32]) -> Sequence[Matrix]:
        config = self.network.model.config
        answer = self.network.run(self.network.model, **self.network.prepare(signal))
        # Behind the two class tokens the patches lie frequency by frequency.
        bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
        patches = answer.last_hidden_state[0, 2:].numpy()
        frames = patches.reshape(bands, -1, patches.shape[1]).mean(axis=0)
        filled = 1 + (signal.size - _FBANK_WINDOW) // _FBANK_HOP
        count = max(1, 1 + (filled - config.patch_size) // config.time_stride)
        return [frames[:count]]


@dataclass(frozen=True, slots=True)
class _Hidden:
    network: Pretrained

    def __call__(self, signal: NDArray[np.float32]) -> Sequence[Matrix]:
        return [self.network.run(self.network.model, **self.network.prepare(signal)).last_hidden_state[0].numpy()]
