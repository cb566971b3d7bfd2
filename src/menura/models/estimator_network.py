"""A whole estimator in torch: what hears, what answers, and the heads; and its way into two ONNX files.

Kinds: `flow` and `diffusion` clear up noisy features (the same network, on two paths); `regression` answers from
learned queries, each part and slot one (VitalInverse); `ast` answers from the mean of an Audio Spectrogram
Transformer's tokens.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from menura.errors import InputError
from menura.features import contour as contours_of
from menura.features.semitones import BANDS, FRAMES
from menura.models.estimator import DECODER, ENCODER
from menura.models.estimator_kinds import KINDS, Kind
from menura.models.heads import Heads
from menura.models.layout import Layout
from menura.models.patch_network import PatchNetwork, PlainHead
from menura.models.picture_encoder import SLOTS, PictureEncoder
from menura.storage import atomic_path


@dataclass(frozen=True)
class Architecture:
    """Everything that decides a network's shape besides its layout."""

    kind: Kind = "flow"
    width: int = 128
    """Of a token."""
    depth: int = 4
    """Blocks over the parts."""
    heads: int = 4
    channels: int = 16
    """Of the first convolution."""
    encoder: Literal["picture", "ast"] = "picture"
    ast_depth: int = 6
    ast_hidden: int = 192
    adapters: int = 0
    """Rank of low-rank adapters at a pretrained encoder, which is frozen; 0 trains all of it."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"no estimator is of kind {self.kind!r}; choose {', '.join(KINDS)}")


class EstimatorNetwork(nn.Module):
    """From a sound, and noisy features where the kind has them, to raw heads."""

    def __init__(self, layout: Layout, architecture: Architecture, pretrained: Path | None = None) -> None:
        """Random weights, from torch's own generator.

        Args:
            layout: of the features.
            architecture: of the network.
            pretrained: folder of a pretrained AST, for an encoder of that kind.

        Raises:
            EngineError: transformers is not installed.
            InputError: the folder holds no such network.
        """
        super().__init__()
        own = architecture
        self.architecture = own
        if own.encoder == "ast" or own.kind == "ast":
            from menura.models.ast_encoder import AstEncoder

            self.encoder: nn.Module = AstEncoder(own.width, own.ast_depth, 3, own.ast_hidden, pretrained)
            if own.adapters:
                self.encoder.adapt(own.adapters)
        else:
            self.encoder = PictureEncoder(own.width, own.channels)
        self.noise = own.kind in ("flow", "diffusion")
        self.body: nn.Module = (
            PlainHead(layout, own.width)
            if own.kind == "ast"
            else PatchNetwork(layout, own.width, own.depth, own.heads, noise=self.noise)
        )
        self.heads = Heads(layout, spreads=not self.noise)
        self.n_features = layout.width

    def forward(
        self, pictures: Tensor, contours: Tensor, notes: Tensor, features: Tensor, time: Tensor, keep: Tensor
    ) -> Tensor:
        """Raw heads, shape (batch, features); the arguments are those of `encode` and of `PatchNetwork`."""
        return self.body(features, time, self.encoder(pictures, contours, notes), keep)

    def encode(self, pictures: Tensor, contours: Tensor, notes: Tensor) -> Tensor:
        """Tokens of sounds, shape (batch, n, width); the arguments are those of `PictureEncoder`."""
        return self.encoder(pictures, contours, notes)


class _Encoder(nn.Module):
    def __init__(self, network: EstimatorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor, contours: Tensor, notes: Tensor) -> Tensor:
        return self.network.encode(pictures, contours, notes)


class _Decoder(nn.Module):
    def __init__(self, network: EstimatorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, time: Tensor, sound: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
        raw = self.network.body(features, time, sound, keep)
        # Every input has its place in the graph, whatever the kind looks at.
        unused = 0.0 * (features[:, :1] + time[:, None] + keep[:, None])
        return self.network.heads.means(raw) + unused, self.network.heads.spreads().unsqueeze(0)


def export_estimator(network: EstimatorNetwork, folder: Path) -> None:
    """Writes encoder and decoder as ONNX, for any number of sounds.

    Raises:
        OutputError: the place cannot be written.
    """
    network = network.eval()
    sounds = (torch.full((2, FRAMES, BANDS), -40.0), torch.full((2, SLOTS, contours_of.BANDS), -30.0), _notes())
    with torch.no_grad():
        tokens = network.encode(*sounds)
    patch = (torch.zeros(2, network.n_features), torch.tensor([0.2, 0.7]), tokens, torch.ones(2))
    names = ["pictures", "contours", "notes"]
    _export(_Encoder(network), sounds, folder / ENCODER, names, ["sound"])
    _export(_Decoder(network), patch, folder / DECODER, ["features", "time", "sound", "keep"], ["means", "spreads"])


def torch_callables(network: EstimatorNetwork) -> tuple[_Call, _Call]:
    """Encoder and decoder as functions of arrays, as `menura.models.estimator.Estimator` takes them."""
    network.eval()
    return _Call(_Encoder(network)), _Call(_Decoder(network))


class _Call:
    """A module as a function of arrays."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def __call__(self, given: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        with torch.inference_mode():
            found = self._module(**{name: torch.from_numpy(np.ascontiguousarray(each)) for name, each in given.items()})
        return [each.numpy() for each in (found if isinstance(found, tuple) else (found,))]


def _notes() -> Tensor:
    return torch.tensor([[60.0, 0.8, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])


def _export(module: nn.Module, example: tuple[Tensor, ...], path: Path, inputs: list[str], outputs: list[str]) -> None:
    with atomic_path(path, force=True) as partial, warnings.catch_warnings():
        # The exporter that needs no further package is said to be the older one; it traces these networks exactly.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), example, str(partial), input_names=inputs, output_names=outputs,
            dynamic_axes={name: {0: "batch"} for name in (*inputs, outputs[0])},
            opset_version=17, dynamo=False,
        )  # fmt: skip
