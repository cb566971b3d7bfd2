"""The knob search on Vital, through the front door."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import menura
from menura.audio import Audio
from menura.errors import InputError, OutputError
from menura.features.distances import mss
from menura.matching.budget import Budget
from menura.matching.match import Match
from menura.matching.matcher import Matcher
from menura.matching.tracks import stages_of
from menura.note import Note
from menura.synths.registry import synth_of

RATE = 44_100


@pytest.fixture(scope="module")
def pluck() -> Audio:
    """A decaying tone with a noisy beginning."""
    rng = np.random.default_rng(0)
    time = np.arange(int(0.5 * RATE)) / RATE
    tone = np.zeros(time.size)
    for k in range(1, 25):
        tone += k**-1.2 * np.exp(-(3.0 + 1.5 * k) * time) * np.sin(2 * np.pi * 220.0 * k * time)
    noise = rng.standard_normal(time.size) * (0.05 * np.exp(-60.0 * time) + 1e-4)
    return Audio((0.3 * tone + noise).astype(np.float32)[None], RATE)


@pytest.fixture(scope="module")
def matches(pluck: Audio) -> list[Match]:
    return menura.match(pluck, track="knobs", renders=40, seconds=math.inf, top=2, note=57.0, workers=2)


def test_few_renders_come_near(matches: list[Match], pluck: Audio) -> None:
    best = matches[0]
    assert best.scores["mss"] < 6.0
    assert best.reached
    assert best.note == Note(57.0, hold=best.note.hold, total=best.note.total)
    assert best.lineage[0].startswith("start:")
    assert set(best.versions) == {"menura", "vital"}
    level = 20 * math.log10(float(np.std(best.audio.mono)) / float(np.std(pluck.mono)))
    assert abs(level) < 3.0


def test_a_sound_is_heard_before_the_other_starts_are_made(pluck: Audio, monkeypatch: pytest.MonkeyPatch) -> None:
    from menura.events import Improved
    from menura.matching.vital import starts

    improved: list[int] = []
    improve = starts.improve

    def counted(*given: Any, **options: Any) -> Any:
        improved.append(1)
        return improve(*given, **options)

    monkeypatch.setattr(starts, "improve", counted)
    synth = synth_of("vital")
    events = Matcher(synth, stages_of("knobs", synth), workers=2).stream(pluck, note=57.0, budget=Budget(30, math.inf))
    first = next(event for event in events if isinstance(event, Improved))
    assert (first.renders, len(improved)) == (1, 1)


def test_an_answer_takes_nothing_but_stock_content_and_knobs(matches: list[Match]) -> None:
    from menura.synths.vital.stock import stock_table
    from menura.synths.vital.voice import SOURCES, stock_noise

    names = {name for name, _ in SOURCES}
    for match in matches:
        settings = match.preset.blocks["settings"]
        for table in settings["wavetables"]:
            assert table["name"] in names
            assert table == stock_table(table["name"]).block()
        assert settings["sample"] == stock_noise()
        assert settings["lfos"] == synth_of("vital").init().blocks["settings"]["lfos"]
        assert len(synth_of("vital").write(match.preset)) < 450_000


def test_a_saved_answer_sounds_as_it_was_scored(matches: list[Match], tmp_path: Path) -> None:
    saved = matches[0].save(tmp_path / "answer")
    assert saved.suffix == ".vital"
    synth = synth_of("vital")
    sound = synth.render(synth.read(saved), matches[0].note)
    assert mss(sound.mono, matches[0].audio.mono) < 0.01
    with pytest.raises(OutputError):
        matches[0].save(saved)
    matches[0].save(saved, force=True)


def test_a_known_hold_is_believed_and_the_tail_is_drawn() -> None:
    """The key goes up in the middle of a decay: the tail is the release's, not a held note's."""
    time = np.arange(RATE) / RATE
    tone = sum(k**-1.3 * np.exp(-3.0 * time) * np.sin(2 * np.pi * 220.0 * k * time) for k in range(1, 20))
    target = Audio((0.3 * np.asarray(tone)).astype(np.float32)[None], RATE)
    best = menura.match(target, track="any", renders=12, note=Note(57.0, 0.8, hold=0.4, total=1.0), workers=2)[0]
    assert best.note.hold == 0.4
    assert best.scores["mss"] < 2.5
    for part in (slice(0, RATE // 4), slice(RATE // 2, 3 * RATE // 4)):
        level = 20 * math.log10(float(np.std(best.audio.mono[part])) / float(np.std(target.mono[part])))
        assert abs(level) < 3.0


def test_softer_keys_are_quieter(matches: list[Match]) -> None:
    synth = synth_of("vital")
    note = matches[0].note
    loud, soft = (
        synth.render(matches[0].preset, Note(note.pitch, velocity, note.hold, note.total)).mono.std()
        for velocity in (0.9, 0.4)
    )
    assert soft < 0.7 * loud


def test_locked_filters_stay_and_near_stays_near(matches: list[Match], pluck: Audio) -> None:
    synth = synth_of("vital")
    near = matches[-1].preset
    matcher = Matcher(synth, stages_of("knobs", synth), workers=2)
    (found,) = matcher.match(
        pluck, note=57.0, top=1, budget=Budget(40, math.inf), near=near, lock=("filters", "osc_1_level")
    )
    names = [*synth.space.subset("filters").names, "osc_1_level"]
    assert all(found.preset.values[name] == near.values[name] for name in names)
    space = synth.space.of_kind("continuous")
    assert np.abs(space.encode(found.preset).astype(float) - space.encode(near)).max() <= 0.15 + 1e-6
    assert found.distance <= matches[-1].distance + 1e-6


def test_unknown_tracks_and_budgets_are_refused(pluck: Audio) -> None:
    with pytest.raises(InputError, match="track"):
        menura.match(pluck, track="sideways")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="renders"):
        menura.match(pluck, track="knobs", renders=-3)
