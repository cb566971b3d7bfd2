"""The forecast of any patch's outline against the engine, and the stage that uses it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
import pytest

from menura.events import Event, Finished, Improved
from menura.matching.audition import Audition
from menura.matching.budget import Account, Budget
from menura.matching.candidate import Candidate
from menura.matching.fit import Fit
from menura.matching.hearing import Hearing
from menura.matching.matcher import Matcher
from menura.matching.pool import Pool
from menura.matching.target import Target
from menura.matching.vital.outline import Outline
from menura.note import Note
from menura.preset import Preset, Route
from menura.synths.vital.init import initial
from menura.synths.vital.synth import Vital

NOTE = Note(57.0, hold=0.8, total=1.0)


def patch(**values: float) -> Preset:
    """A patch of a wiring that the starts do not know: a filter with an LFO."""
    start = initial()
    route = Route("lfo_1", "filter_1_cutoff", 0.2, 1)
    usual = {"filter_1_on": 1.0, "filter_1_cutoff": 75.0, "lfo_1_sync": 0.0, "lfo_1_sync_type": 0.0}
    return Vital().freeze(replace(start, values={**start.values, **usual, **values}, routes=(route,)))


WANTED = {"env_1_attack": 0.6, "env_1_decay": 0.9, "env_1_sustain": 0.4, "eq_on": 1.0, "eq_high_gain": 9.0}


def target_and_hearing(preset: Preset) -> tuple[Target, Hearing]:
    target = Target.of(Vital().render(preset, NOTE), NOTE)
    return target, Hearing(target.audio.mono, NOTE.frequency_hz)


@pytest.mark.parametrize("start", [{}, {"env_1_decay": 0.7, "env_1_sustain": 0.0}], ids=["open", "plucked"])
def test_another_envelope_and_colour_are_found_without_a_render(start: dict[str, float]) -> None:
    target, hearing = target_and_hearing(patch(**WANTED))
    candidate = Candidate(patch(**start))
    candidate = candidate.after(hearing.of(Vital().render(candidate.preset, NOTE)))
    way = Outline(target).way(candidate, np.random.default_rng(0), 0.3)
    assert way is not None
    assert hearing.of(Vital().render(way.at(1.0), NOTE)).distance < 0.5 * candidate.distance
    moved = {name for name, value in way.at(1.0).values.items() if value != candidate.preset.values[name]}
    assert moved <= {name for name in moved if name.startswith(("env_1_", "eq_"))}
    assert way.at(1.0).routes == candidate.preset.routes
    assert way.at(0.0).values["env_1_attack"] == pytest.approx(candidate.preset.values["env_1_attack"])


def test_what_was_not_heard_is_not_forecast() -> None:
    target, _ = target_and_hearing(patch())
    outline = Outline(target)
    assert outline.way(Candidate(patch()), np.random.default_rng(0), 0.1) is None
    silent = Candidate(patch(osc_1_on=0.0))
    hearing = Hearing(target.audio.mono, NOTE.frequency_hz)
    silent = silent.after(hearing.of(Vital().render(silent.preset, NOTE)))
    assert outline.way(silent, np.random.default_rng(0), 0.1) is None


class Given:
    """Proposes patches, of which one is to be fitted."""

    name = "given"
    presets = (patch(), patch(filter_1_cutoff=40.0))

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        del account
        pool.propose((preset, ("given",)) for preset in self.presets)
        yield from ()
        return pool


def test_the_stage_fits_what_was_heard_and_keeps_to_its_renders() -> None:
    target, _ = target_and_hearing(patch(**WANTED))
    found: dict[int, tuple[float, int]] = {}
    for workers in (1, 2):
        matcher = Matcher("vital", [Given(), Audition(), Fit(share=0.5)], workers=workers)
        events = list(matcher.stream(target, budget=Budget(30, 120.0)))
        improved = [event for event in events if isinstance(event, Improved)]
        assert improved[-1].candidate.lineage == ("given", "fit", "fit", "fit")[: len(improved[-1].candidate.lineage)]
        assert improved[-1].distance < 0.5 * improved[0].distance
        finished = next(event for event in events if isinstance(event, Finished))
        assert finished.renders <= 30
        found[workers] = improved[-1].distance, finished.renders
    assert found[1] == found[2]


def test_near_a_preset_nothing_is_fitted() -> None:
    target, _ = target_and_hearing(patch(**WANTED))
    matcher = Matcher("vital", [Audition(), Fit(share=0.5)], workers=1)
    events = matcher.stream(target, budget=Budget(10, 120.0), near=patch())
    assert next(event for event in events if isinstance(event, Finished)).matches[0].lineage == ("near",)


def test_what_is_searched_is_not_clipped_and_the_answer_is_what_was_heard() -> None:
    loud = {f"osc_{n}_{name}": value for n in (1, 2, 3) for name, value in (("on", 1.0), ("level", 1.0))}
    loud |= {"eq_on": 1.0, "eq_low_gain": 15.0, "eq_low_cutoff": 70.0, "volume": 5473.04}
    assert np.abs(Vital().render(patch(**loud), NOTE).samples).max() == pytest.approx(2.1)
    target, _ = target_and_hearing(patch(**WANTED))

    class Loud(Given):
        presets = (patch(**loud),)

    matcher = Matcher("vital", [Loud(), Audition()], workers=1)
    events = list(matcher.stream(target, budget=Budget(6, 120.0)))
    heard = next(event.distance for event in events if isinstance(event, Improved))
    answer = next(event for event in events if isinstance(event, Finished)).matches[0]
    assert np.abs(answer.audio.samples).max() < 1.2
    assert answer.distance == pytest.approx(heard, abs=0.05)
