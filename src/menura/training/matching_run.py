"""A training run of sound matching: pictures and patches, parameter loss and a frozen proxy's embedding loss.

Knows no synth, no engine and no command line: what an answer sounds like is told by whoever judges.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, section 7.1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from menura.errors import InputError
from menura.models.preset_head import PresetHead
from menura.models.proxies import Proxy
from menura.models.spectrogram_cnn import CnnSize, SpectrogramCnn
from menura.space import ParameterSpace
from menura.storage import hash_bytes
from menura.training.loop import Fitted, Progress, fit
from menura.training.loss_schedule import loss_weights
from menura.training.settings import LoopSettings, Machine
from menura.training.task import Batch, EpochOrder

Judge = Callable[[NDArray[np.float32]], Mapping[str, float]]
"""Coordinates of the answers to the sounds to validate by, shape (n, dim) -> numbers, `audio` among them."""

_AT_ONCE = 256


@dataclass(frozen=True)
class MatchingSettings:
    """Everything that decides a run besides its sounds and the proxy."""

    schedule: str = "mix"
    """Of the losses, from `menura.training.loss_schedule`."""
    size: CnnSize = field(default_factory=CnnSize)
    steps: int = 1_500
    batch: int = 64
    rate: float = 1e-3
    """Highest learning rate; half a cosine down to a hundredth of it."""
    warm_up: float = 0.02
    checks: int = 6
    """Judgements by the engine, evenly over the steps."""
    bfloat16: bool = False
    seed: int = 0

    def loop(self) -> LoopSettings:
        """Those of the loop. Raises InputError."""
        every = max(1, self.steps // max(self.checks, 1))
        return LoopSettings(
            steps=self.steps,
            batch=self.batch,
            rate=self.rate,
            lowest=0.01 * self.rate,
            warm_up=self.warm_up,
            log_every=max(1, every // 5),
            check_every=every,
            best={"audio": "lowest"},
            precision="bf16-mixed" if self.bfloat16 else "32-true",
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Sounds with their patches."""

    pictures: NDArray[np.float16]
    """dB, shape (n, frames, bands)."""
    vectors: NDArray[np.float32]
    """Coordinates of the space that is estimated, shape (n, dim)."""
    notes: NDArray[np.float32]
    """What the proxy is told of the note after them, shape (n, of the note)."""
    heard: NDArray[np.float32]
    """Embeddings of the sounds, shape (n, embedding dim)."""
    fingerprint: str

    def __len__(self) -> int:
        return len(self.pictures)


