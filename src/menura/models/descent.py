"""Patches moved down the gradient of a proxy: what an estimator said is brought nearer to a sound, without a render.

Source: Barkan et al., "InverSynth II", ISMIR 2023 (finetuning at inference through a proxy), here of the patch itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from menura.errors import EngineError
from menura.space import ParameterSpace


class ProxyDescent:
    """Moves the continuous coordinates of patches.

    Args:
        path: checkpoint of a proxy.
        steps: of Adam.
        rate: of a step, a share of each control's range.

    Raises:
        CheckpointError: it is missing, damaged or no proxy.
        EngineError: torch is not installed.
    """

    def __init__(self, path: Path, steps: int = 50, rate: float = 0.01) -> None:
        try:
            from menura.models.checkpoint import read_proxy
        except ImportError as error:
            raise EngineError(f"a proxy needs torch ({error}); pip install 'menura[train]'") from error
        self._proxy, self.space, self.card = read_proxy(path)
        self.steps, self.rate = steps, rate

    space: ParameterSpace
    """Of the patches."""

    @property
    def embedder(self) -> str:
        """Name of the embedder in whose vectors the proxy answers."""
        return str(self.card["embedder"]["name"])

    def moved(
        self, vectors: NDArray[np.floating], target: NDArray[np.floating], free: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Patches that the proxy takes to be nearer to a sound, shape (n, dim).

        Args:
            vectors: where to begin, shape (n, dim).
            target: embedding of the sound, shape (embedding dim,).
            free: coordinates that may move, shape (n, dim): the others, and all choices, stay.
        """
        import torch

        continuous = np.array([p.kind == "continuous" and not p.steps for p in self.space.parameters])
        mask = torch.from_numpy(np.asarray(free & continuous, dtype=np.float32))
        begin = torch.from_numpy(np.asarray(vectors, dtype=np.float32))
        wanted = torch.from_numpy(np.asarray(target, dtype=np.float32))
        change = torch.zeros_like(begin, requires_grad=True)
        optimiser = torch.optim.Adam([change], self.rate)
        best, least = begin.clone(), torch.full((len(begin),), float("inf"))
        for _ in range(self.steps + 1):
            here = (begin + mask * change).clamp(0.0, 1.0)
            losses = (self._proxy(here) - wanted).square().sum(dim=1)
            with torch.no_grad():
                better = losses < least
                best[better], least[better] = here[better], losses[better]
            optimiser.zero_grad()
            losses.sum().backward()
            optimiser.step()
        return self.space.snap(best.detach().numpy())
