"""`Task`: what the loop is given to train, and the order in which a task takes its examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Batch = Mapping[str, Any]
"""Arrays or tensors by name; the first axis of each is the batch."""


class Task(Protocol):
    """Something that can be trained.

    The loop owns step, optimiser, schedule, precision, devices and files; a task owns network, data and loss. The
    network is made from the settings' seed alone, before the loop begins. Several networks are one module that has
    them as parts.
    """

    network: nn.Module
    """All that is optimised."""

    @property
    def fingerprint(self) -> str:
        """Changes with the data and with every choice that `LoopSettings` does not hold."""
        ...

    def batch(self, step: int, rng: np.random.Generator) -> Batch:
        """The examples of a step: a pure function of the step and of the generator, which is made from the step.

        It is called in a thread of its own, one step ahead. All chance of the step that is not dropout belongs here.
        """
        ...

    def loss(self, network: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss of a batch, and further numbers for the log.

        Args:
            network: `self.network` as the devices share it: call it, and not its parts, so that several devices agree
                about gradients.
            batch: of `batch`, on the device; of several devices each has its share of the rows.
        """
        ...

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Numbers of examples that are not trained on; the network is in its state for use, without gradients."""
        ...


class EpochOrder:
    """Which examples a step takes: each once before any comes twice, but for what a batch leaves over."""

    def __init__(self, count: int, batch: int, seed: int) -> None:
        """Draws nothing yet.

        Args:
            count: examples, at least `batch`.
            batch: examples in a step.
            seed: of the permutations.
        """
        self._count, self._batch, self._seed = count, batch, seed
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def __call__(self, step: int) -> NDArray[np.int64]:
        """The places of the examples of a step, shape (batch,)."""
        epoch, place = divmod(step, self._count // self._batch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, np.random.default_rng((self._seed, 0, epoch)).permutation(self._count)
        return self._order[place * self._batch :][: self._batch]
