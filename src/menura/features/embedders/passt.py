"""PaSST-S: an AudioSet transformer with separate positions in time and frequency, from its released weights.

A port of its evaluation path in plain torch, since its package needs torchaudio. The sound's embedding is the mean of
the two class tokens, 768 numbers, at most ten seconds of sound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from menura.errors import WorkError
from menura.features.embedders.base import FrameEmbedder
from menura.features.embedders.pretrained import torch_library
from menura.features.embedders.weights import Weights
from menura.features.spectra import Matrix, frame

_FILE = "passt-s-f128-p16-s10-ap.476-swa.pt"
WEIGHTS = Weights(
    "passt",
    "https://github.com/kkoutini/PaSST/releases/download/v0.0.1-audioset",
    {_FILE: "302903fa8c4aee817b11dc982da0b29aaf8d11a3e722420476d0a12c9db70c2c"},
    345,
    "Apache-2.0",
)

SAMPLE_RATE = 32_000
N_FFT, WINDOW, HOP, N_MELS = 1024, 800, 320, 128
LOWEST_HZ, HIGHEST_HZ = 0.0, 15_000.0
_STRIDE = 10
_HEAD = 64
_SHORTEST = SAMPLE_RATE // 5
"""A patch is 16 frames, 0.16 s."""

Tensors = Mapping[str, Any]


def passt(folder: Path | None = None, fetch: bool = True) -> FrameEmbedder:
    """The mean of the class and the distillation token, without the class probabilities.

    Source: Koutini et al., "Efficient training of audio transformers with patchout", Interspeech 2022.
    """
    torch = torch_library()
    place = WEIGHTS.locate(folder, fetch=fetch)
    path = place / _FILE
    # What a broken file raises depends on where it is broken.
    try:
        tensors = {name: value.float() for name, value in torch.load(path, weights_only=True).items()}
        width = int(tensors["cls_token"].shape[-1])
        network = _Network(tensors)
        network(np.zeros(_SHORTEST, dtype=np.float32))
    except Exception as error:
        raise WorkError(f"{path} is not a file of PaSST's weights ({error}); delete it and fetch it again") from error
    identity = {"version": 1, "weights": WEIGHTS.hashes(place)}
    return FrameEmbedder(
        "passt", network, width, SAMPLE_RATE, WEIGHTS.licence, identity, shortest=_SHORTEST, framewise=False
    )


def spectrogram(signal: NDArray[np.float32]) -> Matrix:
    """Logarithm of the power in 128 of Kaldi's mel bands, scaled as the network was trained, shape (bands, frames)."""
    emphasised = np.asarray(signal[1:] - np.float32(0.97) * signal[:-1], dtype=np.float32)
    window = np.pad(np.hanning(WINDOW), (N_FFT - WINDOW) // 2).astype(np.float32)
    frames = frame(np.pad(emphasised, N_FFT // 2, mode="reflect"), N_FFT, HOP, centred=False)
    spectrum = fft.rfft(frames * window, axis=1)
    bands = (spectrum.real**2 + spectrum.imag**2) @ kaldi_filters(SAMPLE_RATE, N_FFT, N_MELS, LOWEST_HZ, HIGHEST_HZ)
    return np.asarray((np.log(bands + 1e-5) + 4.5) / 5.0, dtype=np.float32).T


def kaldi_filters(sample_rate: int, n_fft: int, n_mels: int, lowest_hz: float, highest_hz: float) -> Matrix:
    """Triangles of height 1, straight over mel = 1127 ln(1 + Hz / 700), shape (n_fft // 2 + 1, n_mels).

    Kaldi leaves out the bin at half the rate.
    """
    low, high = (1127.0 * np.log1p(edge / 700.0) for edge in (lowest_hz, highest_hz))
    mels = 1127.0 * np.log1p(fft.rfftfreq(n_fft, 1.0 / sample_rate) / 700.0)
    places = (mels - low) / ((high - low) / (n_mels + 1))
    bank = np.maximum(0.0, 1.0 - np.abs(places[:, None] - np.arange(1.0, n_mels + 1.0)))
    bank[-1] = 0.0
    return bank.astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Network:
    tensors: Tensors

    def __call__(self, signal: NDArray[np.float32]) -> Sequence[Matrix]:
        torch = torch_library()
        held = self.tensors
        times, bands = held["time_new_pos_embed"], held["freq_new_pos_embed"]
        # As many frames as there are positions in time: ten seconds.
        patch = held["patch_embed.proj.weight"].shape[-1]
        picture = spectrogram(signal)[:, : (times.shape[-1] - 1) * _STRIDE + patch]
        with torch.inference_mode():
            patches = torch.nn.functional.conv2d(
                torch.from_numpy(picture.copy())[None, None],
                held["patch_embed.proj.weight"], held["patch_embed.proj.bias"], stride=_STRIDE,
            )  # fmt: skip
            placed = patches + times[..., : patches.shape[-1]] + bands
            classes = torch.cat([held["cls_token"], held["dist_token"]], dim=1) + held["new_pos_embed"]
            tokens = torch.cat([classes, placed.flatten(2).transpose(1, 2)], dim=1)
            depth = 0
            while f"blocks.{depth}.norm1.weight" in held:
                tokens = block(tokens, held, f"blocks.{depth}.")
                depth += 1
            tokens = _normalised(tokens[:, :2], held, "norm.")
            return [tokens.mean(dim=1).numpy()]


def block(tokens: Any, held: Tensors, prefix: str) -> Any:
    """One pre-normalised transformer block: attention in heads of 64, then two dense layers, each beside the stream.

    Args:
        tokens: shape (1, n, width).
        held: the weights by name.
        prefix: of the names of this block.
    """
    functional = torch_library().nn.functional

    def dense(values: Any, name: str) -> Any:
        return functional.linear(values, held[f"{prefix}{name}.weight"], held[f"{prefix}{name}.bias"])

    _, count, width = tokens.shape
    joined = dense(_normalised(tokens, held, f"{prefix}norm1."), "attn.qkv")
    query, key, value = joined.reshape(1, count, 3, width // _HEAD, _HEAD).permute(2, 0, 3, 1, 4)
    heard = functional.scaled_dot_product_attention(query, key, value)
    tokens = tokens + dense(heard.transpose(1, 2).reshape(1, count, width), "attn.proj")
    inner = functional.gelu(dense(_normalised(tokens, held, f"{prefix}norm2."), "mlp.fc1"))
    return tokens + dense(inner, "mlp.fc2")


def _normalised(tokens: Any, held: Tensors, prefix: str) -> Any:
    functional = torch_library().nn.functional
    return functional.layer_norm(tokens, tokens.shape[-1:], held[f"{prefix}weight"], held[f"{prefix}bias"], eps=1e-6)
