"""A training run of `timbre`: its steps, and going on where it was stopped. Knows no command line.

Step n depends on the settings, the pictures and the state after step n - 1 alone: a run that was stopped and continued
is the run that was not.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from menura.errors import InputError
from menura.models.timbre_network import TimbreNetwork
from menura.storage import atomic_path
from menura.training.augmentation import Augmentation, augmented
from menura.training.contrastive import contrastive_loss
from menura.training.pictures import Pictures, as_decibels, twin_groups

STATE = "state.pt"
_HIGHEST_SCALE = 100.0
_AT_ONCE = 256


@dataclass(frozen=True)
class TimbreSettings:
    """Everything that decides the weights besides the pictures."""

    steps: int = 1_800
    patches: int = 512
    """In a batch, each at two of its notes."""
    width: int = 24
    """Channels of the network's first layer."""
    dim: int = 192
    """Length of a vector."""
    rate: float = 2e-3
    """Highest learning rate, reached after `warm_up` of the steps; then half a cosine down to nothing."""
    warm_up: float = 0.05
    decay: float = 0.02
    """Of weights, as AdamW has it."""
    temperature: float = 0.07
    """At the beginning; it is learnt."""
    average: float = 0.998
    """Share of the old in the running mean of the weights, which is what is kept."""
    twins_db: float = 1.0
    """Patches whose pictures differ by less are near-duplicates; see `menura.datasets.duplicates`."""
    held: int = 1_024
    """Patches, the first ones, that are not trained on and tell how far it is."""
    every: int = 250
    """Steps from one checkpoint to the next."""
    bfloat16: bool = False
    """Half precision, where the processor has it: nearly twice as fast."""
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    step: int
    loss: float
    """Mean since the last one."""
    scale: float
    """Inverse temperature."""
    found: float
    """Share of held-out patches whose second note finds the first among them."""


def train(
    pictures: Pictures,
    settings: TimbreSettings,
    folder: Path,
    tell: Callable[[Progress], None] | None = None,
    *,
    until: int | None = None,
) -> TimbreNetwork:
    """Trains, or goes on, and answers with the mean network.

    Args:
        pictures: of patches that are played at two notes or more.
        settings: of the run; those of the state in the folder must be the same.
        folder: where the state is kept.
        tell: called at each checkpoint.
        until: stop after this step, to go on later.

    Raises:
        InputError: there are too few patches or notes, or the folder holds another run.
        OutputError: the state cannot be written.
    """
    trained = len(pictures) - settings.held
    if pictures.levels.shape[1] < 2 or trained < settings.patches or settings.held < 1:
        raise InputError(
            f"{len(pictures)} patches at {pictures.levels.shape[1]} notes are too few for {settings.held} held out and "
            f"batches of {settings.patches}, at two notes each; render more, or choose a smaller size"
        )
    run = _Run(pictures, settings)
    told = json.dumps({"settings": asdict(settings), "pictures": pictures.fingerprint}, sort_keys=True)
    path = folder / STATE
    if path.exists():
        run.restore(path, told)
    last, losses = min(until or settings.steps, settings.steps), list[float]()
    while run.step < last:
        losses.append(run.advance())
        if run.step % settings.every == 0 or run.step == last:
            run.keep(path, told)
            if tell:
                tell(Progress(run.step, float(np.mean(losses)), float(run.scale.exp().detach()), run.found()))
            losses.clear()
    return run.mean.eval()