class MatchingTask:
    """From sounds to presets, by presets that are known and by what a frozen proxy hears of those that are answered."""

    def __init__(
        self,
        space: ParameterSpace,
        proxy: Proxy,
        train: Examples,
        validation: Examples,
        settings: MatchingSettings,
        judge: Judge,
    ) -> None:
        """Makes the network.

        Args:
            space: that is estimated: the proxy's without the note.
            proxy: frozen here.
            train: trained on.
            validation: of other lineages.
            settings: of the run.
            judge: plays the answers to `validation`.

        Raises:
            InputError: there are too few sounds, no such schedule, or the embeddings are not the proxy's.
        """
        loss_weights(settings.schedule, 0, settings.steps)
        if len(train) < settings.batch or not len(validation):
            raise InputError(
                f"{len(train)} sounds for batches of {settings.batch}, {len(validation)} to judge by; render more, or "
                "choose smaller batches"
            )
        if train.heard.shape[1] != proxy.dim:
            raise InputError(
                f"the proxy answers in {proxy.dim} numbers, the sounds' embeddings have {train.heard.shape[1]}; "
                "name a proxy of their embedder"
            )
        self._proxy, self._train, self._validation = _frozen(proxy), train, validation
        self._settings, self._judge, self._space = settings, judge, space
        self._order = EpochOrder(len(train), settings.batch, settings.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = SpectrogramCnn(space, settings.size)
        seen = train.pictures[: 4 * _AT_ONCE].astype(np.float32)
        self.network.aim(float(seen.mean()), max(float(seen.std()), 1e-3))
        self.network.head.begin_at(torch.from_numpy(np.ascontiguousarray(train.vectors)))

    @property
    def fingerprint(self) -> str:
        """Of settings, sounds, space and proxy."""
        weights = [each.detach().cpu().numpy().tobytes() for each in self._proxy.state_dict().values()]
        told = [asdict(self._settings), self._train.fingerprint, self._validation.fingerprint]
        told += [self._space.fingerprint, hash_bytes(b"".join(weights))]
        return hash_bytes(json.dumps(told, sort_keys=True).encode())

    def batch(self, step: int, rng: np.random.Generator) -> Batch:  # noqa: ARG002 - a sound has no chance of its own
        """Some sounds, and what the losses weigh in this step; embeddings only where they count."""
        rows, count = self._order(step), self._settings.batch
        of_parameters, of_heard = loss_weights(self._settings.schedule, step, self._settings.steps)
        found = self._rows(self._train, rows)
        found["parameter_weight"] = np.full(count, of_parameters, dtype=np.float32)
        if of_heard:
            found["embedding_weight"] = np.full(count, of_heard, dtype=np.float32)
        return found

    def loss(self, network: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Weighted sum of the parameter loss and, where its weight is above 0, the embedding loss."""
        raw = network(batch["pictures"]).float()
        head = self._head
        kinds = head.loss(raw, batch["vectors"])
        parameters = torch.stack(list(kinds.values())).sum()
        total = batch["parameter_weight"].mean() * parameters
        if "embedding_weight" not in batch:
            return total, {"parameters": parameters, **kinds}
        heard = self.embedding_loss(raw, batch)
        return total + batch["embedding_weight"].mean() * heard, {"parameters": parameters, "embedding": heard, **kinds}

    def embedding_loss(self, raw: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """L1 between what the proxy says of the answers and what was heard, in units of the embeddings' spread."""
        proxy = self._proxy.to(raw.device)
        answer = proxy(self._head.soft(raw, batch["notes"]))
        return (answer - batch["heard"]).abs().mean() / proxy.spread

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """What the judge says of the answers to the validation's sounds, and the losses of these."""
        device = next(network.parameters()).device
        sums = dict[str, float]()
        answers: list[NDArray[np.float32]] = []
        for start in range(0, len(self._validation), _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, len(self._validation)))
            batch = {
                name: torch.as_tensor(each).to(device) for name, each in self._rows(self._validation, rows).items()
            }
            raw = network(batch["pictures"]).float()
            losses = {"embedding": self.embedding_loss(raw, batch), **self._head.loss(raw, batch["vectors"])}
            for name, each in losses.items():
                sums[name] = sums.get(name, 0.0) + float(each) * len(rows) / len(self._validation)
            answers.append(self._head.vectors(raw).cpu().numpy())
        return {**sums, **self._judge(np.concatenate(answers))}

    @property
    def _head(self) -> PresetHead:
        return self.network.head

    @staticmethod
    def _rows(examples: Examples, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        return {
            "pictures": examples.pictures[rows].astype(np.float32),
            "vectors": examples.vectors[rows],
            "notes": examples.notes[rows],
            "heard": examples.heard[rows],
        }


def train_matching(
    space: ParameterSpace,
    proxy: Proxy,
    train: Examples,
    validation: Examples,
    settings: MatchingSettings,
    folder: Path,
    judge: Judge,
    tell: Callable[[Progress], None] | None = None,
    *,
    machine: Machine | None = None,
    until: int | None = None,
) -> Fitted:
    """Trains an estimator, or goes on; arguments as of `MatchingTask` and `menura.training.loop.fit`.

    The best weights by the judge's `audio` are in the folder, `menura.training.state.read_best`.

    Raises:
        InputError: as `MatchingTask` and `fit`.
        OutputError: a file cannot be written.
        WorkError: as `fit`.
    """
    task = MatchingTask(space, proxy, train, validation, settings, judge)
    return fit(task, settings.loop(), folder, tell, machine=machine, until=until)


def answers_to(network: SpectrogramCnn, pictures: NDArray[np.floating]) -> NDArray[np.float32]:
    """Coordinates of the likeliest presets for pictures of shape (n, frames, bands); shape (n, dim)."""
    network.eval()
    device = next(network.parameters()).device
    found: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(pictures), _AT_ONCE):
            seen = torch.from_numpy(pictures[start : start + _AT_ONCE].astype(np.float32)).to(device)
            found.append(network.head.vectors(network(seen).float()).cpu().numpy())
    return np.concatenate(found)


def _frozen(proxy: Proxy) -> Proxy:
    """The proxy in its state for use, that no step changes."""
    proxy.requires_grad_(False).eval()
    for part in proxy.modules():
        if isinstance(part, nn.GRU):
            # A GPU's own recurrent layers pass no gradient on in the state for use; without dropout the two are one.
            part.train()
    return proxy
