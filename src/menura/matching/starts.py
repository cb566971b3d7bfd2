"""The first stage of the track `knobs`: random and family-wise patches. Owns how starts are chosen; renders nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.events import Event, Proposed, Started
from menura.features.spectra import rms_envelope
from menura.matching.budget import Account
from menura.matching.constraints import NEAR_RADIUS
from menura.matching.pool import Pool
from menura.matching.target import SAMPLE_RATE, Target
from menura.preset import Preset

START_SHARE = 0.08
"""Share of the renders left that goes into starts which a forecast has picked."""
BLIND_SHARE = 0.3
"""The same for random ones."""


class Starts:
    """Proposes starts: family-wise patches that a forecast has picked for this sound, and plain random ones.

    Where the user wants to stay near a preset, the starts are that preset with small changes.
    """

    name = "starts"

    def __init__(self, share: float | None = None) -> None:
        self.share = share

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose about `share` of the renders left."""
        yield Started(self.name, account.left)
        task = pool.task
        starter = starter_of(task.synth.name)
        share = self.share or (BLIND_SHARE if starter is None else START_SHARE)
        count = int(np.clip(share * account.left, 12, 60))
        if task.constraints.near:
            proposed = pool.propose((preset, ("start:near",)) for preset in _neighbours(pool, count))
        elif starter is not None:
            proposed = pool.propose(starter.starts(task.target, task.constraints.base, pool.rng, count))
        else:
            proposed = pool.propose((preset, ("start:random",)) for preset in random_presets(pool, count))
        yield Proposed(self.name, proposed)
        return pool


class InitialPatch:
    """Proposes the patch that a match starts from, as it is: what everything has to beat."""

    name = "init"

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose the one."""
        yield Started(self.name, account.left)
        yield Proposed(self.name, pool.propose([(pool.task.constraints.base, ("init",))]))
        return pool


class RandomStarts:
    """Uniform draws over the useful ranges of all knobs: the baseline of any search.

    Args:
        share: Share of the renders left that they take.
    """

    name = "random"

    def __init__(self, share: float = 1.0) -> None:
        self.share = share

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose random presets for that share of the renders."""
        yield Started(self.name, account.left)
        count = max(min(1, account.left), round(self.share * account.left))
        proposed = pool.propose((preset, ("start:random",)) for preset in random_presets(pool, count))
        yield Proposed(self.name, proposed)
        return pool


@dataclass(frozen=True, slots=True)
class Starter:
    """What is known of one synth's patches: how to begin, and what a random patch of it is."""

    starts: Callable[[Target, Preset, np.random.Generator, int], Sequence[tuple[Preset, tuple[str, ...]]]]
    """At most n starts with their lineages, the most promising first."""
    random: Callable[[Target, Preset, np.random.Generator, int], Sequence[Preset]]
    """Exactly n patches at the target's pitch, uniform over useful ranges."""


def starter_of(synth: str) -> Starter | None:
    """The starter of a synth; None where its space is all that is known of it."""
    if synth == "vital":
        from menura.matching.vital_starts import random_patches, vital_starts

        return Starter(vital_starts, random_patches)
    return None


def random_presets(pool: Pool, n: int) -> Sequence[Preset]:
    """Presets drawn from the synth's space without chance of their own."""
    task = pool.task
    base = task.constraints.base
    starter = starter_of(task.synth.name)
    if starter is not None:
        return starter.random(task.target, base, pool.rng, n)
    space = task.synth.space
    return [task.synth.freeze(space.decode(vector, base)) for vector in space.sample(pool.rng, n)]


def _neighbours(pool: Pool, n: int) -> list[Preset]:
    from menura.matching.lens import active_lens

    task = pool.task
    lens = active_lens(task.synth, task.constraints.base, task.constraints.locked)
    centre = np.asarray(lens.encode(task.constraints.base), dtype=np.float64)
    steps = pool.rng.normal(0.0, NEAR_RADIUS / 2.0, (n, lens.dim)) * (pool.rng.random((n, lens.dim)) < 0.3)
    low, high = task.constraints.box(lens)
    return [lens.decode(np.clip(centre + step, low, high), task.constraints.base) for step in steps]


def attack_of(target: Target) -> float:
    """Seconds from the start to where the level first comes within 3 dB of its highest."""
    level: NDArray[np.float32] = rms_envelope(target.audio.mono, 882, 220)
    return float(np.argmax(level > 0.7 * level.max())) * 220 / SAMPLE_RATE
