"""An arm that is a list of stages: the ablation is an edit of a list. Knows no particular list."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from menura.errors import WorkError
from menura.evaluation.answer import Answer, Point
from menura.evaluation.arm import Case, TableTrack
from menura.events import Finished, Improved
from menura.matching.budget import Budget
from menura.matching.match import Match
from menura.matching.matcher import Matcher
from menura.matching.stage import Stage
from menura.synths.base import Synth

SEARCHED = ("mss", "sot", "rms")
"""Metrics that the in-loop distance is made of, see `menura.matching.hearing`."""


@dataclass(frozen=True)
class StageArm:
    """Runs a `Matcher` with its stages on every item."""

    name: str
    what: str
    """One line for the table's legend."""
    track: TableTrack
    stages: Callable[[Synth], list[Stage]]
    """Makes the list for a synth, without its `Rank`."""
    renders: int | None = None
    """Renders of its own; None takes the run's."""
    seconds: float | None = None
    """Ceiling of its own; with one, results depend on the machine."""
    optimised: tuple[str, ...] = SEARCHED

    def answer(self, case: Case) -> Answer:
        """Match the target. Raises MenuraError where the work fails."""
        budget = Budget(
            self.renders or case.budget.renders,
            case.budget.seconds if self.seconds is None else min(self.seconds, case.budget.seconds),
        )
        matcher = Matcher(case.synth, self.stages(case.synth), seed=case.seed, pools=case.pools)
        began = time.monotonic()
        curve: list[Point] = []
        finished: Finished | None = None
        for event in matcher.stream(case.target, top=case.top, budget=budget):
            if isinstance(event, Improved):
                curve.append(Point(event.renders, time.monotonic() - began, event.candidate.heard.mss))
            elif isinstance(event, Finished):
                finished = event
        if finished is None or not finished.matches:
            raise WorkError("no answer was found: no candidate gave a sound")
        best: Match = finished.matches[0]
        curve.append(Point(finished.renders, finished.seconds, best.scores["mss"]))
        return Answer(
            note=best.note,
            presets=tuple(match.preset for match in finished.matches),
            renders=finished.renders,
            engine_seconds=finished.engine_seconds,
            stopped_by=finished.stopped_by,
            verdict=best.verdict,
            lineage=best.lineage,
            curve=tuple(curve),
        )
