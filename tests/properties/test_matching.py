"""Laws of matching, on the toy synth: the best is kept, workers change nothing, the budget holds, locks hold."""

from __future__ import annotations

import math
from collections.abc import Generator
from threading import Event as Flag

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.audio import Audio
from menura.errors import InputError, MenuraError, SpaceError
from menura.events import Event, Finished, Improved, Proposed, Started
from menura.matching.audition import Audition
from menura.matching.budget import Account, Budget
from menura.matching.knobs import KnobSearch
from menura.matching.match import BEYOND, VERDICTS, verdict_of
from menura.matching.matcher import Matcher
from menura.matching.pool import Pool
from menura.matching.rank import Rank
from menura.matching.starts import RandomStarts, Starts
from menura.matching.tracks import stages_of
from menura.note import Note
from menura.synths.registry import synth_of

NOTE = Note(57.0, hold=0.25, total=0.35)
BUDGET = Budget(72, math.inf)


@pytest.fixture(scope="module")
def sound() -> Audio:
    """A note of the toy itself, away from its initial patch."""
    toy = synth_of("toy")
    init = toy.freeze(toy.init())
    wanted = init.with_values(wave=2.0, filter_on=1.0, cutoff=78.0, attack=-5.0, sustain=0.4, noise_level=0.1)
    return toy.render(wanted, NOTE)


def run(sound: Audio, *, seed: int = 0, workers: int = 1, budget: Budget = BUDGET, **options: object) -> list[Event]:
    matcher = Matcher("toy", stages_of("knobs", synth_of("toy")), seed=seed, workers=workers)
    return list(matcher.stream(sound, note=NOTE, budget=budget, **options))  # type: ignore[arg-type]


def finished(events: list[Event]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished)
    return last


def test_a_match_comes_near_and_its_answers_differ(sound: Audio) -> None:
    events = run(sound, top=3, budget=Budget(200, math.inf))
    done = finished(events)
    assert done.renders <= 200
    matches = done.matches
    assert len(matches) == 3
    distances = [match.distance for match in matches]
    assert distances == sorted(distances)
    assert len({match.preset.id for match in matches}) == 3
    assert set(matches[0].scores) == {"mss", "wmfcc", "sot", "rms"}
    assert matches[0].audio.samples.shape[1] == pytest.approx(sound.samples.shape[1], abs=2)
    assert all(match.lineage and match.verdict for match in matches)


def test_the_search_beats_as_many_random_draws(sound: Audio) -> None:
    budget = Budget(240, math.inf)
    random = Matcher("toy", [RandomStarts(), Audition()], workers=1)
    drawn = finished(list(random.stream(sound, note=NOTE, budget=budget, top=1))).matches[0]
    searched = finished(run(sound, budget=budget, top=1)).matches[0]
    assert searched.distance < 0.8 * drawn.distance


def test_improvements_go_down_and_the_best_is_among_the_answers(sound: Audio) -> None:
    events = run(sound, top=2)
    distances = [event.distance for event in events if isinstance(event, Improved)]
    assert distances == sorted(distances, reverse=True)
    best = [event for event in events if isinstance(event, Improved)][-1].candidate
    matches = finished(events).matches
    # The toy is exact, so the check hears what the search heard.
    assert matches[0].preset.id == best.preset.id
    assert matches[0].distance == pytest.approx(best.distance, abs=1e-6)


def test_the_number_of_workers_changes_nothing(sound: Audio) -> None:
    one, three = finished(run(sound, workers=1)), finished(run(sound, workers=3))
    assert [m.preset.id for m in one.matches] == [m.preset.id for m in three.matches]
    assert [m.distance for m in one.matches] == [m.distance for m in three.matches]
    assert one.renders == three.renders


def test_the_seed_decides(sound: Audio) -> None:
    first, again, other = (finished(run(sound, seed=seed)).matches[0] for seed in (1, 1, 2))
    assert first.preset.id == again.preset.id
    assert first.preset.id != other.preset.id


@pytest.mark.parametrize("renders", [1, 2, 7, 40])
def test_no_more_is_rendered_than_the_budget_has(sound: Audio, renders: int) -> None:
    done = finished(run(sound, top=2, budget=Budget(renders, math.inf)))
    assert done.renders <= renders
    assert done.stopped_by in ("renders", "stages")
    if renders >= 7:
        assert done.matches


class TestEveryStage:
    """Laws that hold for each stage by itself."""

    STAGES = (Starts, Audition, KnobSearch, RandomStarts, Rank)

    class Spy:
        """Runs a stage and looks at the pool before and after."""

        def __init__(self, inner: object) -> None:
            self.name = "spy"
            self.inner = inner
            self.before: float = math.inf
            self.after: float = math.inf
            self.same = False

        def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
            self.before = pool.best.distance if pool.best else math.inf
            given = {c.preset.id for c in pool.auditioned}
            found = yield from self.inner.run(pool, account)  # type: ignore[attr-defined]
            self.after = found.best.distance if found.best else math.inf
            self.same = given <= {c.preset.id for c in found.auditioned}
            return found

    @pytest.mark.parametrize("make", STAGES)
    def test_never_loses_the_best(self, sound: Audio, make: type) -> None:
        spy = self.Spy(make())
        matcher = Matcher("toy", [RandomFew(), Audition(), spy, Rank()], workers=1)  # type: ignore[list-item]
        list(matcher.stream(sound, note=NOTE, budget=Budget(60, math.inf), top=1))
        assert math.isfinite(spy.before)
        assert spy.after <= spy.before
        assert spy.same


