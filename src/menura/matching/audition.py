"""Render candidates and note how near they are. Owns the one way in which stages spend renders."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import cast

from menura.audio import Audio
from menura.events import Event, Improved, Started
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.hearing import Ear, Heard
from menura.matching.pool import Pool

BATCH = 32
"""Renders between two looks at the clock: fixed, so that the number of workers changes nothing."""


def audition(
    pool: Pool,
    account: Account,
    stage: str,
    candidates: Sequence[Candidate],
    *,
    batch: int = BATCH,
    keep_sound: bool = False,
) -> Generator[Event, None, list[Candidate]]:
    """Render candidates as far as the account grants, add them to the pool, and answer with them.

    The answer is shorter than what was asked when the budget ends. Yields `Improved` for each that is nearer
    than all before. With `keep_sound` the candidates keep their (mono) sounds.
    """
    done: list[Candidate] = []
    for first in range(0, len(candidates), batch):
        wanted = candidates[first : first + batch]
        granted = wanted[: account.grant(len(wanted))]
        if granted:
            heard = _listen(pool, granted, keep_sound)
            done.extend(heard)
            # Each that is nearer is told with its own render: the course of a search is seen, not its batches.
            before = account.spent - len(granted)
            better = [(place, best) for place, c in enumerate(heard, 1) if (best := pool.add([c])) is not None]
            for place, best in better:
                yield Improved(stage, best.distance, before + place, best)
        if len(granted) < len(wanted):
            break
    return done


class _WithSound:
    """What a worker sends back where the sound itself is wanted as well."""

    def __init__(self, hearing: Ear) -> None:
        self._hearing = hearing

    def of(self, audio: Audio) -> tuple[Heard, Audio]:
        mono = audio.to_mono()
        return self._hearing.of(mono), mono


def _listen(pool: Pool, candidates: Sequence[Candidate], keep_sound: bool) -> list[Candidate]:
    task = pool.task
    note = task.target.note
    measure = cast(Callable[[Audio], object], _WithSound(task.hearing).of if keep_sound else task.hearing.of)
    there = task.hearing.in_workers
    answers = task.renderer.render_many([(c.preset, note) for c in candidates], measure=measure if there else None)
    heard: list[Candidate] = []
    for candidate, answer in zip(candidates, answers, strict=True):
        found = answer.measured if there or answer.audio is None else measure(answer.audio)
        if isinstance(found, tuple):
            heard.append(candidate.after(*cast(tuple[Heard, Audio], found)))
        else:
            heard.append(candidate.after(found if isinstance(found, Heard) else None))
    return heard


class Audition:
    """The stage that hears what waits in the pool, in the order of its proposal."""

    name = "audition"

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Hear everything that waits, as far as the budget goes."""
        yield Started(self.name, account.left)
        while pool.waiting and account.left:
            taken = pool.take_waiting(min(BATCH, account.left))
            yield from audition(pool, account, self.name, taken)
        return pool
