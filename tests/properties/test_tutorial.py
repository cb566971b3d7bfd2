"""A tutorial is true: executed, it arrives at its preset; what it folds away is not heard; JSON loses nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menura.explain.edits import SetBlock, applied, edits_between, of_json, to_json
from menura.explain.explaining import explain
from menura.explain.measuring import Listening, difference_db
from menura.explain.template import to_markdown
from menura.explain.tutorial import document, execute, tutorial_of
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

NOTE = Note(60, 0.8, 0.2, 0.4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
BLOCKS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)
CONTAINERS = ((), ("a",), ("a", "b"), ("b",))


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    with RenderPool("toy", workers=2) as made:
        yield made


def drawn(seed: int, harmonics: list[float]) -> Preset:
    toy = synth_of("toy")
    rng = np.random.default_rng(seed)
    # Some knobs stay where they are, as on presets that people make.
    kept = rng.random(toy.space.dim) < 0.4
    vector = np.where(kept, toy.space.encode(toy.init()), toy.space.sample(rng, 1)[0])
    preset = toy.space.decode(vector, toy.init())
    return replace(preset, name=f"Drawn {seed}", blocks={**preset.blocks, "harmonics": harmonics})


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), harmonics=st.sampled_from([[1.0, 0.5, 0.25], [0.0, 1.0]]))
def test_executing_arrives_at_the_preset_and_folding_is_not_heard(
    pool: RenderPool, seed: int, harmonics: list[float]
) -> None:
    toy, preset = synth_of("toy"), drawn(seed, harmonics)
    tutorial = explain(preset, toy, pool, NOTE)
    assert execute(tutorial) == preset
    assert execute(tutorial).name == preset.name
    again = tutorial_of(json.loads(json.dumps(document(tutorial), allow_nan=False)), toy.init())
    assert execute(again) == preset
    assert to_markdown(again) == to_markdown(tutorial)
    told = applied(tutorial.initial, (change.edit for step in tutorial.steps for change in step.changes))
    listen = Listening(NOTE, whole=False)
    one, other = (listen(toy.render(toy.freeze(each), NOTE)).picture for each in (told, preset))
    assert difference_db(one, other) <= tutorial.noise_floor_db


@given(before=BLOCKS, after=BLOCKS)
def test_the_difference_of_any_blocks_leads_from_one_to_the_other(before: Any, after: Any) -> None:
    first, second = (Preset("toy", {"level": 0.5}, blocks=blocks) for blocks in (before, after))
    edits = edits_between(first, second, CONTAINERS)
    assert applied(first, edits) == second
    again = [of_json(json.loads(json.dumps(to_json(edit)))) for edit in edits]
    assert applied(first, again) == second
    assert edits_between(first, first, CONTAINERS) == []
    assert all(isinstance(edit, SetBlock) for edit in edits)
