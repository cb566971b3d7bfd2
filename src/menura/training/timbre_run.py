"""A training run of `timbre`: its pictures, its loss and its judgement, for the loop. Knows no command line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from menura.errors import InputError
from menura.models.timbre_network import TimbreNetwork
from menura.storage import hash_bytes
from menura.training import loop
from menura.training.augmentation import Augmentation, augmented
from menura.training.contrastive import contrastive_loss
from menura.training.pictures import Pictures, as_decibels, twin_groups
from menura.training.settings import LoopSettings, Machine
from menura.training.task import Batch, EpochOrder

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

    def show(now: loop.Progress) -> None:
        if tell:
            tell(Progress(now.step, now.losses["loss"], now.losses["scale"], now.judged["found"]))

    # What is small is trained on the processor by design.
    machine = Machine(accelerator="cpu")
    task = TimbreTask(pictures, settings)
    return loop.fit(task, _loop_settings(settings), folder, show, machine=machine, until=until).network.network


class _Scaled(nn.Module):
    """The network, and the inverse temperature that is learnt beside it."""

    def __init__(self, settings: TimbreSettings) -> None:
        super().__init__()
        self.network = TimbreNetwork(settings.width, settings.dim).to(memory_format=torch.channels_last)
        self.scale = nn.Parameter(torch.tensor(math.log(1.0 / settings.temperature)))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors, and the inverse temperature."""
        return self.network(pictures), self.scale.clamp(max=math.log(_HIGHEST_SCALE)).exp()


class TimbreTask:
    """Notes of one patch are the same timbre, those of others are not."""

    def __init__(self, pictures: Pictures, settings: TimbreSettings) -> None:
        self._pictures, self._settings = pictures, settings
        groups = twin_groups(pictures.part(settings.held, len(pictures)), 1, settings.twins_db)
        self._groups = torch.from_numpy(groups)
        self._order = EpochOrder(len(groups), settings.patches, settings.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = _Scaled(settings)

    @property
    def fingerprint(self) -> str:
        """Of the settings and the pictures."""
        return hash_bytes(f"{asdict(self._settings)}{self._pictures.fingerprint}".encode())

    def batch(self, step: int, rng: np.random.Generator) -> Batch:
        """Two notes of each patch, augmented."""
        chosen = self._order(step)
        plays = rng.permuted(np.tile(np.arange(self._pictures.levels.shape[1]), (len(chosen), 1)), axis=1)[:, :2]
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        rows = np.concatenate([chosen, chosen]) + self._settings.held
        levels = self._pictures.levels[rows, np.concatenate([plays[:, 0], plays[:, 1]])]
        heard = augmented(_decibels(levels), self._settings.augmentation, generator)
        return {"heard": torch.stack(heard.split(len(chosen)), dim=1), "groups": self._groups[torch.from_numpy(chosen)]}

    def loss(self, network: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Of finding each note's partner."""
        vectors, scale = network(batch["heard"].transpose(0, 1).flatten(0, 1))
        one, other = vectors.float().chunk(2)
        return contrastive_loss(one, other, scale, batch["groups"]), {"scale": scale}

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Share of the held-out patches whose second note finds the first."""
        rows = np.arange(self._settings.held)
        library, queries = (embedded(network.network, self._pictures.levels[rows, play]) for play in (0, 1))
        return {"found": float(((queries @ library.T).argmax(axis=1) == rows).mean())}


def _loop_settings(settings: TimbreSettings) -> LoopSettings:
    return LoopSettings(
        steps=settings.steps,
        batch=settings.patches,
        rate=settings.rate,
        lowest=0.0,
        warm_up=settings.warm_up,
        decay=settings.decay,
        betas=(0.9, 0.98),
        average=settings.average,
        log_every=settings.every,
        check_every=settings.every,
        precision="bf16-mixed" if settings.bfloat16 else "32-true",
        seed=settings.seed,
    )


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