class _Run:
    """The state of a run."""

    def __init__(self, pictures: Pictures, settings: TimbreSettings) -> None:
        self._pictures, self._settings = pictures, settings
        self._trained = len(pictures) - settings.held
        groups = twin_groups(pictures.part(settings.held, len(pictures)), 1, settings.twins_db)
        self._groups = torch.from_numpy(groups)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = TimbreNetwork(settings.width, settings.dim)
        self.network = self.network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.mean = copy.deepcopy(self.network)
        self.scale = torch.nn.Parameter(torch.tensor(math.log(1.0 / settings.temperature)))
        weights = [each for each in self.network.parameters() if each.ndim > 1]
        others = [*(each for each in self.network.parameters() if each.ndim <= 1), self.scale]
        self.optimiser = torch.optim.AdamW(
            [{"params": weights, "weight_decay": settings.decay}, {"params": others, "weight_decay": 0.0}],
            lr=settings.rate,
            betas=(0.9, 0.98),
        )
        self.step = 0
        self._order = (-1, np.empty(0, dtype=np.int64))

    def advance(self) -> float:
        """One step; its loss."""
        settings = self._settings
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + self.step)
        rng = np.random.default_rng((settings.seed, 1, self.step))
        chosen = self._chosen()
        plays = rng.permuted(np.tile(np.arange(self._pictures.levels.shape[1]), (len(chosen), 1)), axis=1)[:, :2]
        rows = np.concatenate([chosen, chosen]) + settings.held
        levels = self._pictures.levels[rows, np.concatenate([plays[:, 0], plays[:, 1]])]
        heard = augmented(_decibels(levels), settings.augmentation, generator)
        for group in self.optimiser.param_groups:
            group["lr"] = settings.rate * self._share()
        self.network.train()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.bfloat16):
            vectors = self.network(heard)
        one, other = vectors.float().split(len(chosen))
        loss = contrastive_loss(one, other, self.scale.exp(), self._groups[torch.from_numpy(chosen)])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            self.scale.clamp_(max=math.log(_HIGHEST_SCALE))
            self._average()
        self.step += 1
        return float(loss.detach())

    def found(self) -> float:
        """Share of the held-out patches whose second note finds the first."""
        rows = np.arange(self._settings.held)
        library, queries = (embedded(self.mean, self._pictures.levels[rows, play]) for play in (0, 1))
        return float(((queries @ library.T).argmax(axis=1) == rows).mean())

    def keep(self, path: Path, told: str) -> None:
        """Writes the state. Raises OutputError."""
        state = {
            "told": told,
            "step": self.step,
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "scale": self.scale.detach(),
            "optimiser": self.optimiser.state_dict(),
        }
        with atomic_path(path, force=True) as partial:
            torch.save(state, partial)

    def restore(self, path: Path, told: str) -> None:
        """Reads the state. Raises InputError where it is of another run."""
        # What torch raises on a broken file has no common class but Exception.
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True)
            same = state["told"] == told
        except Exception as error:
            raise InputError(f"{path} cannot be read ({error}); delete it to begin anew") from error
        if not same:
            raise InputError(f"{path} is of a run with other settings or sounds; choose another folder, or delete it")
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        with torch.no_grad():
            self.scale.copy_(state["scale"])

    def _chosen(self) -> NDArray[np.int64]:
        """The patches of the step: each once before any comes twice, but for what a batch leaves over."""
        per_epoch = self._trained // self._settings.patches
        epoch, place = divmod(self.step, per_epoch)
        if self._order[0] != epoch:
            order = np.random.default_rng((self._settings.seed, 0, epoch)).permutation(self._trained)
            self._order = (epoch, order)
        return self._order[1][place * self._settings.patches :][: self._settings.patches]

    def _share(self) -> float:
        """Of the highest learning rate."""
        warm = max(1.0, self._settings.warm_up * self._settings.steps)
        if self.step < warm:
            return (self.step + 1) / warm
        return 0.5 + 0.5 * math.cos(math.pi * (self.step - warm) / max(1.0, self._settings.steps - warm))

    def _average(self) -> None:
        # A mean that begins at random weights would remember them: it is short at first.
        old = min(self._settings.average, (1.0 + self.step) / (10.0 + self.step))
        for mean, now in zip(self.mean.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1.0 - old)
        for mean, now in zip(self.mean.buffers(), self.network.buffers(), strict=True):
            # Counts of batches are whole numbers.
            mean.lerp_(now, 1.0 - old) if mean.is_floating_point() else mean.copy_(now)


def embedded(network: TimbreNetwork, levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Vectors of pictures, shape (n, dim).

    Args:
        network: is put into its state for use.
        levels: as `Pictures` has them, shape (n, frames, bands).
    """
    network.eval()
    with torch.inference_mode():
        found = [network(_decibels(levels[start : start + _AT_ONCE])) for start in range(0, len(levels), _AT_ONCE)]
    return torch.cat(found).numpy()


def _decibels(levels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(as_decibels(levels))
