"""From expected features to coordinates of a space, in torch, so that gradients come through numbers and toggles.

Choices take their likeliest position, through which no gradient comes. Knows no proxy and no synth.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from menura.models.layout import Layout
from menura.space import ParameterSpace


class SoftVectors(nn.Module):
    """Coordinates of features.

    Args:
        layout: of the features.
        space: whose coordinates are wanted; parameters that the layout does not tell stand at their default.
    """

    def __init__(self, layout: Layout, space: ParameterSpace) -> None:
        super().__init__()
        names = layout.space.names
        plain = [p for p in layout.places if names[p.coordinate] in space and p.kind != "choice"]
        picks = [p for p in layout.places if names[p.coordinate] in space and p.kind == "choice"]
        self._keep("default", torch.from_numpy(space.default.copy()))
        self._keep("numbers", torch.tensor([p.start for p in plain], dtype=torch.int64))
        self._keep("number_places", _places(space, names, [p.coordinate for p in plain]))
        self.picks = [(p.start, p.width) for p in picks]
        self._keep("pick_places", _places(space, names, [p.coordinate for p in picks]))
        self._slots(layout, space)

    def forward(self, features: Tensor) -> Tensor:
        """Shape (batch, features) to (batch, dim)."""
        found = self.default.expand(len(features), -1)
        pieces, places = [(0.5 * features[:, self.numbers] + 0.5).clamp(0.0, 1.0)], [self.number_places]
        if self.picks:
            chosen = [features[:, a : a + width].argmax(dim=1) / (width - 1.0) for a, width in self.picks]
            pieces.append(torch.stack(chosen, dim=1).to(features.dtype))
            places.append(self.pick_places)
        if self.slots:
            empty = features[:, self.source_roles].argmax(dim=2) == 0
            for number, name in enumerate(("source", "destination")):
                roles, pointers = self.ends[2 * number], self.ends[2 * number + 1]
                codes = self.get_buffer(f"{name}_codes")
                said = features[:, self.get_buffer(roles)][:, :, codes[:, 2]]
                said = said + features[:, self.get_buffer(pointers)][:, :, codes[:, 1]]
                choice = codes[said.argmax(dim=2), 0] / self.last[number]
                pieces.append(torch.where(empty, 0.0, choice).to(features.dtype))
                places.append(self.get_buffer(f"{name}_places"))
            scalars = (0.5 * features[:, self.scalars] + 0.5).clamp(0.0, 1.0)
            resting = self.default[self.scalar_places]
            pieces.append(torch.where(empty[..., None], resting, scalars).flatten(1))
            places.append(self.scalar_places.flatten())
        index = torch.cat(places).unsqueeze(0).expand(len(features), -1)
        return found.scatter(1, index, torch.cat(pieces, dim=1))

    def _slots(self, layout: Layout, space: ParameterSpace) -> None:
        columns = layout.slots.coordinates
        names = layout.space.names
        self.slots = layout.slots.count if all(names[place] in space for place in columns.ravel()) else 0
        if not self.slots:
            return
        n_scalars = layout.slots.scalars.shape[1]
        for name, rows in zip(
            ("source_roles", "source_pointers", "destination_roles", "destination_pointers"),
            layout.slots.choices,
            strict=True,
        ):
            self._keep(name, torch.from_numpy(rows))
        self.ends = ("source_roles", "source_pointers", "destination_roles", "destination_pointers")
        self.last: list[float] = []
        for number, (name, ends) in enumerate(
            (("source", layout.slots.sources), ("destination", layout.slots.destinations))
        ):
            self._keep(f"{name}_codes", torch.tensor(ends.codes, dtype=torch.int64))
            column = columns[:, n_scalars + number]
            self._keep(f"{name}_places", _places(space, names, column.tolist()))
            self.last.append(len(layout.space.parameters[int(column[0])].choices) - 1.0)
        self._keep("scalars", torch.from_numpy(layout.slots.scalars))
        self._keep(
            "scalar_places", _places(space, names, columns[:, :n_scalars].ravel().tolist()).reshape(-1, n_scalars)
        )

    def _keep(self, name: str, found: Tensor) -> None:
        self.register_buffer(name, found, persistent=False)


def _places(space: ParameterSpace, names: tuple[str, ...], coordinates: list[int]) -> Tensor:
    return torch.tensor([space.index(names[place]) for place in coordinates], dtype=torch.int64)
