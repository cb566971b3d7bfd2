"""The parts of explaining: what is measured is so, words are the engine's own, edits find their place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from menura.audio import Audio
from menura.errors import InputError, PresetError, RenderError
from menura.explain.edits import SetBlock, SetControl, SetRoute, applied, edits_between, of_json
from menura.explain.explaining import explain
from menura.explain.matched import read_match
from menura.explain.measuring import Heard, Listening, difference_db, effect_between
from menura.explain.template import heard, shown, to_markdown
from menura.explain.tutorial import Effect, Shift, Step, document, execute, tutorial_of
from menura.explain.vital_values import effects_in_order
from menura.explain.vital_vocabulary import VitalVocabulary
from menura.explain.vocabulary import vocabulary_of
from menura.features.qualities import sound_of
from menura.note import Note
from menura.preset import Preset, Route
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of
from menura.synths.vital.controls import controls

RATE = 44_100
NOTE = Note(57, 0.8, 0.8, 1.2)
TIMES = np.arange(round(1.2 * RATE)) / RATE


def saw(hz: Any = 220.0, partials: int = 30) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, TIMES.shape)) / RATE
    numbers = np.arange(1, partials + 1)[:, None]
    return 0.2 * (np.sin(numbers * phase) / numbers).sum(axis=0)


def gate(attack: float = 0.005, release: float = 0.05) -> np.ndarray:
    return np.clip(TIMES / attack, 0, 1) * np.clip(1 - (TIMES - 0.8) / release, 0, 1)


def listened(*channels: np.ndarray) -> Heard:
    return Listening(NOTE)(Audio(np.stack(channels), RATE))


def moved(before: Heard, after: Heard) -> dict[str, float]:
    """Quantity to how far it went."""
    effect = effect_between(before, after, 0.2)
    assert effect.audible
    return {shift.quantity: shift.after - shift.before for shift in effect.shifts}


def test_physical_truths() -> None:
    plain = listened(saw() * gate())
    assert moved(plain, listened(0.5 * saw() * gate())) == {"level": pytest.approx(-6.02, abs=0.05)}
    assert moved(plain, listened(saw(partials=4) * gate()))["brightness"] < -300
    assert moved(plain, listened(saw(440.0) * gate()))["pitch"] == pytest.approx(12, abs=0.1)
    assert moved(plain, listened(saw() * gate(attack=0.3)))["attack"] == pytest.approx(0.15, abs=0.03)
    assert moved(plain, listened(saw() * gate(release=0.4)))["length"] > 0.2
    assert moved(plain, listened(saw() * gate() * np.exp(-4 * TIMES)))["held"] < -15
    assert moved(plain, listened(saw() * gate(), -saw(221.0) * gate()))["width"] > 0.4
    vibrato = 220.0 * 2 ** (0.5 * np.sin(2 * np.pi * 5 * TIMES) / 12)
    assert moved(plain, listened(saw(vibrato) * gate()))["pitch_swing"] == pytest.approx(0.35, abs=0.1)
    tremolo = 1 + 0.6 * np.sin(2 * np.pi * 5 * TIMES)
    assert moved(plain, listened(saw() * gate() * tremolo))["level_swing"] > 2
    noise = np.random.default_rng(0).normal(0, 0.2, TIMES.size)
    assert moved(plain, listened((0.3 * saw() + noise) * gate()))["tone"] < -0.2


def test_what_nobody_hears_is_no_effect() -> None:
    plain = listened(saw() * gate())
    assert effect_between(plain, plain, 0.2) == Effect(0.0, False)
    assert not effect_between(plain, listened(0.99 * saw() * gate()), 0.2).audible
    assert difference_db(plain.picture, listened(saw(330.0) * gate()).picture) > 3
    silence = listened(np.zeros(TIMES.size))
    assert difference_db(silence.picture, silence.picture) == 0
    appeared = effect_between(silence, plain, 0.2)
    assert [shift.quantity for shift in appeared.shifts] == ["level"]
    assert "appears" in heard(Step("voice", "x", (), "", appeared))
    assert "disappears" in heard(Step("voice", "x", (), "", effect_between(plain, silence, 0.2)))
    assert sound_of(Audio(np.zeros(100), RATE), NOTE).level == -np.inf


def test_measurements_in_words() -> None:
    effect = Effect(4.0, True, (Shift("brightness", 812.0, 1900.0), Shift("attack", 0.005, 1.2)))
    told = heard(Step("filters", "x", (), "", effect))
    assert told == "Heard: brighter (centre of the spectrum 812 Hz → 1.9 kHz), slower attack (5 ms → 1.20 s)."
    assert shown("pitch_swing", 0.12) == "12 cents"
    assert heard(Step("x", "x", (), "", Effect(0.6, True))) == (
        "Heard: a change of colour, 0.6 dB on average over the spectrum."
    )


# The number that stands for the order is verified by sound: two effects that do not commute, and where the engine
# puts them.
PAIRS = {
    ("Distortion", "Filter"): {"distortion_on": 1.0, "distortion_type": 1.0, "distortion_drive": 25.0}
    | {"filter_fx_on": 1.0, "filter_fx_cutoff": 50.0},
    ("Compressor", "EQ"): {"compressor_on": 1.0, "eq_on": 1.0, "eq_low_gain": 15.0, "eq_high_gain": -15.0},
}


@pytest.mark.parametrize("pair", PAIRS)
def test_the_order_of_the_effects_is_the_engines(pair: tuple[str, str]) -> None:
    vital = synth_of("vital")
    plain = vital.freeze(vital.init()).with_values(**PAIRS[pair])
    first, last = 0, 362_879
    assert effects_in_order(first) == sorted(effects_in_order(first), key=str.casefold)
    assert effects_in_order(last) == effects_in_order(first)[::-1]
    note = Note(48, 0.8, 0.1, 0.15)
    ways = {code: vital.render(plain.with_values(effect_chain_order=float(code)), note).samples for code in (0, last)}
    for code in (90_440, 153_616, 296_669, 12_648, 45_150):
        order = effects_in_order(code)
        assert sorted(order) == sorted(effects_in_order(0))
        sound = vital.render(plain.with_values(effect_chain_order=float(code)), note).samples
        wanted = first if order.index(pair[0]) < order.index(pair[1]) else last
        assert np.abs(sound - ways[wanted]).max() < 1e-4
        assert np.abs(sound - ways[first + last - wanted]).max() > 1e-2


def words(preset: Preset, name: str) -> tuple[str, str]:
    setting = VitalVocabulary(synth_of("vital").init(), preset).words(SetControl(name, preset.values[name]))
    return setting.name, setting.value


def test_vitals_words_depend_on_the_rest_of_the_preset() -> None:
    initial = synth_of("vital").init()
    for model, style in ((0.0, "24 dB"), (4.0, "Low Cut"), (5.0, "AIUO"), (7.0, "Negative")):
        preset = initial.with_values(filter_1_model=model, filter_1_style=1.0)
        assert words(preset, "filter_1_style") == ("Style", style)
    preset = initial.with_values(filter_1_blend=0.5, osc_1_transpose=-12.0, osc_1_tune=0.07)
    assert words(preset, "filter_1_blend") == ("Blend", "0.5 (low-pass to band-pass)")
    assert words(preset, "osc_1_transpose") == ("Transpose", "-12 semitones")
    assert words(preset, "osc_1_tune") == ("Tune", "7 cents")


def test_every_control_of_vital_has_a_place_and_a_name() -> None:
    initial = synth_of("vital").init()
    vocabulary = vocabulary_of(initial, initial)
    for name, control in controls().items():
        edit = SetControl(name, control.default)
        assert vocabulary.words(edit).name
        assert vocabulary.place(edit).title
    for path in (
        ("settings", "wavetables", 1),
        ("settings", "sample"),
        ("settings", "lfos", 3),
        ("author",),
        ("x", "y"),
    ):
        assert vocabulary.words(SetBlock(path, {})).name
        assert vocabulary.place(SetBlock(path, {})).title


def test_edits_go_back_too() -> None:
    toy = synth_of("toy").init()
    routed = applied(toy, [SetRoute(2, Route("wobble", "pitch", 0.1, slot=2)), SetControl("level", None)])
    assert "level" not in routed.values
    back = edits_between(routed, toy)
    assert applied(routed, back) == toy
    with pytest.raises(PresetError, match="no place"):
        applied(toy, [SetBlock(("harmonics", 9), 1.0)])
    for broken in ({}, {"set": "x"}, {"route": 1, "to": {"nothing": 1}}):
        with pytest.raises(PresetError, match="broken"):
            of_json(broken)


def test_a_tutorial_that_was_changed_is_refused() -> None:
    toy = synth_of("toy")
    preset = toy.init().with_values(filter_on=1.0, cutoff=60.0)
    with RenderPool("toy", workers=1) as pool:
        tutorial = explain(preset, toy, pool, Note(60, 0.8, 0.2, 0.3))
        nothing = explain(toy.init(), toy, pool, Note(60, 0.8, 0.2, 0.3))
        broken = Preset("toy", preset.values, blocks={"fault": "nan"})
        with pytest.raises(RenderError, match="could not be played"):
            explain(broken, toy, pool)
    assert nothing.steps == ()
    assert "no step is heard" in to_markdown(nothing)
    data = document(tutorial)
    data["steps"][0]["changes"][0]["edit"]["to"] = 61.0
    with pytest.raises(PresetError, match="does not arrive"):
        execute(tutorial_of(data, toy.init()))
    with pytest.raises(PresetError, match="another initial patch"):
        tutorial_of(document(tutorial), preset)
    with pytest.raises(PresetError, match="format"):
        tutorial_of({}, preset)


def test_a_folder_that_is_no_match(tmp_path: Any) -> None:
    with pytest.raises(InputError, match="has no card"):
        read_match(tmp_path)
    (tmp_path / "card.json").write_text("[]")
    with pytest.raises(InputError, match="not understood"):
        read_match(tmp_path)
