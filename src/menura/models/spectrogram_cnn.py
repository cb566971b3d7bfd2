"""The network of sound matching: strided convolutions over a log-mel picture, then a head for each parameter.

Owns the network and its checkpoint. Knows no synth, no data and no loss schedule.

Source: Barkan et al., "InverSynth: deep estimation of synthesizer parameter configurations from audio signals", 2019,
and "InverSynth II", ISMIR 2023, as Combes et al. 2025, section 7.1, use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from menura.errors import CheckpointError, InputError
from menura.models.checkpoint import read_checkpoint, read_space, space_record, write_checkpoint
from menura.models.preset_head import PresetHead
from menura.space import ParameterSpace

KIND = "sound-matching"


@dataclass(frozen=True)
class CnnSize:
    """How large a network is, and what it looks at.

    Raises:
        InputError: a number is out of range.
    """

    channels: tuple[int, ...] = (32, 64, 128, 256, 512)
    """Of each layer; each halves time and bands."""
    hidden: int = 512
    """Numbers between the convolutions and the heads."""
    frames: int = 94
    """Of a picture."""
    bands: int = 128

    def __post_init__(self) -> None:
        if not self.channels or min(*self.channels, self.hidden, self.frames, self.bands) < 1:
            raise InputError(
                f"a network of channels {self.channels} and {self.hidden} hidden numbers for pictures of "
                f"{self.frames} x {self.bands}; give one layer or more, and numbers from 1"
            )


class SpectrogramCnn(nn.Module):
    """From pictures to raw heads of a space.

    Args:
        space: of the presets that are estimated.
        size: of the network.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, space: ParameterSpace, size: CnnSize) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))
        layers: list[nn.Module] = []
        before, frames, bands = 1, size.frames, size.bands
        for number, channels in enumerate(size.channels):
            kernel = 3 if number else 5
            layers += [
                nn.Conv2d(before, channels, kernel, stride=2, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
            before, frames, bands = channels, -(-frames // 2), -(-bands // 2)
        # Channels side by side in memory: convolutions of few channels are nearly twice as fast on a processor.
        self.layers = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self.wide = nn.Sequential(nn.Linear(before * frames * bands, size.hidden), nn.ReLU())
        self.head = PresetHead(space, size.hidden)

    def aim(self, centre: float, spread: float) -> None:
        """Sets mean and standard deviation of the pictures, dB; `spread` is above 0."""
        self.centre.fill_(centre)
        self.spread.fill_(spread)

    def forward(self, pictures: Tensor) -> Tensor:
        """Raw heads, shape (batch, outputs).

        Args:
            pictures: dB, shape (batch, frames, bands).
        """
        seen = ((pictures - self.centre) / self.spread)[:, None].contiguous(memory_format=torch.channels_last)
        return self.head(self.wide(self.layers(seen).flatten(1)))


def write_cnn(path: Path, network: SpectrogramCnn, space: ParameterSpace, facts: Mapping[str, Any]) -> None:
    """Writes weights and card.

    Args:
        path: ends with .safetensors.
        network: what is written.
        space: of its answers.
        facts: what else the card says.

    Raises:
        OutputError: the disk refuses.
    """
    card = {
        "kind": KIND,
        "size": asdict(network.size),
        "parameters": sum(each.numel() for each in network.parameters()),
        **facts,
        "space": space_record(space),
    }
    write_checkpoint(path, network.state_dict(), card)


def read_cnn(path: Path) -> tuple[SpectrogramCnn, ParameterSpace, dict[str, Any]]:
    """A network in its state for use, the space of its answers, and its card.

    Raises:
        CheckpointError: it is missing, damaged, or something else.
    """
    weights, card = read_checkpoint(path)
    if card.get("kind") != KIND:
        raise CheckpointError(f"{path} is a checkpoint of kind {card.get('kind')!r}, not {KIND}; name another")
    space = read_space(card["space"])
    try:
        size = CnnSize(**{**card["size"], "channels": tuple(card["size"]["channels"])})
        with torch.random.fork_rng(devices=[]):
            network = SpectrogramCnn(space, size)
        network.load_state_dict(weights)
    except (KeyError, TypeError, RuntimeError, InputError) as error:
        raise CheckpointError(f"{path} does not fit its card ({error}); train it anew") from error
    return network.eval(), space, card
