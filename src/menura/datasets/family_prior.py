"""Presets of a synth's families: basses, pads, drums. Draws what nobody heard; the families belong to the synths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from menura.preset import Preset
from menura.synths.base import Synth
from menura.synths.vital.families import FAMILIES, Profile, draw
from menura.synths.vital.voice import voice

_PITCHED = 0.85


def vital_family(synth: Synth, rng: np.random.Generator) -> Preset:
    """A Vital patch of a family, every family as likely as the others.

    Its rise is drawn as evenly over its logarithm as a family allows, from a millisecond to a second.
    """
    family = FAMILIES[rng.integers(len(FAMILIES))]
    sustains = bool(rng.random() < 0.5) if family.sustains is None else family.sustains
    attack = float(10.0 ** rng.uniform(-3.0, 0.0))
    knobs, sources = draw(rng, family, Profile(attack, sustains, bool(rng.random() < _PITCHED)), 1)
    played = sources[0]
    preset = voice(knobs[0], (int(played[0]), int(played[1]), int(played[2])), base=synth.init())
    return replace(_on_grid(synth, preset), origin={"family": family.name})


def _on_grid(synth: Synth, preset: Preset) -> Preset:
    """The nearest preset that a vector gives, so that nothing changes on the way through one."""
    vector = synth.space.encode(preset)
    routes = tuple(replace(route, amount=0.0) for route in preset.routes)
    bare = replace(preset, values=synth.init().values, routes=routes)
    return synth.space.decode(vector, bare)
