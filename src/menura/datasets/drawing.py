"""Presets of a corpus by number: which sampler, and what it draws for item i. Knows no sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from menura.datasets.synthetic import SAMPLERS, Sampler
from menura.preset import Preset
from menura.storage import hash_bytes
from menura.synths.base import Synth


def sampler_of(name: str, synth: Synth) -> Sampler:  # noqa: ARG001 - some samplers are made for one synth
    """The sampler of a name.

    Raises:
        UnknownNameError: no such sampler; the message lists those that there are.
    """
    return SAMPLERS.get(name)


def draw_preset(sampler: Sampler, synth: Synth, seed: int, index: int, attempt: int = 0) -> Preset:
    """Item `index` at its `attempt`-th draw, without chance; decided by the arguments alone."""
    words = [seed, index, attempt, int(synth.space.fingerprint, 16)]
    preset = synth.freeze(sampler(synth, np.random.default_rng(words)))
    return replace(preset, origin={**preset.origin, "seed": seed, "item": index, "draw": attempt})


def fingerprint_of(sampler: Sampler, synth: Synth) -> str:
    """Changes when the sampler's draws of a synth may."""
    own = str(getattr(sampler, "fingerprint", getattr(sampler, "__name__", "")))
    return hash_bytes(f"{own}\x1f{synth.space.fingerprint}".encode())[:16]
