"""OpenL3's audio network (music, 256 mel bands), from the released Keras weights. Knows no video.

A port of the graph, since its package no longer installs: one second of sound -> mel bands -> eight convolutions ->
512 maps, of which the maximum is taken in tiles. The weights are read from the file as it was released.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.errors import EngineError, WorkError
from menura.features.embedders.base import FrameEmbedder
from menura.features.embedders.pretrained import torch_library
from menura.features.embedders.weights import Weights
from menura.features.spectra import Matrix, frame, hann, mel_bands, power_to_db

_FILE = "openl3_audio_mel256_music-v0_4_0.h5.gz"
WEIGHTS = Weights(
    "openl3-mel256-music",
    "https://github.com/marl/openl3/raw/models",
    {_FILE: "e379f41e880b78e157c199ebddac80d3764e6a46282bcccdbe875bcf538f9afd"},
    18,
    "CC-BY-4.0",
)

SAMPLE_RATE = 48_000
WINDOW, HOP, N_MELS, N_FRAMES = 2048, 242, 256, 199
"""Of the mel bands of one second."""
_TILES = {512: (32, 24), 6144: (8, 8)}
"""Embedding size to the tile, in bands and frames of the last map, that one maximum is taken of."""
_NORM, _CONVOLUTION = ("gamma", "beta", "moving_mean", "moving_variance"), ("kernel", "bias")
_LAYERS = (_NORM, *(_CONVOLUTION, _NORM) * 7, _CONVOLUTION)
_POOLED = (2, 4, 6)
"""Convolutions that are followed by a halving of the map."""
_EPSILON = 1e-3

Layer = tuple[NDArray[np.float32], ...]


def mel256_512(folder: Path | None = None, fetch: bool = True) -> FrameEmbedder:
    """512 numbers for each second.

    Source: Cramer et al., "Look, listen, and learn more: design choices for deep audio embeddings", ICASSP 2019.
    """
    return _openl3(512, folder, fetch)


def mel256_6144(folder: Path | None = None, fetch: bool = True) -> FrameEmbedder:
    """6,144 numbers for each second. Source: as `mel256_512`."""
    return _openl3(6144, folder, fetch)


def read_layers(path: Path) -> list[Layer]:
    """The weights of a Keras file, plain or gzipped, layer by layer in the order of the graph.

    Returns:
        16 layers: normalisations (scale, offset, mean, variance), and convolutions (kernel of shape (height, width,
        inputs, outputs), bias).

    Raises:
        EngineError: h5py is not installed.
        WorkError: it is no such file.
    """
    try:
        import h5py
    except ImportError as error:
        raise EngineError(f"h5py is not installed ({error}); pip install 'menura[embedders]'") from error
    layers: list[Layer] = []
    try:
        body = path.read_bytes()
        with h5py.File(io.BytesIO(gzip.decompress(body) if path.suffix == ".gz" else body), "r") as file:
            root = file.get("model_weights", file)
            for name in root.attrs["layer_names"]:
                group = root[name]
                found = {_last(key): np.asarray(group[key], dtype=np.float32) for key in group.attrs["weight_names"]}
                # Layers of the front end hold filters of their own, which are not learnt.
                layers += [
                    tuple(found[part] for part in kind) for kind in (_NORM, _CONVOLUTION) if set(kind) <= set(found)
                ]
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise WorkError(f"{path} is not a file of OpenL3's weights ({error}); delete it and fetch it again") from error
    if [len(layer) for layer in layers] != [len(kind) for kind in _LAYERS]:
        raise WorkError(f"{path} holds {len(layers)} layers, not those of OpenL3's audio network; fetch it again")
    return layers


def spectrogram(second: NDArray[np.float32]) -> Matrix:
    """Mel bands of one second of sound in dB below the loudest, 80 dB deep, shape (256 bands, 199 frames)."""
    padded = np.pad(second, (0, (N_FRAMES - 1) * HOP + WINDOW - second.size))
    magnitudes = np.abs(np.fft.rfft(frame(padded, WINDOW, HOP, centred=False) * hann(WINDOW), axis=1))
    bands = mel_bands(magnitudes.astype(np.float32), SAMPLE_RATE, WINDOW, N_MELS)
    # The network was trained on 10 log10 of magnitudes, not of powers; the loudest band is at 0 dB.
    decibels = power_to_db(bands, reference=1.0)
    return (decibels - decibels.max()).T


def _last(key: Any) -> str:
    text = key.decode() if isinstance(key, bytes) else str(key)
    return text.rsplit("/", 1)[-1].removesuffix(":0")


def _openl3(size: int, folder: Path | None, fetch: bool) -> FrameEmbedder:
    torch_library()
    place = WEIGHTS.locate(folder, fetch=fetch)
    network = _Network(_tensors(read_layers(place / _FILE)), _TILES[size])
    identity = {"version": 1, "weights": WEIGHTS.hashes(place)}
    width = network.width
    return FrameEmbedder(f"openl3-mel256-{size}", network, width, SAMPLE_RATE, WEIGHTS.licence, identity)


def _tensors(layers: Sequence[Layer]) -> list[tuple[Any, ...]]:
    torch = torch_library()
    turned = [(layer[0].transpose(3, 2, 0, 1), layer[1]) if len(layer) == 2 else layer for layer in layers]
    return [tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in layer) for layer in turned]


@dataclass(frozen=True, slots=True)
class _Network:
    layers: list[tuple[Any, ...]]
    tile: tuple[int, int]

    @property
    def width(self) -> int:
        """Numbers for a second: the last map is of 32 bands and 24 frames."""
        return int(self.layers[-1][1].numel()) * (32 // self.tile[0]) * (24 // self.tile[1])

    def __call__(self, signal: NDArray[np.float32]) -> Sequence[Matrix]:
        """One frame for each second, the last one filled with silence."""
        torch = torch_library()
        seconds = frame(np.pad(signal, (0, -signal.size % SAMPLE_RATE)), SAMPLE_RATE, SAMPLE_RATE, centred=False)
        with torch.inference_mode():
            rows = [self._map(torch, torch.from_numpy(spectrogram(second).copy())) for second in seconds]
        return [np.stack(rows)]

    def _map(self, torch: Any, bands: Any) -> NDArray[np.float32]:
        functional = torch.nn.functional
        held = _normalised(functional, bands[None, None], self.layers[0])
        count = len(self.layers) // 2
        for number in range(1, count + 1):
            kernel, bias = self.layers[2 * number - 1]
            held = functional.conv2d(held, kernel, bias, padding=1)
            if number < count:
                held = functional.relu(_normalised(functional, held, self.layers[2 * number]))
            if number in _POOLED:
                held = functional.max_pool2d(held, 2)
        tiles = functional.max_pool2d(held, self.tile)
        # Keras flattens with the channels last.
        return tiles[0].permute(1, 2, 0).reshape(-1).numpy()


def _normalised(functional: Any, held: Any, layer: tuple[Any, ...]) -> Any:
    scale, offset, mean, variance = layer
    return functional.batch_norm(held, mean, variance, scale, offset, eps=_EPSILON)
