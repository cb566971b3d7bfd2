"""The first stage of the track `knobs`: random and family-wise patches. Owns how starts are chosen; renders nothing."""

from __future__ import annotations

from collections.abc import Generator
from itertools import islice

import numpy as np

from menura.events import Event, Proposed, Started
from menura.matching.audition import audition
from menura.matching.budget import Account
from menura.matching.constraints import NEAR_RADIUS
from menura.matching.pool import Pool
from menura.preset import Preset

MOST = 160
"""Starts of a search that only seconds end: all are drawn before the first is heard."""


class Starts:
    """Proposes starts: family-wise patches that a forecast has picked for this sound, and plain random ones.

    Where the user wants to stay near a preset, the starts are that preset with small changes.

    Args:
        share: Share of the renders left; None is the idiom's.
        spare: Propose nothing where a stage before has proposed something.
    """

    name = "starts"

    def __init__(self, share: float | None = None, *, spare: bool = False) -> None:
        self.share = share
        self.spare = spare

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose about `share` of the renders left."""
        yield Started(self.name, account.left)
        if self.spare and pool.waiting:
            return pool
        task = pool.task
        share = self.share or task.idiom.start_share
        count = int(np.clip(share * account.left, 12, MOST))
        if task.constraints.near:
            proposed = pool.propose((preset, ("start:near",)) for preset in neighbours(pool, count))
        else:
            starts = iter(task.idiom.starts(task, pool.rng, count))
            if task.idiom.picks_starts:
                # The likeliest is heard before the others are made: the user has a sound to judge at once.
                yield Proposed(self.name, pool.propose(islice(starts, 1)))
                yield from audition(pool, account, self.name, pool.take_waiting(len(pool.waiting)))
                if not account.left:
                    return pool
            proposed = pool.propose(starts)
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
        proposed = pool.propose(
            (preset, ("start:random",)) for preset in pool.task.idiom.random(pool.task, pool.rng, count)
        )
        yield Proposed(self.name, proposed)
        return pool


def neighbours(pool: Pool, n: int) -> list[Preset]:
    """N small changes of the preset to stay near."""
    from menura.matching.lens import active_lens

    task = pool.task
    lens = active_lens(task.synth, task.constraints.base, task.constraints.locked)
    centre = np.asarray(lens.encode(task.constraints.base), dtype=np.float64)
    steps = pool.rng.normal(0.0, NEAR_RADIUS / 2.0, (n, lens.dim)) * (pool.rng.random((n, lens.dim)) < 0.3)
    low, high = task.constraints.box(lens)
    return [lens.decode(np.clip(centre + step, low, high), task.constraints.base) for step in steps]
