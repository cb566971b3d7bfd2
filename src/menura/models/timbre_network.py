"""The network of `timbre`: pictures in semitones to unit vectors; written as ONNX. Knows no training and no sound."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from menura.features.embedders.timbre import INPUT, OUTPUT
from menura.features.semitones import BANDS, FRAMES, RANGE_DB
from menura.storage import atomic_path

_ONSET = 3
"""Steps of the last layer, 0.19 s each, that are averaged by themselves: how a sound begins is half of its timbre."""


class TimbreNetwork(nn.Module):
    """Convolutions over pitch and time, then statistics over time, then a unit vector."""

    def __init__(self, width: int = 24, dim: int = 192) -> None:
        """Random weights, from torch's own generator.

        Args:
            width: channels of the first layer; the others have multiples of it.
            dim: length of the vector.
        """
        super().__init__()
        self.width, self.dim = width, dim
        self.layers = nn.Sequential(
            _convolution(1, width, 5, 2),
            _convolution(width, 2 * width, 3, 2),
            Residual(2 * width),
            _convolution(2 * width, 4 * width, 3, 2),
            Residual(4 * width),
        )
        rows = -(-BANDS // 8)
        self.across = nn.Sequential(
            nn.Conv1d(rows * 4 * width, 16 * width, 1, bias=False), nn.BatchNorm1d(16 * width), nn.ReLU()
        )
        self.head = nn.Linear(4 * 16 * width, dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """Unit vectors, shape (batch, dim).

        Args:
            pictures: dB from -80 to 0, shape (batch, frames, BANDS).
        """
        scaled = (pictures + RANGE_DB / 2.0) / (RANGE_DB / 4.0)
        seen = self.layers(scaled.transpose(1, 2).unsqueeze(1)).flatten(1, 2)
        steps = self.across(seen).float()
        mean = steps.mean(dim=2)
        deviation = ((steps - mean.unsqueeze(2)).square().mean(dim=2) + 1e-4).sqrt()
        told = torch.cat([steps[:, :, :_ONSET].mean(dim=2), mean, deviation, steps.amax(dim=2)], dim=1)
        return functional.normalize(self.head(told).float(), dim=1)


class Residual(nn.Module):
    """Two convolutions beside a straight way."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels, 3, 1)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """The same shape."""
        return functional.relu(maps + self.second(self.first(maps)))


def export_timbre(network: nn.Module, path: Path) -> None:
    """Writes a network from pictures to vectors as ONNX, for any number of pictures of any length.

    Raises:
        OutputError: the place cannot be written.
    """
    network = network.eval()
    example: tuple[Any, ...] = (torch.full((2, FRAMES, BANDS), -40.0),)
    with atomic_path(path, force=True) as partial, warnings.catch_warnings():
        # The exporter that needs no further package is said to be the older one; it traces this network exactly.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            example,
            str(partial),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "batch", 1: "frames"}, OUTPUT: {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )


def _convolution(before: int, after: int, size: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()
    )
