"""Synthetic sets: presets drawn from a synth's own space. Item i is a pure function of seed, i and the space.

Knows no model; `sampling` draws, `truths` renders.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from menura.datasets.duplicates import knob_space, parameter_picture, repeats, twin_key
from menura.datasets.item import Item
from menura.datasets.sampling import Sampler, draw_preset, fingerprint_of, sampler_of
from menura.datasets.truths import Draft, Heard, Truths
from menura.errors import InputError
from menura.note import Note
from menura.preset import Preset
from menura.synths.base import Synth

MOST_DRAWS = 50
"""Draws of one item, silent ones included, before it is given up."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is drawn."""

    count: int
    seed: int = 0
    sampler: str = "uniform"
    """A name or spec, see `sampling.sampler_of`."""
    note: Note = field(default_factory=Note)
    freeze: bool = True


def synthetic_items(recipe: Recipe, truths: Truths) -> tuple[tuple[Item, ...], dict[str, Any]]:
    """Draws, renders and writes the items 0 to count - 1.

    A draw that is silent, or that the engine cannot play, is replaced by the item's next one, so that an item does not
    depend on its neighbours. For the same reason near-duplicates, which are as good as never drawn, stay and are named
    in the origin.

    Args:
        recipe: what is drawn.
        truths: renders and keeps them.

    Returns:
        Items in their order, and what is to be said of their origin, as JSON values.

    Raises:
        InputError: the count is below 1.
        UnknownNameError: no such sampler.
        ManifestError: the sampler's presets cannot be read.
        EngineError: no engine could be started.
    """
    if recipe.count < 1:
        raise InputError(f"a synthetic set of {recipe.count} items; give a count of 1 or more")
    synth = truths.synth
    sampler = sampler_of(recipe.sampler, synth)
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
    knobs = knob_space(synth.space)
    origin: dict[str, Any] = {
        "sampler": recipe.sampler,
        "sampler_fingerprint": fingerprint_of(sampler, synth),
        "space": synth.space.fingerprint,
        "replaced": replaced,
        "twins": repeats(twin_key(parameter_picture(found[n].draft.preset, knobs)) for n in range(recipe.count)),
    }
    return items, origin


def draw(recipe: Recipe, synth: Synth, number: int, attempt: int = 0) -> Preset:
    """The preset of item `number`, at its `attempt`-th draw.

    Raises:
        UnknownNameError: no such sampler.
    """
    return draw_preset(sampler_of(recipe.sampler, synth), synth, recipe.seed, number, attempt, freeze=recipe.freeze)


def _draft(recipe: Recipe, sampler: Sampler, synth: Synth, number: int, attempt: int) -> Draft:
    preset = draw_preset(sampler, synth, recipe.seed, number, attempt, freeze=recipe.freeze)
    # While the draws of an item fail, each needs an id of its own to be remembered by.
    name = _id(recipe, synth, number) + (f"-{attempt}" if attempt else "")
    return Draft(name, preset, synth.write(preset), recipe.note, recipe.sampler, _id(recipe, synth, number))


def _named(item: Item, recipe: Recipe, synth: Synth, number: int) -> Item:
    return replace(item, id=_id(recipe, synth, number))


def _id(recipe: Recipe, synth: Synth, number: int) -> str:
    # Of ``mutate:FOLDER`` the name alone: where a folder lies on a disk is nobody's business.
    return f"{synth.name}-{recipe.sampler.partition(':')[0]}-{recipe.seed}-{number:05d}"