class RandomFew:
    """Twelve random presets."""

    name = "few"

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        yield Started(self.name, account.left)
        drawn = pool.task.idiom.random(pool.task, pool.rng, 12)
        yield Proposed(self.name, pool.propose((p, ("few",)) for p in drawn))
        return pool


def test_cancelling_at_any_event_leaves_the_best_so_far(sound: Audio) -> None:
    for stop in (0, 1, 3, 6):
        cancel = Flag()
        matcher = Matcher("toy", stages_of("knobs", synth_of("toy")), workers=1)
        seen: list[Event] = []
        for number, event in enumerate(matcher.stream(sound, note=NOTE, budget=BUDGET, cancel=cancel)):
            seen.append(event)
            if number == stop:
                cancel.set()
        done = finished(seen)
        assert done.stopped_by == "cancelled"
        improved = [event for event in seen if isinstance(event, Improved)]
        if improved:
            assert done.matches[0].distance == pytest.approx(improved[-1].distance, abs=1e-6)


def test_closing_the_stream_early_is_clean(sound: Audio) -> None:
    stream = Matcher("toy", stages_of("knobs", synth_of("toy")), workers=1).stream(sound, note=NOTE, budget=BUDGET)
    assert isinstance(next(iter(stream)), Started)
    stream.close()  # type: ignore[attr-defined]


def test_time_is_a_ceiling(sound: Audio) -> None:
    done = finished(run(sound, budget=Budget(100_000, 1.5)))
    assert done.stopped_by == "seconds"
    assert done.matches
    assert done.renders < 100_000


def test_locked_controls_stay(sound: Audio) -> None:
    base = synth_of("toy").init().with_values(cutoff=66.0, attack=-3.0)
    done = finished(run(sound, lock=("cutoff", "envelopes"), near=base, top=3))
    for match in done.matches:
        for name in ("cutoff", "attack", "decay", "sustain", "release"):
            assert match.preset.values[name] == base.values[name]


def test_without_near_the_lock_keeps_the_initial_patch(sound: Audio) -> None:
    done = finished(run(sound, lock=("filters",), top=2))
    init = synth_of("toy").init()
    for match in done.matches:
        assert match.preset.values["cutoff"] == init.values["cutoff"]
        assert match.preset.values["filter_on"] == init.values["filter_on"]


def test_near_stays_near(sound: Audio) -> None:
    from menura.matching.constraints import NEAR_RADIUS

    toy = synth_of("toy")
    base = toy.freeze(toy.init())
    space = toy.space.of_kind("continuous")
    for match in finished(run(sound, near=base, top=3)).matches:
        moved = np.abs(space.encode(match.preset).astype(float) - space.encode(base))
        # Whole steps may round beyond the box by half a step.
        assert moved.max() <= NEAR_RADIUS + 0.5 / 48.0


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"lock": ("no such knob",)}, SpaceError, "no such knob"),
        ({"top": 0}, InputError, "top"),
        ({"near": "vital"}, InputError, "vital"),
    ],
)
def test_bad_requests_are_told(sound: Audio, options: dict[str, object], error: type[MenuraError], word: str) -> None:
    if options.get("near") == "vital":
        options = {"near": synth_of("vital").init()}
    with pytest.raises(error, match=word):
        run(sound, **options)  # type: ignore[arg-type]


def test_verdicts_are_ordered_words() -> None:
    bounds = [bound for bound, _ in VERDICTS]
    assert bounds == sorted(bounds)
    assert verdict_of(0.0) == VERDICTS[0][1]
    assert verdict_of(bounds[-1]) == VERDICTS[-1][1]
    assert verdict_of(bounds[-1] + 0.01) == BEYOND
    assert verdict_of(math.inf) == BEYOND


def test_hearing_is_gain_invariant_and_takes_anything(sound: Audio) -> None:
    from menura.matching.hearing import Hearing

    mono = sound.mono
    hearing = Hearing(mono, NOTE.frequency_hz)
    assert hearing(mono).distance == pytest.approx(0.0, abs=1e-4)
    assert hearing(0.1 * mono).distance == pytest.approx(0.0, abs=0.02)
    assert hearing(np.zeros_like(mono)).distance == math.inf
    assert hearing(np.full_like(mono, np.nan)).distance == math.inf
    assert hearing(mono[: mono.size // 2]).distance > 1.0
    assert math.isfinite(hearing(np.concatenate([mono, mono])).distance)


@given(st.lists(st.tuples(st.floats(0.5, 9.0), st.integers(0, 3)), min_size=1, max_size=12), st.integers(1, 5))
def test_choices_begin_with_the_best_and_differ_where_they_can(made: list[tuple[float, int]], n: int) -> None:
    from menura.matching.candidate import Candidate
    from menura.matching.hearing import Heard
    from menura.matching.rank import SOUNDS_DIFFER, WORSE_AT_MOST, choose

    toy = synth_of("toy")
    candidates = sorted(
        (
            Candidate(toy.init()).after(Heard(d, d, 0.1, 0.5, np.full((4, 64), -20.0 * kind, dtype=np.float16)))
            for d, kind in made
        ),
        key=lambda c: c.distance,
    )
    chosen = choose(candidates, n, toy.space)
    assert chosen[0] is candidates[0]
    pictures = [float(c.picture[0, 0]) for c in chosen if c.picture is not None]
    assert len(set(pictures)) == len(pictures) == len(chosen)
    assert SOUNDS_DIFFER < 20.0
    worth = [c for c in candidates if c.distance <= WORSE_AT_MOST * candidates[0].distance + 0.5]
    assert len(chosen) == min(n, len({float(c.picture[0, 0]) for c in worth if c.picture is not None}))
