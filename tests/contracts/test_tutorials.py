"""What explaining promises on every synth: the tutorial arrives, its words are the data's, folding is not heard."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engines import installed
from menura.explain.edits import SetBlock, applied
from menura.explain.explaining import explain
from menura.explain.measuring import Listening, difference_db
from menura.explain.prose_check import faults
from menura.explain.template import heard, to_markdown
from menura.explain.tutorial import SWITCH, Tutorial, execute
from menura.explain.vocabulary import vocabulary_of
from menura.note import Note
from menura.preset import Preset, Route
from menura.synths.base import Synth
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of
from menura.synths.vital.init import shape, with_settings

NOTE = Note(48, 0.8, 0.4, 0.8)


def vital_preset() -> Preset:
    """Something of everything: waves, a filter that an envelope opens, vibrato, chance, effects, what is off."""
    initial = synth_of("vital").init()
    lfos = [shape([0, 0.5, 1], [0, 1, 0], name="Own"), *initial.blocks["settings"]["lfos"][1:]]
    preset = with_settings(initial, lfos=lfos).with_values(
        osc_2_on=1.0, osc_2_transpose=12.0, osc_2_level=0.5, osc_2_destination=0.0, osc_1_unison_voices=4.0,
        filter_1_on=1.0, filter_1_cutoff=50.0, filter_1_style=1.0, env_2_decay=0.7, env_2_sustain=0.0, lfo_1_sync=0.0,
        lfo_1_frequency=2.5, reverb_on=1.0, reverb_dry_wet=0.4, distortion_on=1.0, distortion_drive=12.0,
        effect_chain_order=362879.0, volume=4000.0, filter_2_cutoff=100.0, chorus_dry_wet=0.9, polyphony=4.0,
        # No other value than 0, and a preset may say so: nothing is to be done.
        osc_1_transpose=-0.0,
    )  # fmt: skip
    routes = (
        Route("env_2", "filter_1_cutoff", 0.5, slot=1),
        Route("lfo_1", "osc_1_tune", 0.2, slot=2, bipolar=True),
        Route("random_1", "osc_2_pan", 0.5, slot=3),
        Route("macro_control_1", "reverb_dry_wet", 0.3, slot=5),
        Route("lfo_2", "filter_2_cutoff", 0.3, slot=7),
    )
    return replace(preset, name="Contract", routes=routes)


def dx7_preset() -> Preset:
    initial = synth_of("dx7").init()
    return replace(
        initial.with_values(
            algorithm=4.0, op2_output_level=80.0, op2_coarse=3.0, op1_rate_1=60.0, op3_output_level=90.0,
            op3_coarse=2.0,
            op5_fine=30.0, lfo_speed=50.0, feedback=3.0, transpose=36.0,
        ),
        name="CONTRACT",
    )  # fmt: skip


def toy_preset() -> Preset:
    toy = synth_of("toy")
    found = toy.space.decode(toy.space.sample(np.random.default_rng(3), 1)[0], toy.init())
    return replace(found.with_values(filter_on=1.0, cutoff=70.0, attack=-4.0), name="Contract")


def plugin_preset() -> Preset:
    synth = synth_of(PLUGIN)
    found = synth.space.decode(synth.space.sample(np.random.default_rng(4), 1)[0], synth.init())
    return replace(found, name="Contract")


PLUGIN = "plugin:http://drobilla.net/plugins/mda/JX10"
MADE = {"vital": vital_preset, "dx7": dx7_preset, "toy": toy_preset, PLUGIN: plugin_preset}


Told = tuple[Synth, Preset, Tutorial]


@cache
def explained(name: str) -> Told:
    """A preset's tutorial, made once for all tests."""
    synth, preset = synth_of(name), MADE[name]()
    with RenderPool(synth.name, workers=2) as pool:
        return synth, preset, explain(preset, synth, pool, NOTE)


@pytest.fixture(params=list(MADE))
def told(request: pytest.FixtureRequest) -> Told:
    installed(request.param)
    return explained(request.param)


def test_it_arrives_at_the_preset_and_its_sound(told: Told) -> None:
    synth, preset, tutorial = told
    assert execute(tutorial) == preset
    first, second, again = (
        synth.render(synth.freeze(each), NOTE).samples for each in (execute(tutorial), preset, preset)
    )
    assert np.abs(first - second).max() <= max(1e-6, np.abs(again - second).max())


def test_what_is_folded_is_not_heard_and_what_is_told_is_or_is_needed(told: Told) -> None:
    synth, preset, tutorial = told
    listen = Listening(NOTE, whole=False)

    def picture(which: Preset) -> np.ndarray:
        return listen(synth.render(synth.freeze(which), NOTE)).picture

    goal = picture(preset)
    steps = applied(tutorial.initial, (change.edit for step in tutorial.steps for change in step.changes))
    assert difference_db(picture(steps), goal) <= tutorial.noise_floor_db
    for left_out in tutorial.steps:
        if left_out.effect is None:
            continue  # chance: no render without it can tell
        rest = (change.edit for step in tutorial.all_steps if step is not left_out for change in step.changes)
        assert difference_db(picture(applied(tutorial.initial, rest)), goal) > tutorial.noise_floor_db, left_out.title


def test_the_template_says_nothing_but_the_data(told: Told) -> None:
    _, preset, tutorial = told
    names = vocabulary_of(tutorial.initial, preset).names()
    for step in tutorial.steps:
        rows = ", ".join(f"{change.name}: {change.value}" for change in step.changes if change.name != SWITCH)
        assert faults(f"Set {rows}. {heard(step)}", step, tutorial, names) == []
    text = to_markdown(tutorial)
    for step in tutorial.all_steps:
        for change in step.changes:
            assert re.sub(r"[\\*]", "", change.value) in re.sub(r"[\\*]", "", text)


def test_vital_in_a_designers_order_and_words() -> None:
    tutorial = explained("vital")[2]
    titles = [step.title for step in tutorial.steps]
    assert titles == [
        "Oscillator 2",
        "Oscillator 1: unison",
        "Filter 1, Analog 24 dB",
        "Envelope 2 → Filter 1 Cutoff",
        "LFO 1 → Oscillator 1 Tune",
        "Random LFO 1 → Oscillator 2 Pan",
        "Distortion",
        "Reverb",
        "Order of the effects",
        "Voice and output",
    ]
    by_title = {step.title: step for step in tutorial.steps}
    filter_rows = {change.name: change.value for change in by_title["Filter 1, Analog 24 dB"].changes}
    assert filter_rows == {"Switch": "On", "Style": "24 dB", "Cutoff": "-10 semitones (147 Hz)"}
    closed = by_title["Filter 1, Analog 24 dB"].effect
    opened = by_title["Envelope 2 → Filter 1 Cutoff"].effect
    assert closed
    assert opened
    darker, brighter = closed.shifts, opened.shifts
    assert any(shift.quantity == "brightness" and shift.after < shift.before for shift in darker)
    assert any(shift.quantity == "brightness" and shift.after > shift.before for shift in brighter)
    assert by_title["Random LFO 1 → Oscillator 2 Pan"].effect is None  # chance
    folded = {change.name for step in tutorial.also for change in step.changes}
    assert {"Polyphony", "LFO 2 → Filter 2 Cutoff"} <= folded
    # The drawn triangle is Vital's own, under another name: nothing is to be loaded.
    assert not any(isinstance(change.edit, SetBlock) for step in tutorial.steps for change in step.changes)
