"""Neural proxies: from the coordinates of a preset to what an embedder hears of its sound. Knows no synth and no data.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, section 3.2.2 and table 2, whose numbers of
weights tell what the text leaves open: of a highway network's layers the first is plain, and both directions of the
recurrent layer together are as wide as a token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from menura.errors import InputError
from menura.models.tokens import OneHot, PresetTokenizer, SoftPresets
from menura.space import ParameterSpace


@dataclass(frozen=True)
class ProxySize:
    """One of the five encoders, and how large it is."""

    encoder: str
    layers: int
    """Without the last one, which projects."""
    hidden: int
    """Numbers in a layer."""
    token: int = 0
    """Numbers in a token; none for one-hot inputs."""
    heads: int = 1
    """Of attention."""

    def scaled(self, scale: float, layers: int | None = None) -> ProxySize:
        """A narrower one: widths in multiples of 8, heads of 16 numbers or more.

        Args:
            scale: of the widths.
            layers: at the most.

        Raises:
            InputError: it is not positive.
        """
        if not 0.0 < scale <= 4.0 or (layers is not None and layers < 1):
            raise InputError(
                f"a proxy of scale {scale} with {layers} layers; give a scale up to 4, and a layer or more"
            )

        def width(full: int) -> int:
            return max(8, 8 * round(full * scale / 8.0)) if full else 0

        token = width(self.token)
        heads = self.heads
        while heads > 1 and (token % heads or token < 16 * heads):
            heads //= 2
        hidden = token if self.encoder == "TFM" else width(self.hidden)
        return replace(self, hidden=hidden, token=token, heads=heads, layers=min(self.layers, layers or self.layers))


ENCODERS: Mapping[str, ProxySize] = {
    size.encoder: size
    for size in (
        ProxySize("MLP-OH", 2, 2048),
        ProxySize("HN-OH", 6, 768),
        ProxySize("HN-PT", 6, 512, 64),
        ProxySize("HN-PTGRU", 6, 768, 384),
        ProxySize("TFM", 6, 256, 256, 8),
    )
}
"""By name, as large as in the paper."""


def proxy_size(encoder: str, scale: float = 1.0, layers: int | None = None) -> ProxySize:
    """An encoder by name.

    Raises:
        InputError: there is none of that name, or the scale is out of range.
    """
    if encoder not in ENCODERS:
        raise InputError(f"no encoder is called {encoder!r}; there are {', '.join(ENCODERS)}")
    return ENCODERS[encoder].scaled(scale, layers)


class Proxy(nn.Module):
    """An encoder of presets. It learns embeddings less their mean, in units of their spread."""

    centre: Tensor
    spread: Tensor

    def __init__(self, space: ParameterSpace, dim: int, size: ProxySize) -> None:
        """Random weights, from torch's own generator.

        Args:
            space: of the coordinates that go in.
            dim: length of an embedding.
            size: which encoder, how large.

        Raises:
            SpaceError: the space is empty.
            InputError: no such encoder.
        """
        super().__init__()
        self.size, self.dim = size, dim
        self.encoder: nn.Module = _encoder(space, size)
        self.head = nn.Linear(size.hidden, dim)
        self.register_buffer("centre", torch.zeros(dim))
        self.register_buffer("spread", torch.ones(()))

    def aim(self, centre: Any, spread: float) -> None:
        """Sets mean and spread of the embeddings that it learns.

        Args:
            centre: shape (dim,).
            spread: above 0.
        """
        self.centre.copy_(torch.as_tensor(centre))
        self.spread.fill_(spread)

    def forward(self, vectors: Tensor | SoftPresets) -> Tensor:
        """Embeddings, shape (batch, dim).

        Args:
            vectors: coordinates in [0, 1], shape (batch, space.dim); or soft presets, through whose choices gradients
                come too.
        """
        return self.centre + self.spread * self.head(self.encoder(vectors)).float()


class Highway(nn.Module):
    """A layer beside a straight way, and a gate between the two.

    Source: Srivastava et al., "Training very deep networks", 2015, equation 3, with batch normalisation.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = _plain(width, width)
        self.gate = nn.Linear(width, width)
        # Closed at first, so that depth does no harm.
        nn.init.constant_(self.gate.bias, -1.0)

    def forward(self, found: Tensor) -> Tensor:
        """The same shape."""
        gate = torch.sigmoid(self.gate(found))
        return gate * self.layer(found) + (1.0 - gate) * found


class _Recurrent(nn.Module):
    """Tokens one after another, from both ends: where each of the two arrives."""

    def __init__(self, token: int) -> None:
        super().__init__()
        self.gru = nn.GRU(token, max(token // 2, 1), batch_first=True, bidirectional=True)

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape (batch, token)."""
        _, last = self.gru(_placed(tokens))
        return last.transpose(0, 1).flatten(1)


class _Attention(nn.Module):
    """All tokens look at each other; a token of its own answers."""

    def __init__(self, size: ProxySize) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.randn(1, 1, size.token) / math.sqrt(size.token))
        layer = nn.TransformerEncoderLayer(
            size.token, size.heads, 4 * size.token, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, size.layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(size.token)

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape (batch, token)."""
        answer = self.answer.expand(len(tokens), -1, -1).to(tokens.dtype)
        found = self.layers(_placed(torch.cat([answer, tokens], dim=1)))
        return functional.relu(self.norm(found[:, 0]))


def _encoder(space: ParameterSpace, size: ProxySize) -> nn.Module:
    if size.encoder == "MLP-OH":
        before = OneHot(space)
        deeper = [_plain(size.hidden, size.hidden) for _ in range(size.layers - 1)]
        return nn.Sequential(before, _plain(before.width, size.hidden), *deeper)
    highways = [Highway(size.hidden) for _ in range(size.layers - 1)]
    if size.encoder == "HN-OH":
        before = OneHot(space)
        return nn.Sequential(before, _plain(before.width, size.hidden), *highways)
    tokens = PresetTokenizer(space, size.token)
    if size.encoder == "HN-PT":
        return nn.Sequential(tokens, nn.Flatten(), _plain(tokens.count * size.token, size.hidden), *highways)
    if size.encoder == "HN-PTGRU":
        wide = 2 * max(size.token // 2, 1)
        return nn.Sequential(tokens, _Recurrent(size.token), _plain(wide, size.hidden), *highways)
    if size.encoder == "TFM":
        return nn.Sequential(tokens, _Attention(size))
    raise InputError(f"no encoder is called {size.encoder!r}; there are {', '.join(ENCODERS)}")


def _plain(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU())


def _placed(tokens: Tensor) -> Tensor:
    """Tokens with a wave for each place added.

    Source: Vaswani et al., "Attention is all you need", 2017, section 3.5.
    """
    count, width = tokens.shape[1:]
    place = torch.arange(count, device=tokens.device, dtype=torch.float32)[:, None]
    rates = torch.exp(torch.arange(0, width, 2, device=tokens.device) * (-math.log(10_000.0) / width))
    waves = torch.stack([torch.sin(place * rates), torch.cos(place * rates)], dim=2).flatten(1)[:, :width]
    return tokens + waves.to(tokens.dtype)
