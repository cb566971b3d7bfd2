"""Blocks of our own transformers: attention, and how a vector steers a layer. Knows no patch and no sound.

Written out rather than taken from `torch.nn`, so that low-rank adapters find their linear layers, and an export to ONNX
traces plain products.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Heads of attention of some tokens to others."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Tensor, others: Tensor) -> Tensor:
        """Shape (batch, n, width) and (batch, m, width) to (batch, n, width)."""
        batch, count, width = tokens.shape
        query = self.query(tokens).reshape(batch, count, self.heads, -1).transpose(1, 2)
        key, value = self.key_value(others).chunk(2, dim=2)
        key = key.reshape(batch, others.shape[1], self.heads, -1).transpose(1, 2)
        value = value.reshape(batch, others.shape[1], self.heads, -1).transpose(1, 2)
        found = functional.scaled_dot_product_attention(query, key, value)
        return self.out(found.transpose(1, 2).reshape(batch, count, width))


class Block(nn.Module):
    """Attention among tokens, attention to a sound, and a layer of each token by itself, each steered by a vector.

    Scales, shifts and gates come from the vector and begin at nothing: the block begins as the identity.

    Source: Peebles and Xie, "Scalable diffusion models with transformers", 2023 (adaLN-zero).
    """

    def __init__(self, width: int, heads: int, wider: int = 3) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width, elementwise_affine=False) for _ in range(3)])
        self.among, self.towards = Attention(width, heads), Attention(width, heads)
        self.alone = nn.Sequential(nn.Linear(width, wider * width), nn.GELU(), nn.Linear(wider * width, width))
        self.steer = nn.Linear(width, 9 * width)
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)

    def forward(self, tokens: Tensor, sound: Tensor, vector: Tensor) -> Tensor:
        """Tokens of the same shape.

        Args:
            tokens: shape (batch, n, width).
            sound: what is attended to, shape (batch, m, width).
            vector: what steers, shape (batch, width).
        """
        steered = self.steer(functional.silu(vector)).unsqueeze(1).chunk(9, dim=2)
        for number, norm in enumerate(self.norms):
            scale, shift, gate = steered[3 * number : 3 * number + 3]
            seen = norm(tokens) * (1.0 + scale) + shift
            if number == 0:
                change = self.among(seen, seen)
            elif number == 1:
                change = self.towards(seen, sound)
            else:
                change = self.alone(seen)
            tokens = tokens + gate * change
        return tokens


def waves(values: Tensor, count: int, fastest: float) -> Tensor:
    """Sines and cosines of values from 0 to 1, the fastest with so many turns; shape (..., 2 * count)."""
    turns = fastest ** torch.linspace(0.0, 1.0, count, device=values.device)
    angles = 2.0 * torch.pi * values.unsqueeze(-1) * turns
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
