"""What an estimator hears: a picture in semitones, a contour and a note, as tokens. Knows no patch and no synth.

The picture is seen twice: where it lies, and moved so that the note's fundamental lies on one row, where the partials
of every pitch meet the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from menura.errors import InputError
from menura.features import contour as contours_of
from menura.features.semitones import BANDS, FRAMES, LOWEST, RANGE_DB
from menura.models.timbre_network import Residual
from menura.models.transformer import waves

FUNDAMENTAL = 12
"""Row of the moved picture on which the fundamental lies: an octave is left for what sounds below."""
SLOTS = len(contours_of.SLOTS) - 1
_PITCHES = 6


def aligned(pictures: Tensor, notes: Tensor) -> Tensor:
    """Pictures moved to their notes' fundamentals; all floor where the note is not known.

    Args:
        pictures: dB, shape (batch, frames, BANDS).
        notes: as `NoteTokens` takes them.
    """
    moved = torch.round(notes[:, :1] - LOWEST).to(torch.int64) - FUNDAMENTAL
    place = torch.arange(BANDS, device=pictures.device).unsqueeze(0) + moved
    inside = (place >= 0) & (place < BANDS) & (notes[:, 3:] > 0.5)
    index = place.clamp(0, BANDS - 1).unsqueeze(1).expand(-1, pictures.shape[1], -1)
    return torch.where(inside.unsqueeze(1), torch.gather(pictures, 2, index), torch.full_like(pictures, -RANGE_DB))


class NoteTokens(nn.Module):
    """A note, and a contour, as one token each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.note = nn.Sequential(nn.Linear(2 * _PITCHES + 4, width), nn.GELU(), nn.Linear(width, width))
        self.contour = nn.Sequential(
            nn.Linear(SLOTS * contours_of.BANDS, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, contours: Tensor, notes: Tensor) -> Tensor:
        """Shape (batch, 2, width).

        Args:
            contours: dB of `menura.features.contour`, shape (batch, slots, bands).
            notes: MIDI pitch, velocity (0 to 1), hold in seconds, and 1 where they are known, shape (batch, 4).
        """
        known = notes[:, 3:]
        pitch = notes[:, 0] / 128.0
        told = torch.cat([waves(pitch, _PITCHES, 10.0), notes[:, :3] / notes.new_tensor([60.0, 1.0, 1.0])], dim=1)
        note = self.note(torch.cat([told * known, known], dim=1))
        seen = self.contour(contours.flatten(1) / (contours_of.RANGE_DB / 4.0) + 2.0)
        return torch.stack([note, seen], dim=1)


class PictureEncoder(nn.Module):
    """Convolutions over pitch and time, then a token for each step of time."""

    def __init__(self, width: int, channels: int = 16) -> None:
        """Random weights.

        Args:
            width: of a token.
            channels: of the first layer; the others have multiples of it.
        """
        super().__init__()
        self.layers = nn.Sequential(
            _convolution(2, channels, 5, 2),
            _convolution(channels, 2 * channels, 3, 2),
            Residual(2 * channels),
            _convolution(2 * channels, 4 * channels, 3, 2),
            Residual(4 * channels),
        )
        rows, self.steps = -(-BANDS // 8), -(-FRAMES // 8)
        self.across = nn.Sequential(
            nn.Conv1d(rows * 4 * channels, 16 * channels, 1, bias=False), nn.BatchNorm1d(16 * channels), nn.ReLU()
        )
        self.to_tokens = nn.Linear(16 * channels, width)
        self.moments = nn.Parameter(0.02 * torch.randn(self.steps, width))
        self.note_tokens = NoteTokens(width)
        self.norm = nn.LayerNorm(width)

    def forward(self, pictures: Tensor, contours: Tensor, notes: Tensor) -> Tensor:
        """Tokens, shape (batch, steps + 2, width).

        Args:
            pictures: dB from -80 to 0, shape (batch, FRAMES, BANDS).
            contours: as `NoteTokens` takes them.
            notes: as `NoteTokens` takes them.
        """
        both = torch.stack([pictures, aligned(pictures, notes)], dim=1)
        scaled = (both + RANGE_DB / 2.0) / (RANGE_DB / 4.0)
        seen = self.layers(scaled.transpose(2, 3)).flatten(1, 2)
        tokens = self.to_tokens(self.across(seen).transpose(1, 2)) + self.moments
        return self.norm(torch.cat([tokens, self.note_tokens(contours, notes)], dim=1))

    def start_from_timbre(self, state: dict[str, Any]) -> None:
        """Takes the convolutions of a `TimbreNetwork` of as many channels; the moved picture begins unheard.

        Raises:
            InputError: the network has other channels.
        """
        own, first = self.state_dict(), "layers.0.0.weight"
        if first not in state or len(state[first]) != len(own[first]):
            raise InputError(
                f"these are no weights of a timbre network of {len(own[first])} channels; name the state of another "
                "run, or start from nothing"
            )
        for name, tensor in state.items():
            if name in own and name.split(".")[0] in ("layers", "across"):
                if own[name].shape == tensor.shape:
                    own[name] = tensor
                elif name == first:
                    own[name] = torch.cat([tensor, torch.zeros_like(tensor)], dim=1)
        self.load_state_dict(own)

    @torch.no_grad()
    def start_from_folded(self, convolutions: Sequence[tuple[Tensor, Tensor]], pictures: Tensor) -> None:
        """Takes convolutions whose normalisation is folded into them, as an exported `timbre` has them.

        The spread that each normalisation is to keep is measured on some pictures: what comes out is the same whether
        it goes by the batch or by what it remembers.

        Args:
            convolutions: weights and offsets, in the order of the layers.
            pictures: dB, shape (batch, FRAMES, BANDS).

        Raises:
            InputError: the network has other channels.
        """
        pairs = [
            (parent[0], parent[1])
            for parent in [*self.layers.modules(), *self.across.modules()]
            if isinstance(parent, nn.Sequential) and isinstance(parent[0], nn.Conv1d | nn.Conv2d)
        ]
        seen: list[Tensor] = []
        for (convolution, norm), (weight, offset) in zip(pairs, convolutions, strict=True):
            moved = torch.zeros_like(convolution.weight)
            if weight.shape[0] != moved.shape[0] or weight.shape[2:] != moved.shape[2:]:
                raise InputError("the timbre embedding has other channels than this network; start from nothing")
            moved[:, : weight.shape[1]] = weight
            convolution.weight.copy_(moved)
            norm.running_mean.zero_()
            norm.running_var.fill_(1.0 - norm.eps)
            norm.weight.fill_(1.0)
            norm.bias.copy_(offset)
        hooks = [norm.register_forward_pre_hook(lambda _, given: seen.append(given[0])) for _, norm in pairs]
        kept = self.training
        self.eval()
        scaled = (torch.stack([pictures, torch.full_like(pictures, -RANGE_DB)], dim=1) + RANGE_DB / 2.0) / (
            RANGE_DB / 4
        )
        self.across(self.layers(scaled.transpose(2, 3)).flatten(1, 2))
        self.train(kept)
        for hook, (_, norm), each in zip(hooks, pairs, seen, strict=True):
            hook.remove()
            spread, middle = torch.var_mean(each.transpose(0, 1).flatten(1), dim=1, correction=0)
            norm.running_mean.copy_(middle)
            norm.running_var.copy_(spread)
            norm.weight.copy_((spread + norm.eps).sqrt())
            norm.bias.add_(middle)


def folded_convolutions(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Weights and offsets of the convolutions of an ONNX file, in their order."""
    import onnx

    graph = onnx.load(str(path)).graph
    known = {each.name: torch.from_numpy(onnx.numpy_helper.to_array(each).copy()) for each in graph.initializer}
    return [(known[node.input[1]], known[node.input[2]]) for node in graph.node if node.op_type == "Conv"]


def _convolution(before: int, after: int, size: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()
    )
