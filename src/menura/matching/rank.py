"""The last stage: different answers, each checked on a pristine engine. Owns the choice; knows no search."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np

from menura.audio import Audio
from menura.errors import RenderError
from menura.events import Event, Started, Warned
from menura.features.distances import all_metrics
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.hearing import sound_difference
from menura.matching.loudness import at_target_loudness
from menura.matching.match import Match, verdict_of
from menura.matching.pool import Pool, Task
from menura.matching.target import SAMPLE_RATE
from menura.space import ParameterSpace
from menura.version import __version__

SOUNDS_DIFFER = 2.0
"""dB between two pictures from which on two answers sound different (two takes of one chancy patch: 1.4)."""
SETTINGS_DIFFER = 0.02
"""Mean difference over the controls that play, from which on two answers are different patches."""
CONSIDERED = 200
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
        chosen = [replace(candidate, preset=at_target_loudness(task, candidate)) for candidate in chosen]
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
    chosen: list[Candidate] = []
    vectors = [np.asarray(space.encode(candidate.preset), dtype=np.float64) for candidate in candidates]
    taken: list[int] = []
    for strictness in (1.0, 0.5, 0.25):
        for index, candidate in enumerate(candidates):
            if len(chosen) >= n:
                return chosen
            if index in taken:
                continue
            if all(
                sound_difference(candidate.picture, candidates[other].picture) >= strictness * SOUNDS_DIFFER
                or _setting_difference(vectors[index], vectors[other]) >= strictness * SETTINGS_DIFFER
                for other in taken
            ):
                taken.append(index)
                chosen.append(candidate)
    return chosen


def _setting_difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.mean(np.abs(first - second)))


def _match(task: Task, candidate: Candidate, audio: Audio) -> Match:
    target = task.target.audio.mono
    mono = _fit(audio.mono, target.size)
    heard = task.hearing(mono)
    if not math.isfinite(heard.distance):
        raise RenderError("a checked answer is silent; report this with the sound that was matched")
    scores = {name: float(value) for name, value in all_metrics(target, mono, SAMPLE_RATE).items()}
    return Match(
        preset=candidate.preset,
        audio=audio,
        note=task.target.note,
        distance=heard.distance,
        scores=scores,
        lineage=candidate.lineage,
        verdict=verdict_of(scores["mss"]),
        seed=task.seed,
        versions={"menura": __version__, task.synth.name: task.synth.version},
    )


def _fit(mono: np.ndarray, size: int) -> np.ndarray:
    return np.pad(mono, (0, max(0, size - mono.size)))[:size]
