"""Synthetic sets: presets drawn from a synth's own space. Item i is a pure function of seed, i and the space.

Knows no model. A sampler is a name in `SAMPLERS`; another package adds its own under ``menura.samplers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from menura.datasets.item import Item
from menura.datasets.truths import Draft, Heard, Truths
from menura.errors import InputError
from menura.note import Note
from menura.preset import Preset
from menura.registry import Registry
from menura.synths.base import Synth

MOST_DRAWS = 50
"""Draws of one item, silent ones included, before it is given up."""
_MOVED = 0.25
_MOST_ROUTES = 4


class Sampler(Protocol):
    """Draws one preset."""

    def __call__(self, synth: Synth, rng: np.random.Generator) -> Preset:
        """A preset of the synth, decided by the generator alone."""
        ...


SAMPLERS: Registry[Sampler] = Registry(
    "sampler",
    "menura.samplers",
    {"uniform": "menura.datasets.synthetic:uniform", "sparse": "menura.datasets.synthetic:sparse"},
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is drawn."""

    count: int
    seed: int = 0
    sampler: str = "uniform"
    note: Note = field(default_factory=Note)
    freeze: bool = True


def uniform(synth: Synth, rng: np.random.Generator) -> Preset:
    """Every parameter of the space uniform in its range, every choice as likely as the others, routes included."""
    return synth.space.decode(synth.space.sample(rng, 1)[0], synth.init())


def sparse(synth: Synth, rng: np.random.Generator) -> Preset:
    """The initial patch with a quarter of its knobs moved, each uniform in its range, and up to four routes.

    People leave most knobs alone too; of uniform patches of a large synth nearly all are silent or noise.
    """
    space, start = synth.space, synth.init()
    moved = rng.random(space.dim) < _MOVED
    used = set(rng.permutation(range(1, space.slots + 1))[: rng.integers(_MOST_ROUTES + 1)].tolist())
    slotted = np.array([parameter.slot > 0 for parameter in space.parameters])
    in_use = np.array([parameter.slot in used for parameter in space.parameters])
    drawn = space.sample(rng, 1)[0]
    return space.decode(np.where(np.where(slotted, in_use, moved), drawn, space.encode(start)), start)


def synthetic_items(recipe: Recipe, truths: Truths) -> tuple[tuple[Item, ...], dict[str, Any]]:
    """Draws, renders and writes the items 0 to count - 1.

    A draw that is silent, or that the engine cannot play, is replaced by the item's next one, so that an item does not
    depend on its neighbours.

    Args:
        recipe: what is drawn.
        truths: renders and keeps them.

    Returns:
        Items in their order, and what is to be said of their origin, as JSON values.

    Raises:
        InputError: the count is below 1.
        UnknownNameError: no such sampler.
        EngineError: no engine could be started.
    """
    if recipe.count < 1:
        raise InputError(f"a synthetic set of {recipe.count} items; give a count of 1 or more")
    sampler, synth = SAMPLERS.get(recipe.sampler), truths.synth
    found: dict[int, Heard] = {}
    waiting = list(range(recipe.count))
    replaced = 0
    for attempt in range(MOST_DRAWS):
        drafts = [_draft(recipe, sampler, synth, number, attempt) for number in waiting]
        heard = truths.hear(drafts)
        found |= dict(zip(waiting, heard, strict=True))
        waiting = [number for number, sound in zip(waiting, heard, strict=True) if sound.audio is None]
        for number in waiting:
            truths.write(found[number])
        if not waiting:
            break
        replaced += len(waiting)
    items = tuple(_named(truths.write(found[number]), recipe, synth, number) for number in range(recipe.count))
    origin: dict[str, Any] = {
        "sampler": recipe.sampler,
        "space": synth.space.fingerprint,
        "replaced": replaced,
    }
    return items, origin


def draw(recipe: Recipe, synth: Synth, number: int, attempt: int = 0) -> Preset:
    """The preset of item `number`, at its `attempt`-th draw.

    Raises:
        UnknownNameError: no such sampler.
    """
    return _drawn(recipe, SAMPLERS.get(recipe.sampler), synth, number, attempt)


def _drawn(recipe: Recipe, sampler: Sampler, synth: Synth, number: int, attempt: int) -> Preset:
    words = [recipe.seed, number, attempt, int(synth.space.fingerprint, 16)]
    preset = sampler(synth, np.random.default_rng(words))
    preset = synth.freeze(preset) if recipe.freeze else preset
    lineage: Mapping[str, Any] = {"sampler": recipe.sampler, "seed": recipe.seed, "item": number, "draw": attempt}
    return replace(preset, name=f"{recipe.sampler} {recipe.seed}-{number}", origin=lineage)


def _draft(recipe: Recipe, sampler: Sampler, synth: Synth, number: int, attempt: int) -> Draft:
    preset = _drawn(recipe, sampler, synth, number, attempt)
    # While the draws of an item fail, each needs an id of its own to be remembered by.
    name = _id(recipe, synth, number) + (f"-{attempt}" if attempt else "")
    return Draft(name, preset, synth.write(preset), recipe.note, recipe.sampler, _id(recipe, synth, number))


def _named(item: Item, recipe: Recipe, synth: Synth, number: int) -> Item:
    return replace(item, id=_id(recipe, synth, number))


def _id(recipe: Recipe, synth: Synth, number: int) -> str:
    return f"{synth.name}-{recipe.sampler}-{recipe.seed}-{number:05d}"
