"""Starts for the DX7: the forecast knows the engine, the draws fit their target, and what is improved is nearer."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.audio import Audio
from menura.matching.candidate import Candidate
from menura.matching.dx7 import starts as starts_module
from menura.matching.dx7.families import FAMILIES, Profile, draw, falling
from menura.matching.dx7.forecast import DB_PER_LEVEL, Forecast, levels, rate_of_fall, rate_of_rise
from menura.matching.dx7.idiom import Dx7Idiom
from menura.matching.dx7.partials import additive
from menura.matching.dx7.patch import (
    HIGH,
    LOW,
    NAMES,
    Wiring,
    active_names,
    knobs_of,
    nearest_ratio,
    patch,
    ratio_of,
    tuned,
    wiring_of,
    with_knobs,
)
from menura.matching.dx7.refit import Refit
from menura.matching.dx7.starts import dx7_random, dx7_starts
from menura.matching.dx7.variants import dx7_variant
from menura.matching.hearing import Hearing
from menura.matching.target import Target
from menura.note import Note
from menura.preset import Preset
from menura.synths.dx7.algorithms import algorithm
from menura.synths.dx7.hexter import find_hexter
from menura.synths.dx7.synth import Dx7, voice_of

DX7 = Dx7()
INIT = DX7.init()
RATE = 44_100
NOTE = Note(57.0, 0.8, 0.7, 1.0)
pytestmark = pytest.mark.skipif(
    find_hexter() is None and not os.environ.get("CI"), reason="hexter is not installed: apt install hexter"
)


def heard(preset: Preset, note: Note = NOTE) -> np.ndarray:
    return DX7.render(preset, note).samples[0]


def drawn(rng: np.random.Generator, number: int) -> Preset:
    """A voice of an algorithm whose carriers are loud and whose modulations stay below the wildest."""
    knobs = LOW + rng.random(LOW.size) * (HIGH - LOW)
    knobs[:-1:7] = rng.uniform(55, 85, 6)
    for operator in algorithm(number).carriers:
        knobs[(operator - 1) * 7] = rng.uniform(85, 99)
    knobs[1::7] = rng.uniform(85, 99, 6)  # a slow beginning would be trimmed off a target
    knobs[-1] = 3.0
    return patch(Wiring(number, rng.choice((0.5, 1.0, 2.0, 3.0, 1.41), 6)), knobs, base=INIT, tune=0.0)


@pytest.mark.parametrize("number", [1, 5, 7, 16, 22, 32])
def test_the_forecast_knows_the_engine(number: int, rng: np.random.Generator) -> None:
    preset = drawn(rng, number)
    target = Target.of(Audio(heard(preset), RATE), NOTE)
    forecast = Forecast(target, NOTE.frequency_hz)
    wiring, knobs = wiring_of(preset), knobs_of(preset)
    own = forecast.loss([wiring], knobs[None])[0]
    other = drawn(rng, number)
    assert own < 2.0
    assert own < 0.3 * forecast.loss([wiring_of(other)], knobs_of(other)[None])[0]


def test_a_batch_is_forecast_as_one_by_one(rng: np.random.Generator) -> None:
    presets = [drawn(rng, number) for number in (5, 32, 5, 1)]
    forecast = Forecast(Target.of(Audio(heard(presets[0]), RATE), NOTE), NOTE.frequency_hz)
    together = forecast.loss([wiring_of(p) for p in presets], np.stack([knobs_of(p) for p in presets]))
    alone = [forecast.loss([wiring_of(p)], knobs_of(p)[None])[0] for p in presets]
    np.testing.assert_allclose(together, alone, rtol=1e-4)


@pytest.mark.parametrize("seconds", [0.05, 0.5])
def test_rates_of_rise_are_the_engines(seconds: float) -> None:
    preset = INIT.with_values(op1_rate_1=float(round(rate_of_rise(seconds))))
    sound = np.abs(heard(preset, Note(69.0, 0.8, 2.0, 2.0)))
    risen = float(np.argmax(sound > 0.93 * sound.max())) / RATE
    assert risen == pytest.approx(seconds, rel=0.25)


@pytest.mark.parametrize("steepness", [20.0, 60.0])
def test_rates_of_fall_are_the_engines(steepness: float) -> None:
    fall = float(round(rate_of_fall(steepness)))
    preset = INIT.with_values(op1_rate_2=fall, op1_level_2=60.0, op1_rate_3=fall)
    sound = heard(preset, Note(69.0, 0.8, 0.5, 0.5))[: RATE // 2]
    level = 20 * np.log10([np.abs(part).max() for part in np.split(sound, 50)])
    assert falling(level[5:], RATE // 100) == pytest.approx(steepness, rel=0.25)


def test_levels_follow_the_four_stages() -> None:
    knobs = LOW.copy()
    knobs[:7] = (99.0, rate_of_rise(0.1), 60.0, 60.0, 60.0, 80.0, 40.0)
    course = levels(knobs[None], np.array([0.0, 0.05, 0.1, 5.0, 9.9, 20.0]), 10.0)[0, :, 0]
    assert course[0] < course[1] < course[2] == pytest.approx(99.0, abs=1.0)
    assert course[3] == pytest.approx(40.0, abs=0.1)
    assert course[4] == pytest.approx(40.0, abs=0.1)
    assert course[5] == 0.0


# ---------------------------------------------------------------------- patches


@given(st.floats(0.5, 60.0))
def test_ratios_are_near(ratio: float) -> None:
    assert abs(1200 * np.log2(ratio_of(*nearest_ratio(ratio)) / ratio)) < 11.0


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 7.0, 14.0])
def test_plain_multiples_stay_plain(ratio: float) -> None:
    assert nearest_ratio(ratio)[1] == 0


@given(st.floats(-24.0, 24.0))
def test_a_voice_can_be_tuned(semitones: float) -> None:
    values = tuned(semitones)
    reached = values["transpose"] - 24 + 0.375 * (values["pitch_level_1"] - 50)
    assert abs(reached - semitones) < 0.0640
    assert len({values[f"pitch_level_{stage}"] for stage in (1, 2, 3, 4)}) == 1


def test_a_tuned_voice_is_heard_there() -> None:
    sound = heard(INIT.with_values(**tuned(-0.37)), Note(69.0, 0.8, 1.0, 1.0))
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size), 16 * sound.size))
    hertz = np.argmax(spectrum) * RATE / (16 * sound.size)
    assert abs(1200 * np.log2(hertz / 440.0) + 37.0) < 7.0


def test_knobs_come_back_from_a_preset(rng: np.random.Generator) -> None:
    preset = drawn(rng, 18)
    knobs = knobs_of(preset)
    assert with_knobs(preset, knobs) == preset
    assert patch(wiring_of(preset), knobs, base=preset, tune=0.0) == preset
    assert len(voice_of(with_knobs(preset, knobs + 300.0))) == 155
    assert knobs_of(with_knobs(preset, knobs + 300.0)).max() == 99.0


def test_controls_that_move_nothing_are_not_searched(rng: np.random.Generator) -> None:
    preset = drawn(rng, 5).with_values(op2_output_level=0.0, op3_output_level=0.0)
    names = active_names(preset)
    # Operator 2 is off, and without operator 3 nobody hears operator 4.
    assert {name[:3] for name in names if name.startswith("op")} == {"op1", "op5", "op6"}
    assert "feedback" in names
    before = heard(preset)
    for name in (name for name in NAMES if name not in names):
        assert (
            np.array_equal(heard(preset.with_values(**{name: 50.0})), before)
            or name == "op2_output_level"
            or (name == "op3_output_level")
        )
    assert "lfo_speed" in active_names(preset.with_values(lfo_pitch_depth=20.0))


def test_variants_are_voices_and_differ(rng: np.random.Generator) -> None:
    preset = drawn(rng, 5)
    found = [dx7_variant(preset, rng) for _ in range(60)]
    assert all(len(voice_of(variant)) == 155 for variant, _ in found)
    assert len({variant.id for variant, _ in found}) > 40
    assert len({word.split(":")[0].split()[0] for _, word in found}) >= 5


# ---------------------------------------------------------------------- starts


def test_every_family_draws_what_can_be_played(rng: np.random.Generator) -> None:
    profile = Profile(90.0, 40.0, 30.0, 60.0, False)
    for family in FAMILIES:
        wirings, knobs = draw(rng, family, profile, 8)
        assert knobs.shape == (8, len(NAMES))
        for wiring, row in zip(wirings, knobs, strict=True):
            assert wiring.algorithm in family.algorithms
            preset = patch(wiring, row, base=INIT, tune=0.0)
            assert np.abs(heard(preset, Note(57.0, 0.8, 0.3, 0.3))).max() > 1e-3, family.name


def test_the_profile_is_that_of_the_sound() -> None:
    times = np.arange(RATE) / RATE
    quick = Audio((np.sin(2 * np.pi * 220 * times) * np.exp(-7 * times)).astype(np.float32), RATE)
    slow = Audio((np.sin(2 * np.pi * 220 * times) * np.minimum(times / 0.3, 1.0)).astype(np.float32), RATE)
    first, second = (Profile.of(Target.of(sound, Note(57.0, 0.8, 1.0, 1.0))) for sound in (quick, slow))
    assert first.attack > second.attack + 10.0
    assert first.late > second.late + 20.0
    assert rate_of_fall(7 * 20 / np.log(10)) == pytest.approx(first.late, abs=3.0)


def test_partials_become_operators() -> None:
    times = np.arange(RATE) / RATE
    strengths = {1: 1.0, 2: 0.5, 3: 0.3, 5: 0.2, 7: 0.1, 9: 0.05}
    sound = sum(level * np.sin(2 * np.pi * 220 * k * times) for k, level in strengths.items())
    target = Target.of(Audio((0.2 * np.asarray(sound)).astype(np.float32), RATE), Note(57.0, 0.8, 1.0, 1.0))
    wiring, knobs = additive(target, 220.0, Profile.of(target))
    assert wiring.algorithm == 32
    assert sorted(wiring.ratios) == sorted(strengths)
    levels_db = {ratio: knobs[place * 7] * DB_PER_LEVEL for place, ratio in enumerate(wiring.ratios)}
    for k, level in strengths.items():
        assert levels_db[k] - levels_db[1] == pytest.approx(20 * np.log10(level), abs=1.5)


def test_starts_are_nearer_than_random_ones(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, less in (("DRAWS", 12), ("IMPROVED", 4), ("GENERATIONS", 12)):
        monkeypatch.setattr(starts_module, name, less)
    files = sorted((shared_data / "real").rglob("*.flac"))
    target = Target.of(next(path for path in files if "vibra_clang_1" in path.name))
    hearing = Hearing(target.audio.mono, target.note.frequency_hz)
    starts = list(dx7_starts(target, INIT, np.random.default_rng(0), 14))
    assert len(starts) == 14
    assert all(words[0].startswith("start:") for _, words in starts)
    nearest = min(hearing(heard(preset, target.note)).mss for preset, _ in starts)
    random = dx7_random(target, INIT, np.random.default_rng(0), 28)
    assert nearest < 0.8 * min(hearing(heard(preset, target.note)).mss for preset in random)
    again = list(dx7_starts(target, INIT, np.random.default_rng(0), 14))
    assert [preset.id for preset, _ in again] == [preset.id for preset, _ in starts]


def test_random_patches_are_heard_and_all_different(rng: np.random.Generator) -> None:
    target = Target.of(Audio(heard(drawn(rng, 5)), RATE), NOTE)
    found = dx7_random(target, INIT, rng, 40)
    assert len({preset.id for preset in found}) == 40
    assert len({preset.values["algorithm"] for preset in found}) > 15
    assert sum(np.abs(heard(preset)).max() > 1e-3 for preset in found) >= 38


def test_a_refit_steps_towards_the_target(rng: np.random.Generator) -> None:
    wanted = drawn(rng, 5)
    target = Target.of(Audio(heard(wanted), RATE), NOTE)
    hearing = Hearing(target.audio.mono, NOTE.frequency_hz)
    moved = with_knobs(wanted, knobs_of(wanted) + rng.normal(0.0, 6.0, len(NAMES)))
    candidate = Candidate(moved, ("start",)).after(hearing(heard(moved)))
    refit = Refit(target)
    assert refit.way(Candidate(moved, ("start",)), rng, 0.08) is None
    way = refit.way(candidate, rng, 0.08)
    assert way is not None
    assert min(hearing(heard(way.at(share))).distance for share in (1.0, 0.5)) < 0.8 * candidate.distance


def test_the_idiom_answers_for_the_dx7(rng: np.random.Generator) -> None:
    idiom = Dx7Idiom()
    preset = drawn(rng, 5)
    other = with_knobs(preset, knobs_of(preset) - 5.0)
    assert idiom.choices(preset) == idiom.choices(other)
    assert idiom.choices(preset) != idiom.choices(preset.with_values(algorithm=8.0))
    assert idiom.active(preset) == active_names(preset)
    for name, (low, high) in idiom.ranges.items():
        parameter = DX7.space[name]
        assert parameter.low <= low < high <= parameter.high
