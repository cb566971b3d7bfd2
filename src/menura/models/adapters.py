"""Low-rank adapters: a pretrained network learns a little while its own weights stay. Knows no particular network.

Source: Hu et al., "LoRA: low-rank adaptation of large language models", 2022.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from menura.errors import InputError


class Adapted(nn.Module):
    """A linear layer whose weights stay, and a product of two thin ones beside it that begins at nothing."""

    def __init__(self, layer: nn.Linear, rank: int, scale: float = 2.0) -> None:
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, layer.in_features) / layer.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        """As the layer, and what was learned beside it."""
        return self.layer(features) + self.scale * (features @ self.down.T) @ self.up.T


def adapt(network: nn.Module, names: str, rank: int) -> list[str]:
    """Freezes a network and puts adapters at its linear layers of some names; answers with those names.

    Args:
        network: is changed in place.
        names: pattern that a layer's whole name must contain, e.g. ``"(query|value)$"``.
        rank: of the adapters.

    Raises:
        InputError: no layer is called so.
    """
    network.requires_grad_(False)
    found = [name for name, each in network.named_modules() if isinstance(each, nn.Linear) and re.search(names, name)]
    if not found:
        raise InputError(f"no linear layer is called {names!r}; take a pattern that fits this network's own names")
    for name in found:
        above, _, last = name.rpartition(".")
        parent = network.get_submodule(above)
        setattr(parent, last, Adapted(getattr(parent, last), rank))
    return found
