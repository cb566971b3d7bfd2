"""What a network says of each feature, by kind: a number, a switch, one of several, a route or none. Owns the losses.

Raw heads are the numbers of continuous features, log odds of toggles, and logits of choices; all slots say first
whether they are a route, and what else they say counts only where they are.

A flow or a diffusion needs the mean of what a patch may be, given its noisy features; with heads by kind this mean
comes from probabilities where a feature is a choice. Source: Eijkelboom et al., "Variational flow matching for graph
generation", 2024.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from menura.models.layout import Layout

CONTINUOUS = 4.0
"""What a squared error of a continuous feature counts, beside a nat of a choice."""


class Heads(nn.Module):
    """Means and losses of raw heads.

    Args:
        layout: of the features.
        spreads: whether continuous features have a Laplace distribution of learned width, to be drawn from; otherwise
            their error is squared.
    """

    def __init__(self, layout: Layout, *, spreads: bool = False) -> None:
        super().__init__()
        numbers = [place.start for place in layout.places if place.kind == "continuous"]
        toggles = [place.start for place in layout.places if place.kind == "toggle"]
        self.register_buffer("numbers", torch.tensor(numbers, dtype=torch.int64), persistent=False)
        self.register_buffer("toggles", torch.tensor(toggles, dtype=torch.int64), persistent=False)
        widths = sorted({place.width for place in layout.places if place.kind == "choice"})
        self.n_choices = len(widths)
        for number, width in enumerate(widths):
            starts = [p.start for p in layout.places if p.kind == "choice" and p.width == width]
            rows = torch.tensor(starts)[:, None] + torch.arange(width)
            self.register_buffer(f"choice_{number}", rows, persistent=False)
        self.slots = layout.slots.count
        if self.slots:
            self.register_buffer(
                "slot_numbers", torch.from_numpy(layout.slots.scalars[:, ~layout.slots.scalar_toggles]), False
            )
            self.register_buffer(
                "slot_toggles", torch.from_numpy(layout.slots.scalars[:, layout.slots.scalar_toggles]), False
            )
            for number, rows in enumerate(layout.slots.choices):
                self.register_buffer(f"slot_{number}", torch.from_numpy(rows), persistent=False)
        laid = [self.numbers, self.toggles, *(self.get_buffer(f"choice_{n}").flatten() for n in range(self.n_choices))]
        if self.slots:
            laid += [self.get_buffer(f"slot_{name}").flatten() for name in (0, 1, 2, 3, "numbers", "toggles")]
        # Where each feature comes to lie when the pieces are laid one after the other.
        self.register_buffer("order", torch.argsort(torch.cat(laid)), persistent=False)
        self.coordinates = len(layout.places) + self.slots * (4 + layout.slots.scalars.shape[1])
        self.width = layout.width
        self.spread = nn.Parameter(torch.full((layout.width,), -1.0)) if spreads else None

    def means(self, raw: Tensor) -> Tensor:
        """Expected features, from -1 to 1 but for continuous ones, shape (batch, features)."""
        pieces = [raw[:, self.numbers], torch.tanh(0.5 * raw[:, self.toggles])]
        for number in range(self.n_choices):
            rows = self.get_buffer(f"choice_{number}")
            pieces.append((2.0 * torch.softmax(raw[:, rows], dim=-1) - 1.0).flatten(1))
        if self.slots:
            roles = torch.softmax(raw[:, self.slot_0], dim=-1)
            # Of a slot that is no route all else is nothing.
            route = 1.0 - roles[..., :1]
            pieces.append((2.0 * roles - 1.0).flatten(1))
            for number in (1, 2, 3):
                rows = self.get_buffer(f"slot_{number}")
                pieces.append((route * (2.0 * torch.softmax(raw[:, rows], dim=-1) - 1.0)).flatten(1))
            pieces.append((route * raw[:, self.slot_numbers]).flatten(1))
            pieces.append((route * torch.tanh(0.5 * raw[:, self.slot_toggles])).flatten(1))
        return torch.cat(pieces, dim=1)[:, self.order]

    def spreads(self) -> Tensor:
        """Width of each continuous feature's distribution, shape (features,); nothing without `spreads`."""
        return torch.zeros(self.width) if self.spread is None else self.spread.clamp(-6.0, 1.0).exp()

    def loss(self, raw: Tensor, truth: Tensor) -> Tensor:
        """Mean over coordinates of what each patch's features cost, shape (batch,).

        Args:
            raw: heads, shape (batch, features).
            truth: features of the patches, of the same shape.
        """
        found = self._number(raw, truth, self.numbers).sum(dim=1)
        found = found + _switch(raw[:, self.toggles], truth[:, self.toggles]).sum(dim=1)
        for number in range(self.n_choices):
            rows = self.get_buffer(f"choice_{number}")
            found = found + _choice(raw[:, rows], truth[:, rows]).sum(dim=1)
        if self.slots:
            found = found + self.slot_losses(raw, truth).sum(dim=1)
        return found / self.coordinates

    def slot_losses(self, raw: Tensor, truth: Tensor) -> Tensor:
        """The same of each slot, shape (batch, slots)."""
        roles = truth[:, self.slot_0]
        route = (roles.argmax(dim=-1) > 0).to(raw.dtype)
        rest = self._number(raw, truth, self.slot_numbers).sum(dim=-1)
        rest = rest + _switch(raw[:, self.slot_toggles], truth[:, self.slot_toggles]).sum(dim=-1)
        for number in (1, 2, 3):
            rows = self.get_buffer(f"slot_{number}")
            rest = rest + _choice(raw[:, rows], truth[:, rows])
        return _choice(raw[:, self.slot_0], roles) + route * rest

    def _number(self, raw: Tensor, truth: Tensor, rows: Tensor) -> Tensor:
        away = raw[:, rows] - truth[:, rows]
        if self.spread is None:
            return CONTINUOUS * away.square()
        width = self.spreads()[rows]
        return away.abs() / width + torch.log(2.0 * width)


def _switch(raw: Tensor, truth: Tensor) -> Tensor:
    # What an empty slot says of a switch is 0, which is neither; it is not counted.
    return functional.binary_cross_entropy_with_logits(raw, (truth > 0.0).to(raw.dtype), reduction="none")


def _choice(raw: Tensor, truth: Tensor) -> Tensor:
    logits = torch.log_softmax(raw, dim=-1)
    return -logits.gather(-1, truth.argmax(dim=-1, keepdim=True)).squeeze(-1)
