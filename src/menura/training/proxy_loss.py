"""The further parts of an estimator's loss: what proxies of the synth say of the patch it answers. Knows no synth.

A proxy of a spectral embedding (`contour`) makes the spectral part, one of `timbre` the perceptual part; together with
the cost of the parameters they are the three parts of the loss of VitalInverse. Gradients come through numbers and
toggles.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from menura.errors import InputError
from menura.models.checkpoint import read_proxy
from menura.models.layout import Layout
from menura.models.soft_vectors import SoftVectors


class ProxyLoss(nn.Module):
    """Mean squared difference of embeddings, in units of their spread, for each proxy.

    Args:
        layout: of the features.
        proxies: name of the part (``spectral``, ``perceptual``) to the proxy's checkpoint.
        targets: the same names to embeddings of the patches at the note of the proxy, shape (patches, dim).
        weights: what each part counts beside the cost of the parameters.

    Raises:
        CheckpointError: a checkpoint is missing or damaged.
        InputError: the embeddings do not fit a proxy.
    """

    def __init__(
        self,
        layout: Layout,
        proxies: Mapping[str, Path],
        targets: Mapping[str, NDArray[np.floating]],
        weights: Mapping[str, float],
    ) -> None:
        super().__init__()
        self.weights, self.targets = dict(weights), dict(targets)
        self.proxies, self.vectors = nn.ModuleDict(), nn.ModuleDict()
        for name, path in proxies.items():
            proxy, space, _ = read_proxy(path)
            if targets[name].shape[1] != proxy.dim:
                raise InputError(f"{path} answers in {proxy.dim} numbers, the targets have {targets[name].shape[1]}")
            self.proxies[name] = proxy.requires_grad_(False)
            self.vectors[name] = SoftVectors(layout, space)

    def rows(self, patches: NDArray[np.int64]) -> dict[str, Tensor]:
        """The targets of some patches, for a batch."""
        return {f"{name}_target": torch.from_numpy(self.targets[name][patches]).float() for name in self.proxies}

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weighted parts of the loss, by name.

        Args:
            features: expected ones, shape (batch, features).
            batch: with the targets of `rows`.
        """
        found: dict[str, Tensor] = {}
        for name, proxy in self.proxies.items():
            target = batch[f"{name}_target"]
            away = (proxy(self.vectors[name](features)) - target).square().sum(dim=1)
            spread = (target - target.mean(dim=0)).square().sum(dim=1).mean().clamp(min=1e-6)
            found[name] = self.weights.get(name, 1.0) * (away / spread).mean()
        return found
