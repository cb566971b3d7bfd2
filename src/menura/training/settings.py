"""What decides a run, and the machine that it runs on. Knows no network and no data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from menura.errors import InputError

Better = Literal["highest", "lowest"]


@dataclass(frozen=True)
class LoopSettings:
    """Everything that decides the weights besides the task.

    Raises:
        InputError: a number is out of range.
    """

    steps: int
    batch: int
    """Examples in a step, over all devices together."""
    rate: float
    """Highest learning rate."""
    lowest: float = 2e-6
    """Learning rate at the end of each half cosine."""
    warm_up: float = 0.0
    """Share of the steps in which the rate rises from nothing; at the beginning alone."""
    restarts: tuple[float, ...] = ()
    """Shares of the steps at which the half cosine begins anew."""
    decay: float = 0.0
    """Of weights that are matrices, as AdamW has it."""
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float | None = 1.0
    """Largest norm of all gradients together; None does not clip."""
    average: float | None = None
    """Share of the old in the running mean of the weights, which is then what is judged and kept."""
    log_every: int = 50
    """Steps whose mean loss is one line of the metrics file."""
    check_every: int = 500
    """Steps from one judgement, and one state on disk, to the next."""
    best: Mapping[str, Better] = field(default_factory=dict[str, Better])
    """Judged numbers, for each of which the weights of its best step are kept."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Of the arithmetic: float32, or bfloat16 where it does no harm."""
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.log_every, self.check_every) < 1 or self.seed < 0:
            raise InputError(
                f"{self.steps} steps of {self.batch} examples, a line each {self.log_every} and a judgement each "
                f"{self.check_every}, seed {self.seed}; give whole numbers from 1, and a seed from 0"
            )
        if not (math.isfinite(self.rate) and 0.0 <= self.lowest <= self.rate and self.rate > 0.0):
            raise InputError(f"learning rates {self.rate:g} to {self.lowest:g}; give a positive one and a lower one")
        if not 0.0 <= self.warm_up < 1.0 or list(self.restarts) != sorted(set(self.restarts)):
            raise InputError(f"warm-up {self.warm_up}, restarts {self.restarts}; give shares of the steps that rise")
        if self.restarts and not (self.warm_up < self.restarts[0] and self.restarts[-1] < 1.0):
            raise InputError(f"restarts at {self.restarts} of the steps; give shares after the warm-up and below 1")


@dataclass(frozen=True)
class Machine:
    """Where a run happens. It changes rounding at most, never what is asked for."""

    accelerator: str = "auto"
    """As Lightning Fabric names it: auto, cpu, cuda, mps."""
    devices: int = 1
    """Devices that share each batch, one process each."""
    tensorboard: bool = False
    """Whether to write events for TensorBoard beside the metrics file."""
    coarse: bool = False
    """Whether products of matrices are taken in bfloat16 where the processor has it; all else stays as it is."""


def learning_rate(settings: LoopSettings, step: int) -> float:
    """The rate of a step, counted from 0: a linear rise, then half cosines down to the lowest.

    Source: Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts", 2017, equation 5.
    """
    warm = settings.warm_up * settings.steps
    if step < warm:
        return settings.rate * (step + 1) / math.ceil(warm)
    bounds = [warm, *(share * settings.steps for share in settings.restarts), float(settings.steps)]
    begin, end = next((a, b) for a, b in pairwise(bounds) if step < b or b == bounds[-1])
    place = min((step - begin) / max(end - begin, 1.0), 1.0)
    return settings.lowest + (settings.rate - settings.lowest) * 0.5 * (1.0 + math.cos(math.pi * place))
