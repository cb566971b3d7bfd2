"""The weights that menura brings: small, told by their card, and able to know a patch by another note."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from menura.audio import Audio
from menura.datasets.sampling import draw_preset, sampler_of
from menura.features import embedders
from menura.features.embedders import embedder_of
from menura.features.embedders.timbre import CARD, WEIGHTS
from menura.note import Note
from menura.storage import hash_file
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

PLACE = Path(embedders.__file__).parent
PATCHES = 12
UNSEEN = 987_654
"""A seed that no corpus has."""


def test_they_are_those_that_the_card_tells_of() -> None:
    card = json.loads((PLACE / CARD).read_text(encoding="utf-8"))
    assert card["sha256"] == hash_file(PLACE / WEIGHTS)
    assert (PLACE / WEIGHTS).stat().st_size == card["bytes"] < 10_000_000
    assert {"data", "training", "recipe", "judgement", "limits", "licence"} <= set(card)


def test_they_know_a_patch_by_another_note() -> None:
    vital, timbre = synth_of("vital"), embedder_of("timbre")
    sampler = sampler_of("human", vital)
    presets = [vital.freeze(draw_preset(sampler, vital, UNSEEN, index)) for index in range(PATCHES)]
    notes = (Note(60.0, 0.8, 1.0, 1.5), Note(53.0, 0.5, 0.6, 1.5))
    with RenderPool("vital", workers=2, mode="fast") as pool:
        found = pool.render_many([(preset, note) for note in notes for preset in presets])
    sounds = [each.audio for each in found if each.audio is not None]
    library, queries = np.split(timbre.embed(sounds), 2)
    right = (queries @ library.T).argmax(axis=1) == np.arange(PATCHES)
    assert right.mean() >= 0.75
    quieter = Audio(0.1 * sounds[0].samples, sounds[0].sample_rate)
    assert np.abs(timbre.embed([quieter])[0] - library[0]).max() < 1e-3
