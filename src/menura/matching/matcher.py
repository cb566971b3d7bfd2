"""The Matcher: a sound in, answers out, stage by stage. Owns the run; knows no stage's inside and no face."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event as Flag

import numpy as np

from menura.audio import Audio
from menura.errors import InputError, WorkError
from menura.events import Event, Finished, Warned
from menura.matching.budget import Budget
from menura.matching.constraints import Constraints
from menura.matching.hearing import Hearing
from menura.matching.match import Match
from menura.matching.pool import Pool, Task
from menura.matching.rank import Rank
from menura.matching.stage import Stage
from menura.matching.target import Target
from menura.note import Note
from menura.preset import Preset
from menura.synths.base import Synth
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of


class Matcher:
    """Runs a list of stages on a sound.

    Args:
        synth: Name of the synth, or the synth.
        stages: What to do, in order; a `Rank` is added where the last is none. None takes those of the
            track `any`, see `menura.matching.tracks`.
        seed: Where all chance comes from.
        workers: Engines at work at the same time; None is one a core. It never changes a result.
        pools: A fast and an exact pool of this synth that the caller keeps open, for many matches in a row; None
            opens two for each match.
    """

    def __init__(
        self,
        synth: str | Synth = "vital",
        stages: Sequence[Stage] | None = None,
        seed: int = 0,
        workers: int | None = None,
        pools: tuple[RenderPool, RenderPool] | None = None,
    ) -> None:
        if seed < 0:
            raise InputError(f"seed is {seed}; give 0 or more")
        self.synth: Synth = synth_of(synth) if isinstance(synth, str) else synth
        if stages is None:
            from menura.matching.tracks import stages_of

            stages = stages_of("any", self.synth)
        listed = list(stages)
        if not listed or not isinstance(listed[-1], Rank):
            listed.append(Rank())
        self.stages: tuple[Stage, ...] = tuple(listed)
        self.seed = seed
        self.workers = workers or os.cpu_count() or 1
        self._pools = pools

    def stream(
        self,
        sound: str | Path | Audio | Target,
        *,
        note: float | Note | None = None,
        top: int = 5,
        budget: Budget | None = None,
        lock: Iterable[str] = (),
        near: Preset | None = None,
        cancel: Flag | None = None,
    ) -> Iterator[Event]:
        """Match, event by event; the last event is `Finished` with the answers.

        Args:
            sound: What to match.
            note: The pitch it plays, or the whole note; None listens.
            top: How many different answers.
            budget: Limits; None is `Budget()`.
            lock: Controls or groups to keep as they are in `near` or in the initial patch.
            near: A preset to stay near.
            cancel: Set it to stop: the answers are the best so far.

        Raises:
            MenuraError: the input cannot be used, or the work failed.
        """
        if top < 1:
            raise InputError(f"top is {top}; ask for 1 answer or more")
        account = (budget or Budget()).start(cancel=cancel)
        target = sound if isinstance(sound, Target) else Target.of(sound, note)
        words = target.words
        if words is not None and words.warning:
            yield Warned(words.warning)
        base = self.synth.init() if near is None else near
        if base.synth != self.synth.name:
            raise InputError(f"the preset to stay near is for {base.synth!r}, the match is for {self.synth.name!r}")
        constraints = Constraints(self.synth.space, self.synth.freeze(base), lock=lock, near=near is not None)
        chance = np.random.default_rng(self.seed).spawn(len(self.stages))
        with contextlib.ExitStack() as stack:
            if self._pools is None:
                fast = stack.enter_context(RenderPool(self.synth.name, workers=self.workers, mode="fast"))
                exact = stack.enter_context(RenderPool(self.synth.name, workers=1, mode="exact"))
            else:
                fast, exact = self._pools
            before = fast.engine_seconds + exact.engine_seconds
            hearing = Hearing(target.audio.mono, target.note.frequency_hz) if words is None else words.ear(target)
            task = Task(target, self.synth, fast, exact, hearing, constraints, top, self.seed)
            pool = Pool(task, chance[0])
            if near is not None:
                pool.propose([(base, ("near",))])
            last = self.stages[-1]
            account.reserve(Rank.renders(top, account.budget.renders))
            for stage, rng in zip(self.stages, chance, strict=True):
                if account.cancelled and stage is not last:
                    continue
                pool.rng = rng
                yield from stage.run(pool, account)
            matches = last.matches if isinstance(last, Rank) else ()
            yield Finished(
                matches=matches,
                renders=account.spent,
                seconds=account.seconds,
                stopped_by=account.stopped_by,
                engine_seconds=fast.engine_seconds + exact.engine_seconds - before,
            )

    def match(
        self,
        sound: str | Path | Audio | Target,
        *,
        note: float | Note | None = None,
        top: int = 5,
        budget: Budget | None = None,
        lock: Iterable[str] = (),
        near: Preset | None = None,
    ) -> list[Match]:
        """As `stream`, without the events.

        Raises:
            WorkError: no candidate gave a sound.
        """
        events = self.stream(sound, note=note, top=top, budget=budget, lock=lock, near=near)
        finished = next((event for event in events if isinstance(event, Finished)), None)
        matches: list[Match] = [] if finished is None else list(finished.matches)
        if not matches:
            raise WorkError("no answer was found: no candidate gave a sound; raise the budget or try --track knobs")
        return matches
