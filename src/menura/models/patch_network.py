"""The network over the parts of a patch: tokens of parts and slots that attend to each other and to a sound.

It knows a `Layout`, no synth. Parts of a family share their layers and slots have no number, so that exchanging two
oscillators (or two slots) in what goes in exchanges them in what comes out: exactly, unless parts are given names of
their own, which a network without noise needs to tell them apart.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from menura.models.layout import Layout
from menura.models.transformer import Block, waves

_TIMES = 8


class PatchNetwork(nn.Module):
    """From noisy features (or none), a time and the tokens of a sound to what each feature should be."""

    def __init__(self, layout: Layout, width: int = 128, depth: int = 4, heads: int = 4, *, noise: bool = True) -> None:
        """Random weights.

        Args:
            layout: of the features.
            width: of a token.
            depth: blocks.
            heads: of attention.
            noise: whether features go in; without, each part and slot has a learned query.
        """
        super().__init__()
        self.noise, self.width = noise, width
        self.families = list(layout.types)
        self.reads, self.writes = nn.ModuleList(), nn.ModuleList()
        for number, rows in enumerate(layout.types.values()):
            self.reads.append(nn.Linear(rows.shape[1], width))
            self.writes.append(nn.Linear(width, rows.shape[1]))
            self.register_buffer(f"rows_{number}", torch.from_numpy(rows), persistent=False)
        self.n_parts, self.slots, self.n_features = len(layout.parts), layout.slots.count, layout.width
        if self.slots:
            self._slot_layers(layout)
        if not noise:
            self.queries = nn.Parameter(0.5 * torch.randn(self.n_parts + self.slots, width))
        self.time = nn.Sequential(nn.Linear(2 * _TIMES, width), nn.SiLU(), nn.Linear(width, width))
        self.heard = nn.Linear(width, width)
        self.nothing = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(depth)])
        self.last = nn.LayerNorm(width)
        # Where each feature comes to lie when the pieces are laid one after the other.
        self.register_buffer("order", torch.from_numpy(_order(layout)), persistent=False)

    def forward(self, features: Tensor, time: Tensor, sound: Tensor, keep: Tensor) -> Tensor:
        """Raw heads of all features, shape (batch, features): see `menura.models.heads`.

        Args:
            features: noisy, shape (batch, features); not looked at without noise.
            time: 0 is noise, 1 is the patch, shape (batch,).
            sound: tokens, shape (batch, n, width).
            keep: 1 where the sound is heard, 0 where it is hidden, shape (batch,).
        """
        heard = keep[:, None, None]
        sound = heard * sound + (1.0 - heard) * self.nothing
        vector = self.time(waves(0.5 * time, _TIMES, 16.0)) + self.heard(sound.mean(dim=1))
        tokens = self._read(features) if self.noise else self.queries + torch.zeros_like(sound[:, :1])
        for block in self.blocks:
            tokens = block(tokens, sound, vector)
        return self._write(self.last(tokens))

    def _slot_layers(self, layout: Layout) -> None:
        source_roles, sources, destination_roles, destinations = layout.slots.choices
        told = [
            torch.from_numpy(layout.slots.scalars),
            torch.from_numpy(source_roles),
            torch.from_numpy(destination_roles),
        ]
        self.register_buffer("slot_rows", torch.cat(told, dim=1), persistent=False)
        width = self.width
        self.read_slot, self.write_slot = (
            nn.Linear(self.slot_rows.shape[1], width),
            nn.Linear(width, self.slot_rows.shape[1]),
        )
        ends = (
            ("sources", sources, layout.slots.sources.parts),
            ("destinations", destinations, layout.slots.destinations.parts),
        )
        for name, rows, parts in ends:
            self.register_buffer(f"{name}_rows", torch.from_numpy(rows), persistent=False)
            self.register_buffer(f"{name}_parts", torch.tensor(parts), persistent=False)
            for layer in ("to_slots", "to_parts", "asks", "answers"):
                self.add_module(f"{name}_{layer}", nn.Linear(width, width, bias=False))

    def _read(self, features: Tensor) -> Tensor:
        pieces = [read(features[:, self.get_buffer(f"rows_{n}")]) for n, read in enumerate(self.reads)]
        parts = torch.cat(pieces, dim=1)
        if not self.slots:
            return parts
        slots = self.read_slot(features[:, self.slot_rows])
        to_parts = torch.zeros_like(parts)
        to_slots = torch.zeros_like(slots)
        for name in ("sources", "destinations"):
            pointers = features[:, self.get_buffer(f"{name}_rows")]
            index = self.get_buffer(f"{name}_parts")
            pointed = self.get_submodule(f"{name}_to_slots")(parts[:, index])
            to_slots = to_slots + pointers @ pointed / math.sqrt(len(index))
            told = pointers.transpose(1, 2) @ self.get_submodule(f"{name}_to_parts")(slots) / math.sqrt(self.slots)
            to_parts = to_parts.index_add(1, index, told)
        return torch.cat([parts + to_parts, slots + to_slots], dim=1)

    def _write(self, tokens: Tensor) -> Tensor:
        parts, slots = tokens[:, : self.n_parts], tokens[:, self.n_parts :]
        pieces: list[Tensor] = []
        start = 0
        for number, write in enumerate(self.writes):
            count = self.get_buffer(f"rows_{number}").shape[0]
            pieces.append(write(parts[:, start : start + count]).flatten(1))
            start += count
        if self.slots:
            pieces.append(self.write_slot(slots).flatten(1))
            for name in ("sources", "destinations"):
                asked = self.get_submodule(f"{name}_asks")(slots)
                answers = self.get_submodule(f"{name}_answers")(parts[:, self.get_buffer(f"{name}_parts")])
                pieces.append((asked @ answers.transpose(1, 2) / math.sqrt(self.width)).flatten(1))
        return torch.cat(pieces, dim=1)[:, self.order]


class PlainHead(nn.Module):
    """All features at once from the mean of a sound's tokens: what networks without tokens for parameters do."""

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU())
        self.out = nn.Linear(4 * width, layout.width)

    def forward(self, features: Tensor, time: Tensor, sound: Tensor, keep: Tensor) -> Tensor:
        """As `PatchNetwork`; looks at the sound alone."""
        del features, time, keep
        return self.out(self.layers(sound.mean(dim=1)))


def _order(layout: Layout) -> NDArray[np.int64]:
    pieces = [torch.from_numpy(rows).flatten() for rows in layout.types.values()]
    if layout.slots.count:
        source_roles, sources, destination_roles, destinations = map(torch.from_numpy, layout.slots.choices)
        pieces.append(
            torch.cat([torch.from_numpy(layout.slots.scalars), source_roles, destination_roles], dim=1).flatten()
        )
        pieces += [sources.flatten(), destinations.flatten()]
    return torch.argsort(torch.cat(pieces)).numpy()
