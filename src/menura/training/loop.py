"""The one loop that trains our networks. Knows no data, no loss and no command line.

Step n depends on the task, the settings and the state after step n - 1 alone: a run that was killed and continued is
the run that was not, to the bit on one machine. Lightning Fabric chooses devices and precision.
"""

from __future__ import annotations

import copy
import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from menura.errors import InputError, WorkError
from menura.training.clock import Clock
from menura.training.metrics_file import MetricsFile
from menura.training.settings import LoopSettings, Machine, learning_rate
from menura.training.state import STATE, Best, read_state, write_best, write_state
from menura.training.task import Batch, Task

_BATCH, _STEP, _CHECK = 1, 2, 3
"""Ends of the seeds of what is random in a step."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, at one judgement."""

    step: int
    losses: Mapping[str, float]
    """Means since the last line of the metrics file."""
    judged: Mapping[str, float]
    """What the task's validation says."""
    speed: Mapping[str, float]
    """`examples_per_second`; `waited`: share of the time in which there was no batch yet; `cores`: cores of the
    processor that were busy; on a GPU `gpu`, its share of busy time, and `gpu_gigabytes`, the most it held."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A run that has come to its end, or to where it was to stop."""

    network: nn.Module
    """The last weights, or their running mean; in its state for use."""
    step: int
    best: Mapping[str, Best]
    """By the metric; their weights are `read_best`."""


def fit(
    task: Task,
    settings: LoopSettings,
    folder: Path,
    tell: Callable[[Progress], None] | None = None,
    *,
    machine: Machine | None = None,
    until: int | None = None,
) -> Fitted:
    """Trains, or goes on where it was stopped.

    Args:
        task: what is trained; its network is changed.
        settings: of the run; those of a state in the folder must be the same.
        folder: where state, best weights and metrics are kept.
        tell: called at each judgement.
        machine: where it runs.
        until: stop after this step, to go on later.

    Raises:
        InputError: the folder holds another run, or the batch cannot be dealt to the devices.
        OutputError: a file cannot be written.
        WorkError: the loss is not finite any more, or there is no such device.
    """
    run = _Run(task, settings, folder, machine or Machine())
    # Torch's own chance is set anew in every step; what it was before is of no concern to whoever calls.
    devices = [run.fabric.device] if run.fabric.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), _products(run.machine):
        return run.go(min(until or settings.steps, settings.steps), tell)


