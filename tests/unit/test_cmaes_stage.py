"""The plain CMA-ES stage: nearer with its renders, anew where it stands still, no more renders than granted."""

from __future__ import annotations

import pytest

from menura.events import Finished, Improved
from menura.matching.audition import Audition
from menura.matching.budget import Budget
from menura.matching.cmaes import CmaEsSearch
from menura.matching.matcher import Matcher
from menura.matching.starts import InitialPatch, RandomStarts
from menura.note import Note
from menura.synths.registry import synth_of

TOY = synth_of("toy")
NOTE = Note(57.0, hold=0.4, total=0.5)


def test_it_comes_nearer_and_keeps_to_its_renders() -> None:
    target = TOY.render(TOY.init().with_values(cutoff=60.0, filter_on=1.0, attack=0.05), NOTE)
    matcher = Matcher(TOY, [RandomStarts(0.2), Audition(), CmaEsSearch()], workers=1)
    events = list(matcher.stream(target, note=NOTE, budget=Budget(200, 120.0)))
    improved = [event for event in events if isinstance(event, Improved)]
    last = improved[-1]
    assert last.candidate.lineage == ("start:random", "cma-es")
    assert last.distance < 0.7 * min(event.distance for event in improved if event.stage == "audition")
    finished = next(event for event in events if isinstance(event, Finished))
    assert 150 < finished.renders <= 200


def test_where_every_step_leads_away_the_start_stays_and_the_renders_are_spent() -> None:
    target = TOY.render(TOY.init(), NOTE)
    matcher = Matcher(TOY, [InitialPatch(), Audition(), CmaEsSearch(sigma=0.3)], workers=1)
    events = list(matcher.stream(target, note=NOTE, budget=Budget(400, 120.0)))
    finished = next(event for event in events if isinstance(event, Finished))
    assert finished.renders == pytest.approx(400, abs=20)
    assert finished.matches[0].lineage == ("init",)
