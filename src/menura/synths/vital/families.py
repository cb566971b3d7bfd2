"""Families of patches for Vital's knob search: what a bass, a pad or a drum tends to be. Owns their tables and ranges.

A family says where its knobs usually stand; a draw is one patch of it. What the ear heard of the target (how it
begins, whether it lasts) narrows the draw. Knows no engine and no distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from menura.synths.vital.stock import families as table_families
from menura.synths.vital.voice import HIGH, INDEX, LOW, SOURCES


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of patch."""

    name: str
    tables: tuple[str, ...]
    """Families of stock tables that it likes."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """Ranges of knobs in the engine's units, where they are narrower than the knob's own."""
    sustains: bool | None = None
    """Whether it lasts while the key is held; None is either."""
    noise: float = 0.5
    """How likely its sampler is to be on."""


_QUICK = {"env_1_attack": (0.0, 0.25), "env_1_sustain": (0.0, 0.2), "env_2_attack": (0.0, 0.2)}
_HELD = {"env_1_sustain": (0.6, 1.0), "env_1_hold": (0.0, 0.5)}
_ANY = (
    "analogue",
    "sweep",
    "harmonic",
    "formant",
    "vocal",
    "fm",
    "organ",
    "bell",
    "string",
    "wind",
    "noise",
    "digital",
)

FAMILIES: tuple[Family, ...] = (
    Family("bass", ("analogue", "sweep", "fm", "sync", "digital"), {"filter_1_cutoff": (30.0, 90.0)}, noise=0.2),
    Family("lead", ("analogue", "sync", "digital", "sweep"), {**_HELD, "filter_1_cutoff": (60.0, 130.0)}, True, 0.3),
    Family("pad", ("analogue", "formant", "vocal", "organ", "sweep"), {**_HELD, "env_1_attack": (0.4, 1.0)}, True),
    Family("pluck", ("string", "sweep", "harmonic", "analogue"), {**_QUICK, "env_1_decay_power": (-20.0, -4.0)}, False),
    Family("keys", ("string", "fm", "bell", "organ", "harmonic"), {**_QUICK, "env_1_decay": (0.8, 2.3)}, False),
    Family(
        "brass", ("wind", "harmonic", "sweep"), {**_HELD, "env_1_attack": (0.3, 0.8), "env_2_attack": (0.3, 0.9)}, True
    ),
    Family("string", ("string", "analogue", "harmonic"), {**_HELD, "env_1_attack": (0.3, 0.9)}, True, 0.7),
    Family("percussion", ("bell", "noise", "harmonic"), {**_QUICK, "env_1_decay": (0.3, 1.2)}, False, 1.0),
    Family("effect", ("noise", "bell", "digital", "formant", "sync"), {"eq_band_gain": (-15.0, 15.0)}, noise=0.9),
    Family("free", _ANY),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What narrows a draw."""

    attack: float
    """Seconds from the start to the loudest moment."""
    sustains: bool
    pitched: bool


def draw(
    rng: np.random.Generator, family: Family, profile: Profile, n: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Patches of a family.

    Args:
        rng: Where chance comes from.
        family: What to draw.
        profile: What was heard of the target.
        n: How many.

    Returns:
        Knobs in the order of `voice.KNOBS`, shape (n, knobs), and the oscillators' sources, shape (n, 3).
    """
    knobs = LOW + rng.random((n, LOW.size)) * (HIGH - LOW)
    for name, (low, high) in family.ranges.items():
        knobs[:, INDEX[name]] = rng.uniform(low, high, n)
    # Half of the draws begin as the target does.
    begins = rng.random(n) < 0.5
    attack = np.clip(max(profile.attack, 1e-4) ** 0.25 * rng.uniform(0.8, 1.2, n), 0.0, 1.0)
    knobs[:, INDEX["env_1_attack"]] = np.where(begins, attack, knobs[:, INDEX["env_1_attack"]])
    knobs[:, INDEX["env_1_hold"]] *= rng.random(n) < 0.4
    for number in (2, 3, 4, 5):
        knobs[:, INDEX[f"env_{number}_attack"]] *= rng.random(n) < 0.3
    for band in ("low", "band", "high"):
        if f"eq_{band}_gain" not in family.ranges:
            knobs[:, INDEX[f"eq_{band}_gain"]] *= rng.uniform(0.0, 0.5, n)
    silent = rng.random(n) > family.noise
    for name in ("sample_level", "modulation_3_amount"):
        knobs[silent, INDEX[name]] *= 0.3
    liked = np.array([i for i, (table, _) in enumerate(SOURCES) if table in _tables(family)])
    sources = liked[rng.integers(0, liked.size, (n, 3))]
    # Two oscillators are cheaper to render than three, and easier to read.
    sources[rng.random(n) < 0.5, 2] = -1
    if not profile.pitched:
        sources[rng.random(n) < 0.3, 1] = -1
    return knobs, sources.astype(np.int64)


def _tables(family: Family) -> set[str]:
    known = table_families()
    return {name for kind in family.tables for name in known[kind]}
