"""What a network sees of a preset: one-hot vectors, or a token for each parameter. Knows a space, never a synth.

Three kinds of parameters: numbers (continuous ones and those in whole steps), toggles, choices. Both inputs are made
from coordinates of the space, in [0, 1], or of presets whose choices are open (`SoftPresets`).

Modulation slots are interchangeable, so their fields share what is learnt, and a slot is one token: the sum of its
fields'. A space without slots has the paper's tokens, one for each parameter.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, section 3.2.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from menura.errors import SpaceError
from menura.space import Parameter, ParameterSpace


@dataclass(frozen=True, slots=True)
class SoftPresets:
    """Presets that gradients come through: of each choice, how likely each of its positions is.

    Where all is certain, a network answers as it does to the coordinates.
    """

    numbers: Tensor
    """Coordinates of numbers and toggles in the order of the space, shape (batch, numbers)."""
    choices: Tensor
    """Probabilities of the choices' positions, one choice after the other, shape (batch, sum of their steps)."""


class _Columns(nn.Module):
    """Which coordinates are numbers and which are choices."""

    numbers: Tensor
    choices: Tensor
    most: Tensor

    def __init__(self, space: ParameterSpace) -> None:
        super().__init__()
        if not space.dim:
            raise SpaceError("an empty space has nothing that a network could see; take one with parameters")
        kinds = [each.kind == "choice" for each in space.parameters]
        numbers = [place for place, choice in enumerate(kinds) if not choice]
        choices = [place for place, choice in enumerate(kinds) if choice]
        self.register_buffer("numbers", torch.tensor(numbers, dtype=torch.long), persistent=False)
        self.register_buffer("choices", torch.tensor(choices, dtype=torch.long), persistent=False)
        self.steps: list[int] = [space.parameters[place].steps for place in choices]
        """Positions of each choice."""
        most = [steps - 1.0 for steps in self.steps]
        self.register_buffer("most", torch.tensor(most), persistent=False)

    def codes(self, vectors: Tensor) -> Tensor:
        """The positions of the choices, from 0, shape (batch, choices)."""
        return (vectors[:, self.choices].float() * self.most).round().long()


class OneHot(_Columns):
    """Numbers and toggles as they are, choices one-hot: OH of the paper."""

    starts: Tensor

    def __init__(self, space: ParameterSpace) -> None:
        """Raises SpaceError where the space is empty."""
        super().__init__(space)
        starts = [len(self.numbers) + sum(self.steps[:place]) for place in range(len(self.steps))]
        self.register_buffer("starts", torch.tensor(starts, dtype=torch.long), persistent=False)
        self.width: int = len(self.numbers) + sum(self.steps)
        """Numbers in a vector that comes out."""

    def forward(self, vectors: Tensor | SoftPresets) -> Tensor:
        """Shape (batch, width): numbers and toggles first, then the choices.

        Args:
            vectors: coordinates, shape (batch, dim), or soft presets.
        """
        if isinstance(vectors, SoftPresets):
            return torch.cat([vectors.numbers, vectors.choices], dim=1)
        numbers = vectors[:, self.numbers]
        found = functional.pad(numbers, (0, self.width - numbers.shape[1]))
        return found.scatter(1, self.codes(vectors) + self.starts, 1.0)


class PresetTokenizer(_Columns):
    """A token for each parameter, scaled by a number or looked up by a choice; for each slot the sum of its fields'.

    Source: equations 4 and 5 of the paper.
    """

    shared: Tensor
    starts: Tensor
    order: Tensor
    places: Tensor

    def __init__(self, space: ParameterSpace, width: int) -> None:
        """Random vectors, from torch's own generator.

        Args:
            space: of the coordinates.
            width: numbers in a token.

        Raises:
            SpaceError: the space is empty.
        """
        super().__init__(space)
        self.width = width
        names = {_meaning(each): each for each in space.parameters}
        numbers = [name for name, each in names.items() if each.kind != "choice"]
        choices = [name for name, each in names.items() if each.kind == "choice"]
        starts = {name: sum(names[known].steps for known in choices[:place]) for place, name in enumerate(choices)}
        self.vectors = nn.Parameter(_uniform(len(numbers), width))
        self.table = nn.Parameter(_uniform(sum(names[name].steps for name in choices), width))
        meanings = [_meaning(each) for each in space.parameters]
        kinds = [each.kind for each in space.parameters]
        shared = [numbers.index(name) for name, kind in zip(meanings, kinds, strict=True) if kind != "choice"]
        begins = [starts[name] for name, kind in zip(meanings, kinds, strict=True) if kind == "choice"]
        self.register_buffer("shared", torch.tensor(shared, dtype=torch.long), persistent=False)
        self.register_buffer("starts", torch.tensor(begins, dtype=torch.long), persistent=False)
        self.begins: list[int] = begins
        # Numbers come first, choices after them: back into the order of the space.
        order = torch.argsort(torch.cat([self.numbers, self.choices]))
        self.register_buffer("order", order, persistent=False)
        tokens: dict[object, int] = {}
        for each in space.parameters:
            tokens.setdefault(each.slot or each.name, len(tokens))
        self.count = len(tokens)
        """Tokens of a preset."""
        places = [tokens[each.slot or each.name] for each in space.parameters]
        self.register_buffer("places", torch.tensor(places, dtype=torch.long), persistent=False)

    def forward(self, vectors: Tensor | SoftPresets) -> Tensor:
        """Shape (batch, count, width); of an open choice the mean of its positions' tokens.

        Args:
            vectors: coordinates, shape (batch, dim), or soft presets.
        """
        if isinstance(vectors, SoftPresets):
            plain, choices = vectors.numbers, self._open(vectors.choices)
        else:
            plain = vectors[:, self.numbers]
            choices = functional.embedding(self.codes(vectors) + self.starts, self.table)
        numbers = plain[:, :, None] * self.vectors[self.shared]
        found = torch.cat([numbers, choices.to(numbers.dtype)], dim=1)[:, self.order]
        if self.count == len(self.places):
            return found
        summed = found.new_zeros(len(found), self.count, self.width)
        return summed.index_add(1, self.places, found)

    def _open(self, likely: Tensor) -> Tensor:
        """Mean tokens of the choices, shape (batch, choices, width)."""
        if not self.steps:
            return likely.new_zeros(len(likely), 0, self.width)
        parts = zip(likely.split(self.steps, dim=1), self.begins, self.steps, strict=True)
        return torch.stack([part @ self.table[begin : begin + steps] for part, begin, steps in parts], dim=1)


def _meaning(parameter: Parameter) -> str:
    """What is learnt once: a parameter, or a field of all slots."""
    return f"slot {parameter.field}" if parameter.slot else parameter.name


def _uniform(count: int, width: int) -> Tensor:
    # As Gorishniy et al. begin the tokens of tables, "Revisiting deep learning models for tabular data", 2021.
    bound = 1.0 / math.sqrt(width)
    return torch.empty(count, width).uniform_(-bound, bound)
