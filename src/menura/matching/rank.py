"""The last stage: different answers, each checked on a pristine engine. Owns the choice; knows no search."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import RenderError
from menura.events import Event, Started, Warned
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.hearing import sound_difference
from menura.matching.match import Match
from menura.matching.pool import Pool, Task
from menura.space import ParameterSpace
from menura.version import __version__

SOUNDS_DIFFER = 2.0
"""dB between two pictures from which on two answers sound different (two takes of one chancy patch: 1.4)."""
SETTINGS_DIFFER = 0.02
"""Mean difference over the controls that play, from which on two answers are different patches."""
WORSE_AT_MOST = 1.6
"""An answer this many times as far as the best is no answer, however different."""
CONSIDERED = 2000
"""How many of the nearest candidates are looked at."""


class Rank:
    """Chooses the answers: the nearest first, then the nearest of those that differ from all chosen.

    The final distance and all scores come from the written and read preset on a pristine engine, so that an
    answer is what the user will hear. What was chosen is ordered by that distance.
    """

    name = "rank"

    def __init__(self) -> None:
        self.matches: tuple[Match, ...] = ()
        """The answers of the last run, nearest first."""

    @staticmethod
    def renders(top: int, budget: int) -> int:
        """Renders to keep back for the check: one an answer and a spare, no more than a quarter of the budget."""
        return max(1, min(top + 1, budget // 4))

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Choose, check and score."""
        self.matches = ()
        account.release()
        yield Started(self.name, account.left)
        task = pool.task
        chosen = choose(pool.nearest(CONSIDERED), self.renders(task.top, account.budget.renders), task.synth.space)
        chosen = chosen[: account.grant_last(len(chosen))]
        chosen = [replace(candidate, preset=task.idiom.at_loudness(task, candidate)) for candidate in chosen]
        answers: list[Match] = []
        for candidate, answer in zip(chosen, self._check(task, chosen), strict=True):
            if isinstance(answer, str):
                yield Warned(f"an answer was dropped: {answer}")
                continue
            answers.append(_match(task, candidate, answer))
        if not answers:
            yield Warned("no candidate gave a sound")
        self.matches = tuple(sorted(answers, key=lambda match: match.distance)[: task.top])
        return pool

    @staticmethod
    def _check(task: Task, chosen: Sequence[Candidate]) -> list[Audio | str]:
        written = [task.synth.read(task.synth.write(candidate.preset)) for candidate in chosen]
        if not written:
            return []
        rendered = task.checker.render_many([(preset, task.target.note) for preset in written])
        return [r.audio if r.audio is not None else (r.error or "no sound") for r in rendered]


def choose(candidates: Sequence[Candidate], n: int, space: ParameterSpace) -> list[Candidate]:
    """At most n candidates, nearest first, that differ in sound or in settings; the bar falls where too few do.

    Args:
        candidates: Auditioned, nearest first.
        n: How many are wanted.
        space: Where settings are compared.
    """
    if not candidates:
        return []
    vectors: dict[int, NDArray[np.float64]] = {}

    def settings(index: int) -> NDArray[np.float64]:
        if index not in vectors:
            vectors[index] = np.asarray(space.encode(candidates[index].preset), dtype=np.float64)
        return vectors[index]

    def differ(one: int, other: int, bar: float) -> bool:
        heard = sound_difference(candidates[one].picture, candidates[other].picture)
        return (
            heard >= bar * SOUNDS_DIFFER or _setting_difference(settings(one), settings(other)) >= bar * SETTINGS_DIFFER
        )

    worth = [i for i, c in enumerate(candidates) if c.distance <= WORSE_AT_MOST * candidates[0].distance + 0.5]
    taken: list[int] = []
    for bar in (1.0, 0.5, 0.25):
        for index in worth:
            if len(taken) >= n:
                break
            if index not in taken and all(differ(index, other, bar) for other in taken):
                taken.append(index)
    return [candidates[index] for index in taken]


def _setting_difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.mean(np.abs(first - second)))


def _match(task: Task, candidate: Candidate, audio: Audio) -> Match:
    heard = task.hearing.of(audio)
    if not math.isfinite(heard.distance):
        raise RenderError("a checked answer is silent; report this with the sound that was matched")
    scores = task.hearing.scores(audio)
    return Match(
        preset=candidate.preset,
        audio=audio,
        note=task.target.note,
        distance=heard.distance,
        scores=scores,
        lineage=candidate.lineage,
        verdict=task.hearing.verdict(scores),
        seed=task.seed,
        versions={"menura": __version__, task.synth.name: task.synth.version},
    )