class _Run:
    """The state of a run."""

    def __init__(self, task: Task, settings: LoopSettings, folder: Path, machine: Machine) -> None:
        self._task, self._settings, self._folder, self.machine = task, settings, folder, machine
        self._told = json.dumps({"settings": asdict(settings), "task": task.fingerprint}, sort_keys=True)
        self.fabric = _fabric(settings, machine)
        if settings.batch % self.fabric.world_size:
            raise InputError(f"batches of {settings.batch} on {self.fabric.world_size} devices; give a multiple")
        self._mean: nn.Module | None = None
        if settings.average is not None:
            self._mean = self.fabric.to_device(copy.deepcopy(task.network))
        optimiser = torch.optim.AdamW(_groups(task.network, settings.decay), lr=settings.rate, betas=settings.betas)
        self._network, self._optimiser = self.fabric.setup(task.network, optimiser)
        self._step, self._best = 0, dict[str, Best]()
        if (folder / STATE).exists():
            self._restore(read_state(folder / STATE, self._told))

    def go(self, last: int, tell: Callable[[Progress], None] | None) -> Fitted:
        """The steps up to the last one."""
        if self._step < last:
            events = self.machine.tensorboard
            metrics = MetricsFile(self._folder, self._step, tensorboard=events) if self.fabric.is_global_zero else None
            try:
                with ThreadPoolExecutor(1) as ahead:
                    self._steps(last, ahead, metrics, tell)
            finally:
                if metrics:
                    metrics.close()
        return Fitted(self._judged.eval(), self._step, dict(self._best))

    @property
    def _judged(self) -> nn.Module:
        """The network that is judged and kept."""
        return self._mean if self._mean is not None else self._task.network

    def _steps(
        self, last: int, ahead: ThreadPoolExecutor, metrics: MetricsFile | None, tell: Callable[[Progress], None] | None
    ) -> None:
        settings, sums, clock = self._settings, dict[str, Tensor](), Clock(self.fabric.device)
        coming = ahead.submit(self._batch, self._step)
        since = self._step
        while self._step < last:
            batch = clock.wait(coming)
            if self._step + 1 < last:
                coming = ahead.submit(self._batch, self._step + 1)
            for name, number in self._advance(batch).items():
                sums[name] = sums[name] + number if name in sums else number
            clock.examples += settings.batch
            check = self._step % settings.check_every == 0 or self._step == settings.steps
            if not check and self._step % settings.log_every:
                continue
            losses = {name: float(total) / (self._step - since) for name, total in sums.items()}
            since = self._step
            sums.clear()
            if not math.isfinite(losses["loss"]):
                raise WorkError(
                    f"the loss is {losses['loss']} by step {self._step}; begin anew with a rate below {settings.rate:g}"
                )
            if metrics:
                metrics.add(self._step, "train", {**losses, "rate": learning_rate(settings, self._step - 1)})
            if check:
                speed = clock.read()
                judged = self._check(metrics)
                if metrics:
                    metrics.add(self._step, "speed", speed)
                    if tell:
                        tell(Progress(self._step, losses, judged, speed))
                self.fabric.barrier()
                clock.restart()
        if metrics and last % settings.check_every and last < settings.steps:
            self._keep()

    def _batch(self, step: int) -> Batch:
        return self._task.batch(step, np.random.default_rng((self._settings.seed, _BATCH, step)))

    def _advance(self, batch: Batch) -> dict[str, Tensor]:
        """One step; its numbers, still on the device."""
        settings, rank, size = self._settings, self.fabric.global_rank, self.fabric.world_size
        share = {name: self.fabric.to_device(torch.as_tensor(each)[rank::size]) for name, each in batch.items()}
        rate = learning_rate(settings, self._step)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        torch.manual_seed(_seed(settings.seed, _STEP, self._step, rank))
        self._network.train()
        loss, further = self._task.loss(self._network, share)
        self.fabric.backward(loss)
        if settings.clip is not None:
            self.fabric.clip_gradients(self._network, self._optimiser, max_norm=settings.clip, error_if_nonfinite=False)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self._step += 1
        if self._mean is not None:
            _average(self._mean, self._task.network, settings.average or 0.0, self._step)
        return {"loss": loss.detach(), **{name: number.detach() for name, number in further.items()}}

    def _check(self, metrics: MetricsFile | None) -> Mapping[str, float]:
        """Judges, keeps the weights of the best, then the state: what a killed run loses it does again."""
        if metrics is None:
            return {}
        torch.manual_seed(_seed(self._settings.seed, _CHECK, self._step, 0))
        self._judged.eval()
        with torch.inference_mode():
            judged = dict(self._task.validate(self._judged))
        metrics.add(self._step, "judged", judged)
        for name, better in self._settings.best.items():
            if name not in judged:
                raise InputError(f"there is no number {name!r} to choose the best by; there are {', '.join(judged)}")
            known, value = self._best.get(name), judged[name]
            if known is None or (value > known.value if better == "highest" else value < known.value):
                self._best[name] = Best(value, self._step)
                write_best(self._folder, name, self._judged, self._best[name])
        self._keep()
        return judged

    def _keep(self) -> None:
        state = {
            "step": self._step,
            "network": self._task.network.state_dict(),
            "mean": None if self._mean is None else self._mean.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "best": {name: [best.value, best.step] for name, best in self._best.items()},
        }
        write_state(self._folder / STATE, self._told, state)

    def _restore(self, state: Mapping[str, Any]) -> None:
        self._step = state["step"]
        self._best = {name: Best(value, step) for name, (value, step) in state["best"].items()}
        self._task.network.load_state_dict(state["network"])
        if self._mean is not None:
            self._mean.load_state_dict(state["mean"])
        self._optimiser.load_state_dict(state["optimiser"])


@contextmanager
def _products(machine: Machine) -> Iterator[None]:
    """How exactly matrices are multiplied while a run goes on."""
    if not machine.coarse:
        yield
        return
    convolutions = torch.backends.mkldnn.conv
    kept = torch.get_float32_matmul_precision(), convolutions.fp32_precision
    torch.set_float32_matmul_precision("medium")
    convolutions.fp32_precision = "bf16"
    try:
        # Fused attention multiplies many small matrices, which are slower so.
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.set_float32_matmul_precision(kept[0])
        convolutions.fp32_precision = kept[1]


def _fabric(settings: LoopSettings, machine: Machine) -> Fabric:
    # It tells of devices and precision at the level that others take for silent.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    strategy = "auto" if machine.devices == 1 else "ddp"
    # What Fabric raises where a device is missing has no common class but Exception.
    try:
        fabric = Fabric(
            accelerator=machine.accelerator, devices=machine.devices, strategy=strategy, precision=settings.precision
        )
        fabric.launch()
    except Exception as error:
        raise WorkError(f"{machine.devices} x {machine.accelerator!r} cannot be used: {error}") from error
    return fabric


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Parameters for the optimiser: what is no matrix, a bias or a gain, does not decay."""
    known = [each for each in network.parameters() if each.requires_grad]
    return [
        {"params": [each for each in known if each.ndim > 1], "weight_decay": decay},
        {"params": [each for each in known if each.ndim <= 1], "weight_decay": 0.0},
    ]


@torch.no_grad()
def _average(mean: nn.Module, now: nn.Module, share: float, step: int) -> None:
    # A mean that begins at random weights would remember them: it is short at first.
    old = min(share, step / (9.0 + step))
    for kept, fresh in zip(mean.parameters(), now.parameters(), strict=True):
        kept.lerp_(fresh, 1.0 - old)
    for kept, fresh in zip(mean.buffers(), now.buffers(), strict=True):
        # Counts of batches are whole numbers.
        kept.lerp_(fresh, 1.0 - old) if kept.is_floating_point() else kept.copy_(fresh)


def _seed(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)
