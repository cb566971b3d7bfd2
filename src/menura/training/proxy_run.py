"""A training run of a neural proxy: its rows and its loss, for the loop. Knows no synth and no command line.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, equation 3 and section 5.1.3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from menura.errors import InputError
from menura.models.proxies import Proxy, proxy_size
from menura.storage import hash_bytes
from menura.training.loop import Fitted, Progress, fit
from menura.training.proxy_inputs import ProxyInputs
from menura.training.rows import Rows
from menura.training.settings import LoopSettings, Machine
from menura.training.task import Batch, EpochOrder

Judge = Callable[[NDArray[np.float32], NDArray[np.float32]], Mapping[str, float]]
"""(answers, heard), both of shape (n, dim) -> numbers, `mrr` and `l1` among them."""

_AT_ONCE = 1_024
_CENTRED_ON = 65_536


@dataclass(frozen=True)
class ProxySettings:
    """Everything that decides a proxy besides its rows."""

    encoder: str = "HN-OH"
    scale: float = 1.0
    """Of the paper's widths."""
    layers: int | None = None
    """At the most; None takes the paper's."""
    steps: int = 2_000
    batch: int = 512
    rate: float = 1e-3
    """Highest learning rate; half cosines down to 2e-6, beginning anew after a third of the steps."""
    warm_up: float = 0.02
    betas: tuple[float, float] = (0.9, 0.999)
    decay: float = 0.0
    checks: int = 10
    """Judgements, evenly over the steps."""
    bfloat16: bool = False
    seed: int = 0

    def loop(self) -> LoopSettings:
        """Those of the loop. Raises InputError."""
        every = max(1, self.steps // max(self.checks, 1))
        return LoopSettings(
            steps=self.steps,
            batch=self.batch,
            rate=self.rate,
            lowest=min(2e-6, self.rate),
            warm_up=self.warm_up,
            restarts=(1.0 / 3.0,),
            decay=self.decay,
            betas=self.betas,
            log_every=max(1, every // 5),
            check_every=every,
            best={"mrr": "highest", "l1": "lowest"},
            precision="bf16-mixed" if self.bfloat16 else "32-true",
            seed=self.seed,
        )


class ProxyTask:
    """From presets to what was heard of them."""

    def __init__(
        self, rows: Rows, validation: Rows, inputs: ProxyInputs, settings: ProxySettings, judge: Judge
    ) -> None:
        """Makes the network.

        Raises:
            InputError: there are too few rows, no such encoder, or the embeddings differ.
        """
        self._rows, self._validation, self._inputs, self._settings = rows, validation, inputs, settings
        self._judge = judge
        self._plays = rows.embeddings.shape[1]
        count, dim = len(rows) * self._plays, rows.embeddings.shape[2]
        if count < settings.batch or len(validation) < 4:
            raise InputError(
                f"{count} rows for batches of {settings.batch}, {len(validation)} patches to judge on; render more, or "
                "choose smaller batches"
            )
        if rows.facts["embedder"] != validation.facts["embedder"]:
            raise InputError("the patches to judge on were heard by another embedder; render both with the same one")
        self._order = EpochOrder(count, settings.batch, settings.seed)
        heard = np.asarray(rows.embeddings[:_CENTRED_ON], dtype=np.float32).reshape(-1, dim)
        centre = heard.mean(axis=0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = Proxy(inputs.space, dim, proxy_size(settings.encoder, settings.scale, settings.layers))
        self.network.aim(centre, max(float(np.abs(heard - centre).mean()), 1e-6))
        self._spread = float(self.network.spread)

    @property
    def fingerprint(self) -> str:
        """Of settings, rows and inputs."""
        told = [asdict(self._settings), self._rows.fingerprint, self._validation.fingerprint]
        return hash_bytes(json.dumps([*told, self._inputs.space.fingerprint], sort_keys=True).encode())

    def batch(self, step: int, rng: np.random.Generator) -> Batch:  # noqa: ARG002 - a row has no chance of its own
        """Coordinates and embeddings of some rows."""
        patches, plays = np.divmod(self._order(step), self._plays)
        heard = np.asarray(self._rows.embeddings[patches, plays], dtype=np.float32)
        return {"seen": self._inputs.of(self._rows, patches, plays), "heard": heard}

    def loss(self, network: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """L1, in units of the embeddings' spread."""
        error = (network(batch["seen"]) - batch["heard"]).abs().mean()
        return error / self._spread, {"l1": error}

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """What the judge says of patches that are not trained on, each at one note."""
        return self._judge(*answers(network, self._inputs, self._validation))


def train_proxy(
    rows: Rows,
    validation: Rows,
    inputs: ProxyInputs,
    settings: ProxySettings,
    folder: Path,
    judge: Judge,
    tell: Callable[[Progress], None] | None = None,
    *,
    machine: Machine | None = None,
    until: int | None = None,
) -> Fitted:
    """Trains a proxy, or goes on.

    Args:
        rows: trained on, at all their notes.
        validation: of other lineages; judged at their last note.
        inputs: what the proxy sees.
        settings: of the run.
        folder: of the run; the best weights by MRR and by L1 are in it, `menura.training.state.read_best`.
        judge: `menura.evaluation.proxy_scores.validation_scores`.
        tell: called at each judgement.
        machine: where it runs.
        until: stop after this step, to go on later.

    Raises:
        InputError: as `ProxyTask` and `fit`.
        OutputError: a file cannot be written.
        WorkError: as `fit`.
    """
    task = ProxyTask(rows, validation, inputs, settings, judge)
    return fit(task, settings.loop(), folder, tell, machine=machine, until=until)


def answers(
    network: nn.Module, inputs: ProxyInputs, rows: Rows, play: int = -1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a proxy says of each patch, and what was heard; both of shape (patches, dim).

    Args:
        network: a proxy; is put into its state for use.
        inputs: what it sees.
        rows: of the patches.
        play: at which of their notes.
    """
    network.eval()
    device = next(network.parameters()).device
    patches = np.arange(len(rows))
    plays = np.full(len(rows), play % rows.embeddings.shape[1])
    found: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(rows), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            seen = torch.from_numpy(inputs.of(rows, patches[part], plays[part])).to(device)
            found.append(network(seen).float().cpu().numpy())
    heard = np.asarray(rows.embeddings[:, play], dtype=np.float32)
    return np.concatenate(found) if found else np.zeros_like(heard), heard
