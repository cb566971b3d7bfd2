"""The first stage of the track `any`: presets written from an analysis of the target. Owns the way into the pool."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from itertools import islice

from menura.events import Event, Proposed, Started, Warned
from menura.matching.audition import audition
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.pool import Pool
from menura.resynthesis import Draft, Resynthesis

SHARE = 0.9
"""Share of the renders left that readings and their corrections may take."""
STEPS: tuple[tuple[float, float], ...] = ((0.2, 0.7), (0.1, 0.5), (0.4, 0.35), (0.05, 0.6))
"""Smoothing in seconds and damping of the corrections tried in a round, two at a time."""
PATIENCE = 2
"""Rounds without a nearer draft after which a reading is left alone."""
HOPELESS = 1.6
"""A reading this many times as far as the best is not corrected further."""


@dataclass(eq=False)
class _Reading:
    """The best draft of one way to read the target."""

    draft: Draft
    heard: Candidate
    idle: int = 0


class Resynthesise:
    """Hears the readings of the target, then corrects the best ones by what they sounded like.

    Where the user wants to stay near a preset there is nothing to propose: it says so.
    """

    name = "resynthesis"

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose, hear and correct until nothing gets nearer or the share of the budget is spent."""
        yield Started(self.name, account.left)
        task = pool.task
        if task.constraints.near:
            yield Warned("resynthesis is left out: it would not stay near the given preset")
            return pool
        proposer = Resynthesis(task.target.sound, task.target.note, task.target.estimate, pool.rng)
        limit = account.spent + max(1, int(SHARE * account.left))
        readings: list[_Reading] = []
        drafts = proposer.drafts()
        # The likeliest reading is heard before the others are made: the user has a sound to judge at once.
        while batch := list(islice(drafts, 2 if readings else 1)):
            yield Proposed(self.name, len(batch))
            heard = yield from self._hear(pool, account, batch, limit)
            readings += [_Reading(draft, candidate) for draft, candidate in heard if candidate.audio is not None]
        while account.spent < limit and account.left:
            nearest = min((reading.heard.distance for reading in readings), default=0.0)
            alive = [r for r in readings if r.idle < PATIENCE and r.heard.distance <= HOPELESS * nearest]
            if not alive:
                break
            for reading in sorted(alive, key=lambda r: r.heard.distance)[:2]:
                yield from self._correct(pool, account, proposer, reading, limit)
        return pool

    def _correct(
        self, pool: Pool, account: Account, proposer: Resynthesis, reading: _Reading, limit: int
    ) -> Generator[Event, None, None]:
        """One round: two corrections of the reading's best draft; the nearer one becomes it."""
        sound = reading.heard.audio
        if sound is None:
            return
        first = 2 * (reading.idle % (len(STEPS) // 2))
        drafts = [
            proposer.correct(reading.draft, sound.mono, smoothing=smoothing, damping=damping)
            for smoothing, damping in STEPS[first : first + 2]
        ]
        heard = yield from self._hear(pool, account, drafts, limit)
        better = [pair for pair in heard if pair[1].distance < reading.heard.distance - 0.005]
        if better:
            reading.draft, reading.heard = min(better, key=lambda pair: pair[1].distance)
            reading.idle = 0
        else:
            reading.idle += 1

    def _hear(
        self, pool: Pool, account: Account, drafts: list[Draft], limit: int
    ) -> Generator[Event, None, list[tuple[Draft, Candidate]]]:
        drafts = drafts[: max(0, limit - account.spent)]
        candidates = [
            Candidate(
                pool.task.constraints.apply(draft.preset),
                ("resynthesis", draft.reading) + (("corrected",) * min(draft.steps, 1)),
            )
            for draft in drafts
        ]
        heard = yield from audition(pool, account, self.name, candidates, keep_sound=True)
        return list(zip(drafts, heard, strict=False))
