"""The first stage of the track `any`: presets written from an analysis of the target. Owns the way into the pool."""

from __future__ import annotations

from collections.abc import Generator

from menura.events import Event, Proposed, Started, Warned
from menura.matching.audition import audition
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.pool import Pool

SHARE = 0.8
"""Share of the renders left that proposals and their variants may take."""


class Resynthesise:
    """Asks the resynthesis for presets, hears them, and asks for further variants of what was best.

    Where the user wants to stay near a preset there is nothing to propose: it says so.
    """

    name = "resynthesis"

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose, hear, and propose again until the resynthesis has no further variant."""
        from menura.resynthesis import Resynthesis

        yield Started(self.name, account.left)
        task = pool.task
        if task.constraints.near:
            yield Warned("resynthesis is left out: it would not stay near the given preset")
            return pool
        target = task.target
        proposer = Resynthesis(target.audio, target.note, target.estimate, pool.rng)
        presets = list(proposer.propose())
        limit = account.spent + max(1, int(SHARE * account.left))
        scored: list[tuple[Candidate, float]] = []
        while presets and account.spent < limit:
            yield Proposed(self.name, len(presets))
            batch = [
                Candidate(task.constraints.apply(preset), _lineage(preset.origin.get("variant")))
                for preset in presets[: limit - account.spent]
            ]
            heard = yield from audition(pool, account, self.name, batch)
            scored += [(candidate, candidate.distance) for candidate in heard]
            if len(heard) < len(batch) or not account.left:
                break
            presets = list(proposer.refine([(candidate.preset, distance) for candidate, distance in scored]))
        return pool


def _lineage(variant: object) -> tuple[str, ...]:
    return ("resynthesis",) if not variant else ("resynthesis", str(variant))
