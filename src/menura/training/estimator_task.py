"""What an estimator is trained on, step by step: sounds of corpora, augmented, with their patches. Knows no synth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from menura.errors import InputError
from menura.models.assignment import led_noise, nearest_arrangement
from menura.models.estimator_network import Architecture, EstimatorNetwork
from menura.models.layout import Layout
from menura.models.paths import at
from menura.models.picture_encoder import PictureEncoder
from menura.storage import hash_bytes
from menura.training.augmentation import Augmentation, augmented
from menura.training.patches import Patches
from menura.training.pictures import as_decibels
from menura.training.proxy_loss import ProxyLoss
from menura.training.task import Batch, EpochOrder


@dataclass(frozen=True)
class EstimatorSettings:
    """What decides the weights besides the loop's own settings and the patches."""

    architecture: Architecture = field(default_factory=Architecture)
    batch: int = 256
    held: int = 256
    """Patches, the first ones, that are not trained on and tell how far it is."""
    hidden: float = 0.1
    """Share of the sounds that are hidden, so that guidance has something to go past."""
    unknown: float = 0.15
    """Share of the notes that are not told."""
    changed: float = 0.5
    """Share of the pictures that are made to look like recordings."""
    early: float = 1.5
    """Above 1, times lie nearer to the noise: late ones tell the patch, and leave little to hear."""
    assign: bool = True
    """Whether interchangeable parts are laid over each other before the loss."""
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)


class EstimatorTask:
    """A `Task` of `menura.training.loop`.

    Args:
        patches: that are trained and judged on.
        layout: of their vectors.
        settings: of the task.
        pretrained: folder of a pretrained encoder.
        start: weights of a trained `timbre` network from whose convolutions the encoder starts.
        proxy: gives a further loss of raw heads (spectral or perceptual, through a proxy of the synth), see
        `ProxyLoss`.

    Raises:
        InputError: there are too few patches.
    """

    def __init__(
        self,
        patches: Patches,
        layout: Layout,
        settings: EstimatorSettings,
        *,
        pretrained: Path | None = None,
        start: Mapping[str, Any] | None = None,
        proxy: ProxyLoss | None = None,
    ) -> None:
        trained = len(patches) - settings.held
        if trained < settings.batch or settings.held < 1:
            raise InputError(
                f"{len(patches)} patches are too few for {settings.held} held out and batches of {settings.batch}; "
                "render more, or choose a smaller size"
            )
        self._patches, self._layout, self._settings, self._proxy = patches, layout, settings, proxy
        self._features = layout.encode(patches.vectors)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network: nn.Module = EstimatorNetwork(layout, settings.architecture, pretrained)
            if start is not None:
                if not isinstance(self.network.encoder, PictureEncoder):
                    raise InputError("only the picture encoder can start from the timbre embedding; leave start out")
                self.network.encoder.start_from_timbre(dict(start))
        self._order = EpochOrder(trained, settings.batch, settings.seed)
        self._started = f"{pretrained} {start is not None} {sorted(proxy.weights.items()) if proxy else None}"

    @property
    def fingerprint(self) -> str:
        """Of patches, layout and settings."""
        told = [self._patches.fingerprint, self._layout.fingerprint, asdict(self._settings), self._started]
        return hash_bytes(json.dumps(told, sort_keys=True).encode())

    def batch(self, step: int, rng: np.random.Generator) -> Batch:
        """Sounds, their patches, and the noisy features of flows and diffusions."""
        rows = self._order(step) + self._settings.held
        plays = rng.integers(0, self._patches.levels.shape[1], len(rows))
        return self._made(rows, plays, rng, self._settings.changed, self._settings.hidden, self._settings.unknown)

    def loss(self, network: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The mean cost of a coordinate, and of the proxy's hearing where there is one."""
        raw = network(*(batch[name] for name in ("pictures", "contours", "notes", "noisy", "time", "keep"))).float()
        truth = batch["truth"]
        heads = self._heads(network)
        own: EstimatorNetwork = self._own(network)
        if self._settings.assign and own.architecture.kind == "regression":
            with torch.no_grad():
                guess = heads.means(raw).cpu().numpy()
            arranged = nearest_arrangement(self._layout, truth.cpu().numpy(), guess)
            truth = torch.from_numpy(arranged).to(raw.device)
        parameters = heads.loss(raw, truth).mean()
        if self._proxy is None:
            return parameters, {"loss": parameters}
        further = self._proxy(heads.means(raw), batch)
        total = parameters + torch.stack(list(further.values())).sum()
        return total, {"loss": total, "parameters": parameters, **further}

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """The loss of the patches that were held out, at fixed chance, with their sounds and without."""
        found: dict[str, float] = {}
        for name, hidden in (("held", 0.0), ("held_hidden", 1.0)):
            # The same chance for both, so that their difference is what hearing is worth.
            rng = np.random.default_rng((self._settings.seed, 7))
            losses: list[float] = []
            for start in range(0, self._settings.held, self._settings.batch):
                rows = np.arange(start, min(start + self._settings.batch, self._settings.held))
                plays = rng.integers(0, self._patches.levels.shape[1], len(rows))
                made = self._made(rows, plays, rng, 0.0, hidden, 0.0)
                device = next(network.parameters()).device
                batch = {key: torch.as_tensor(each).to(device) for key, each in made.items()}
                losses += [float(self.loss(network, batch)[0])] * len(rows)
            found[name] = float(np.mean(losses))
        return found

    def _made(
        self, rows: NDArray[np.int64], plays: NDArray[np.int64], rng: np.random.Generator,
        changed: float, hidden: float, unknown: float,
    ) -> dict[str, Any]:  # fmt: skip
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        pictures = torch.from_numpy(as_decibels(self._patches.levels[rows, plays]))
        pick = rng.random(len(rows)) < changed
        if pick.any():
            chosen = torch.from_numpy(np.flatnonzero(pick))
            pictures[chosen] = augmented(pictures[chosen], self._settings.augmentation, generator)
        notes = self._patches.notes[rows, plays].copy()
        notes[rng.random(len(rows)) < unknown] = 0.0
        truth = self._features[rows]
        noise = rng.standard_normal(truth.shape, dtype=np.float32)
        kind = self._settings.architecture.kind
        if self._settings.assign and kind == "flow":
            noise = led_noise(self._layout, noise, truth)
        time = rng.random(len(rows)) ** self._settings.early
        signal, level = at("diffusion" if kind == "diffusion" else "flow", time)
        noisy = signal[:, None] * truth + level[:, None] * noise
        return {
            "pictures": pictures,
            "contours": torch.from_numpy(self._patches.contours[rows, plays].astype(np.float32)),
            "notes": torch.from_numpy(notes),
            "noisy": torch.from_numpy(noisy.astype(np.float32)),
            "time": torch.from_numpy(time.astype(np.float32)),
            "keep": torch.from_numpy((rng.random(len(rows)) >= hidden).astype(np.float32)),
            "truth": torch.from_numpy(truth),
            **({} if self._proxy is None else self._proxy.rows(rows)),
        }

    def _own(self, network: nn.Module) -> EstimatorNetwork:
        found = getattr(network, "module", network)
        return found if isinstance(found, EstimatorNetwork) else self.network  # pyright: ignore[reportReturnType]

    def _heads(self, network: nn.Module) -> Any:
        return self._own(network).heads
