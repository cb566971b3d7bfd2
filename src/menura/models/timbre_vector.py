"""The vector of `timbre`: what the network says, and beside it, quieter, plain facts of the picture.

A network that was taught to know a patch by any of its notes says little about what changes within a patch: the order
of small steps of one control is lost in its noise, and pitch is left out on purpose. Facts of the picture follow such
steps evenly. Small enough, they put near sounds in order and hardly move far ones. Knows no training and no sound.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from menura.features.semitones import BANDS, RANGE_DB
from menura.models.timbre_network import TimbreNetwork

LEARNT = 48
"""Numbers that are kept of the network: its first principal axes hold all that tells patches apart."""
SHARE = 0.25
"""Length of each of the two kinds of facts, where the network's own part has 1."""
EDGES = (0, 2, 4, 8, 16, 32, 64, 131)
"""Frames of 23 ms between which the course is averaged; what comes after three seconds is not in the facts."""
REGISTERS = 4
"""Of the course: 27 semitones each."""
FACTS = BANDS + (len(EDGES) - 1) * REGISTERS
_AT_ONCE = 256


class TimbreVector(nn.Module):
    """Pictures to unit vectors, shape (batch, LEARNT + FACTS)."""

    def __init__(self, network: TimbreNetwork, learnt: int = LEARNT) -> None:
        """Around a network; `fit` says on which axes it is kept.

        Args:
            network: trained.
            learnt: numbers that are kept of it, at most its own.
        """
        super().__init__()
        self.network = network.eval()
        self.dim = min(learnt, network.dim)
        self.centre: Tensor
        self.axes: Tensor
        self.means: Tensor
        self.scales: Tensor
        self.register_buffer("centre", torch.zeros(network.dim))
        self.register_buffer("axes", torch.eye(network.dim)[:, : self.dim])
        self.register_buffer("means", torch.zeros(FACTS))
        self.register_buffer("scales", torch.ones(FACTS))

    def fit(self, pictures: NDArray[np.float32]) -> TimbreVector:
        """Learns the principal axes of the network's vectors, and how widely the facts spread.

        Args:
            pictures: dB, shape (n, frames, BANDS), n more than the axes; of what the network was trained on.
        """
        batches = [torch.from_numpy(pictures[start : start + _AT_ONCE]) for start in range(0, len(pictures), _AT_ONCE)]
        with torch.inference_mode():
            vectors = torch.cat([self.network(batch) for batch in batches]).numpy().astype(np.float64)
            facts = torch.cat([facts_of(batch) for batch in batches]).numpy().astype(np.float64)
        centre = vectors.mean(axis=0)
        _, axes = np.linalg.eigh(np.cov(vectors - centre, rowvar=False))
        axes = axes[:, ::-1][:, : self.dim]
        # An axis has no direction of its own: the largest number is made positive, so that a fit can be repeated.
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(self.dim)])
        means, scales = facts.mean(axis=0), np.empty(FACTS)
        for block in (slice(0, BANDS), slice(BANDS, FACTS)):
            width = facts[:, block].shape[1]
            scales[block] = SHARE / (max(float((facts[:, block] - means[block]).std()), 1e-3) * np.sqrt(width))
        for name, value in (("centre", centre), ("axes", axes), ("means", means), ("scales", scales)):
            getattr(self, name).copy_(torch.from_numpy(np.ascontiguousarray(value, dtype=np.float32)))
        return self

    def forward(self, pictures: Tensor) -> Tensor:
        """Unit vectors.

        Args:
            pictures: dB from -80 to 0, shape (batch, frames, BANDS).
        """
        learnt = functional.normalize((self.network(pictures) - self.centre) @ self.axes, dim=1)
        facts = (facts_of(pictures) - self.means) * self.scales
        return functional.normalize(torch.cat([learnt, facts], dim=1), dim=1)


def facts_of(pictures: Tensor) -> Tensor:
    """Mean power of each semitone, then that of each register from slot to slot, in dB, shape (batch, FACTS).

    Args:
        pictures: dB from -80 to 0, shape (batch, frames, BANDS); shorter ones count as silent after their end.
    """
    silence = torch.full((1, EDGES[-1], BANDS), -RANGE_DB).expand(pictures.shape[0], -1, -1)
    power = 10.0 ** (torch.cat([pictures, silence], dim=1)[:, : EDGES[-1]] / 10.0)
    slots = torch.stack([_decibels(power[:, start:stop].mean(dim=1)) for start, stop in pairwise(EDGES)], dim=1)
    course = slots.reshape(-1, len(EDGES) - 1, REGISTERS, BANDS // REGISTERS).mean(dim=3)
    return torch.cat([_decibels(power.mean(dim=1)), course.flatten(1)], dim=1)


def _decibels(power: Tensor) -> Tensor:
    return 10.0 * torch.log10(power.clamp(min=10.0 ** (-RANGE_DB / 10.0)))
