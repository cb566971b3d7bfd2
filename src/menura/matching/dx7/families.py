"""Families of DX7 voices: what an electric piano, a bass or a bell tends to be. Owns their tables and draws.

A family says which algorithms and ratios it likes and how deep its modulations go. What the ear heard of the target
(how it begins, how it fades, whether it lasts) narrows the envelopes. Knows no engine and no distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from menura.features.spectra import rms_envelope
from menura.matching.dx7.forecast import rate_of_fall, rate_of_rise
from menura.matching.dx7.patch import HIGH, LOW, Knobs, Wiring
from menura.matching.target import SAMPLE_RATE, Target
from menura.synths.dx7.algorithms import algorithm
from menura.synths.dx7.controls import OPERATORS


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of voice."""

    name: str
    algorithms: tuple[int, ...]
    carriers: tuple[float, ...]
    """Ratios of operators that are heard."""
    modulators: tuple[float, ...]
    """Ratios of the others."""
    depth: tuple[float, float]
    """Output levels of modulators."""
    feedback: tuple[int, int] = (0, 7)
    carrier_levels: tuple[float, float] = (80.0, 99.0)


# Algorithms 4 and 6, whose feedback passes through several operators, are forecast less well and left to the search.
FAMILIES: tuple[Family, ...] = (
    Family("electric piano", (5, 7, 8), (1, 1, 1, 2), (1, 1, 2, 3, 7, 13, 14), (45, 80)),
    Family("bass", (3, 9, 14, 16, 17, 18), (0.5, 1, 1), (0.5, 1, 1, 2, 3), (50, 85)),
    Family("brass", (1, 2, 18, 22, 24), (1,), (1, 1, 1, 2), (55, 85), (4, 7)),
    Family("bell", (5, 7, 10, 21, 23), (1, 1, 2, 2.5, 3), (1.41, 2.76, 3.5, 3.5, 5.4, 7.07, 8.93), (45, 85), (0, 4)),
    Family("organ", (28, 29, 31, 32, 32), (0.5, 1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3), (35, 70), (0, 5), (60, 99)),
    Family("strings", (1, 2, 7, 15, 19), (1, 1, 2), (1, 2, 3, 4), (45, 80), (2, 7)),
    Family("mallet", (5, 7, 21, 23, 26), (1, 1, 4), (1, 2, 3.93, 4, 9.2, 10), (35, 80), (0, 3)),
    Family("wind", (5, 14, 16, 26, 28, 29), (1, 1, 2), (1, 2, 2, 3, 4), (35, 75), (0, 7)),
    Family("plucked", (3, 7, 11, 13, 20, 22), (1, 1, 2), (1, 2, 3, 4, 5, 6, 9), (45, 85)),
    Family("voice", (5, 10, 29, 31, 12), (1, 2, 3, 4, 5, 6, 7), (1, 1), (35, 75), (0, 5), (55, 99)),
    Family("noise", (5, 7, 16, 18, 29), (0.5, 1, 1.7, 3.3), (1.37, 3.71, 5.87, 9.13, 13.7, 23.1), (70, 99), (5, 7)),
    Family(
        "free",
        tuple(number for number in range(1, 33) if number not in (4, 6)),
        (0.5, 1, 1, 1, 2, 3, 4),
        (0.5, 1, 1, 2, 3, 4, 5, 7, 9, 14, 1.5, 3.5),
        (30, 90),
    ),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """The course of a target's level, as rates of the instrument."""

    attack: float
    """Rate of the rise to the loudest moment."""
    early: float
    """Rate of the fall from it over the next tenth of a second."""
    late: float
    """Rate of the fall after that."""
    release: float
    sustains: bool

    @classmethod
    def of(cls, target: Target) -> Profile:
        """What was heard of a target."""
        hop = SAMPLE_RATE // 200
        level = 20.0 * np.log10(rms_envelope(target.audio.mono, 4 * hop, hop).astype(np.float64) + 1e-7)
        loudest = int(np.argmax(level > level.max() - 3.0))
        held = max(loudest + 4, min(len(level), round(target.note.hold * SAMPLE_RATE / hop)))
        after = level[loudest:held]
        audible = after[: max(4, int(np.argmax(after < level.max() - 60.0)) or len(after))]
        turn = min(20, len(audible) // 2)
        ending = level[held - 1 : held + 40]
        return cls(
            rate_of_rise(loudest * hop / SAMPLE_RATE),
            rate_of_fall(falling(audible[: turn + 1], hop)),
            rate_of_fall(falling(audible[turn:], hop)),
            rate_of_fall(falling(ending, hop)) if len(ending) > 4 else 60.0,
            target.estimate.sustaining,
        )


def falling(level: Knobs, hop: int) -> float:
    """By how many dB a level falls in a second; a little above 0 where it does not.

    Args:
        level: dB, shape (frames,).
        hop: Samples from one to the next.
    """
    if len(level) < 2:
        return 1.0
    return max(0.5, -float(np.polyfit(np.arange(len(level), dtype=np.float64) * hop / SAMPLE_RATE, level, 1)[0]))


def draw(rng: np.random.Generator, family: Family, profile: Profile, n: int) -> tuple[list[Wiring], Knobs]:
    """Patches of a family.

    Returns:
        Wirings with ratios that the instrument has, and knobs in the order of `patch.NAMES`, shape (n, 43).
    """
    wirings: list[Wiring] = []
    rows: list[Knobs] = []
    for _ in range(n):
        number = int(rng.choice(family.algorithms))
        carriers = algorithm(number).carriers
        ratios = [rng.choice(family.carriers if op in carriers else family.modulators) for op in OPERATORS]
        wirings.append(Wiring(number, np.array(ratios, dtype=np.float64)).settled())
        voices = [_operator(rng, family, profile, heard=op in carriers) for op in OPERATORS]
        feedback = float(rng.integers(family.feedback[0], family.feedback[1] + 1))
        rows.append(np.concatenate([*voices, np.array([feedback])]))
    return wirings, np.clip(np.array(rows), LOW, HIGH)


def _operator(rng: np.random.Generator, family: Family, profile: Profile, *, heard: bool) -> Knobs:
    """The knobs of one operator, shape (7,)."""
    low, high = family.carrier_levels if heard else family.depth
    level = rng.uniform(low, high)
    if not heard and rng.random() < 0.15:
        level = 0.0
    lasts = profile.sustains or (not heard and rng.random() < 0.3)
    second = rng.uniform(70.0, 99.0)
    third = rng.uniform(0.75, 1.0) * second if lasts else rng.uniform(0.0, 0.5) * second * (rng.random() < 0.4)
    quicker = 0.0 if heard else rng.uniform(-5.0, 12.0)
    rise = profile.attack + (0.0 if heard else rng.normal(0.0, 8.0))
    # In the order of patch.FIELDS.
    knobs = [
        level,
        rise + rng.normal(0.0, 4.0),
        profile.early + quicker + rng.normal(0.0, 6.0),
        profile.late + quicker + rng.normal(0.0, 6.0),
        profile.release + rng.normal(0.0, 6.0),
        second,
        third,
    ]
    return np.array(knobs)
