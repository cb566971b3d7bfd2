"""What a network says of each parameter of a space: a number, a switch, one of several. Owns the parameter loss.

Raw heads are log odds of the place of a number and of a toggle, and logits of a choice's positions. Knows a space,
never a synth.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, section 7.1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from menura.errors import SpaceError
from menura.models.tokens import SoftPresets
from menura.space import ParameterSpace

_SUREST = 4.0
"""Log odds of the largest share that the first answers begin with."""


class PresetHead(nn.Module):
    """A layer for all parameters of a space, each with the outputs of its kind.

    Args:
        space: of the presets that are estimated.
        before: numbers that come in.

    Raises:
        SpaceError: the space is empty.
    """

    plain: Tensor
    choices: Tensor
    toggle: Tensor
    most: Tensor

    def __init__(self, space: ParameterSpace, before: int) -> None:
        super().__init__()
        if not space.dim:
            raise SpaceError("an empty space has nothing to estimate; take a proxy that sees parameters")
        kinds = [each.kind for each in space.parameters]
        plain = [place for place, kind in enumerate(kinds) if kind != "choice"]
        choices = [place for place, kind in enumerate(kinds) if kind == "choice"]
        self.steps: list[int] = [space.parameters[place].steps for place in choices]
        """Positions of each choice."""
        self.register_buffer("plain", torch.tensor(plain, dtype=torch.long), persistent=False)
        self.register_buffer("choices", torch.tensor(choices, dtype=torch.long), persistent=False)
        toggle = torch.tensor([kinds[place] == "toggle" for place in plain], dtype=torch.bool)
        self.register_buffer("toggle", toggle, persistent=False)
        self._kinds = {kinds[place] for place in plain}
        self.register_buffer("most", torch.tensor([steps - 1.0 for steps in self.steps]), persistent=False)
        self.dim = space.dim
        self.layer = nn.Linear(before, len(plain) + sum(self.steps))

    def forward(self, found: Tensor) -> Tensor:
        """Raw heads, shape (batch, outputs): numbers and toggles first, then the choices."""
        return self.layer(found)

    @torch.no_grad()
    def begin_at(self, vectors: Tensor) -> None:
        """Lets the first answers be about what is usual: means of numbers, shares of toggles and choices.

        Args:
            vectors: coordinates of presets, shape (n, dim).
        """
        usual = [torch.logit(vectors[:, self.plain].mean(dim=0), eps=1e-6)]
        for place, steps in enumerate(self.steps):
            codes = self._codes(vectors)[:, place]
            # As if each position had been seen once more.
            share = (torch.bincount(codes, minlength=steps) + 1.0) / (len(vectors) + steps)
            usual.append(share.log() - share.log().mean())
        self.layer.bias.copy_(torch.cat(usual).clamp(-_SUREST, _SUREST))
        self.layer.weight.mul_(0.1)

    def soft(self, raw: Tensor, given: Tensor | None = None) -> SoftPresets:
        """Presets that gradients come through.

        Args:
            raw: heads, shape (batch, outputs).
            given: numbers that follow the space's own, such as the note's, shape (batch, given).
        """
        count = len(self.plain)
        numbers = torch.sigmoid(raw[:, :count])
        parts = [torch.softmax(part, dim=1) for part in self._split(raw)]
        likely = torch.cat(parts, dim=1) if parts else raw[:, :0]
        return SoftPresets(numbers if given is None else torch.cat([numbers, given], dim=1), likely)

    def vectors(self, raw: Tensor) -> Tensor:
        """Coordinates of the likeliest presets, shape (batch, dim): toggles and choices on their places."""
        numbers = torch.sigmoid(raw[:, : len(self.plain)])
        found = raw.new_zeros(len(raw), self.dim)
        found[:, self.plain] = torch.where(self.toggle, (numbers > 0.5).to(raw.dtype), numbers)
        if self.steps:
            codes = torch.stack([part.argmax(dim=1) for part in self._split(raw)], dim=1)
            found[:, self.choices] = codes / self.most
        return found

    def loss(self, raw: Tensor, vectors: Tensor) -> dict[str, Tensor]:
        """The means of each kind that there is: `numbers` (L1), `toggles` and `choices` (cross-entropy).

        The cross-entropy of a choice is told in units of a guess among all its positions, so that one among 400 weighs
        as much as one among 3.

        Args:
            raw: heads, shape (batch, outputs).
            vectors: coordinates of the presets that are looked for, shape (batch, dim).
        """
        found: dict[str, Tensor] = {}
        ours, theirs = raw[:, : len(self.plain)], vectors[:, self.plain]
        if "continuous" in self._kinds:
            found["numbers"] = (torch.sigmoid(ours[:, ~self.toggle]) - theirs[:, ~self.toggle]).abs().mean()
        if "toggle" in self._kinds:
            found["toggles"] = functional.binary_cross_entropy_with_logits(ours[:, self.toggle], theirs[:, self.toggle])
        if self.steps:
            codes = self._codes(vectors).unbind(dim=1)
            parts = zip(self._split(raw), codes, self.steps, strict=True)
            each = [functional.cross_entropy(part, code) / math.log(steps) for part, code, steps in parts]
            found["choices"] = torch.stack(each).mean()
        return found

    def _split(self, raw: Tensor) -> tuple[Tensor, ...]:
        """Logits of each choice."""
        return raw[:, len(self.plain) :].split(self.steps, dim=1) if self.steps else ()

    def _codes(self, vectors: Tensor) -> Tensor:
        """Positions of the choices, from 0, shape (batch, choices)."""
        return (vectors[:, self.choices].float() * self.most).round().long()
