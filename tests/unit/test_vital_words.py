"""A Vital preset in words: the numbers that Vital shows, and only what is heard."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from menura.explain.settings import SettingGroup, settings_that_matter
from menura.explain.vital_words import readable
from menura.preset import Preset, Route
from menura.synths.registry import synth_of
from menura.synths.vital.controls import controls

NUMBER = re.compile(r"-?\d+(\.\d+)?")


@pytest.fixture(scope="module")
def initial() -> Preset:
    return synth_of("vital").init()


def words(preset: Preset, initial: Preset) -> dict[str, dict[str, str]]:
    return {group.title: {row.name: row.value for row in group.rows} for group in settings_that_matter(preset, initial)}


def test_every_control_reads_as_in_the_engine() -> None:
    vita: Any = pytest.importorskip("vita")
    engine = vita.Synth()
    for name, control in controls().items():
        told = NUMBER.match(engine.get_control_text(name))
        ours = NUMBER.match(readable(control, engine.get_control_details(name).default_value))
        assert (told is None) == (ours is None), name
        if told and ours:
            assert float(ours[0]) == pytest.approx(float(told[0]), rel=0.006, abs=1e-9), name


def test_the_initial_patch_differs_in_nothing_but_its_table(initial: Preset) -> None:
    assert [group.title for group in settings_that_matter(initial, initial)] == ["Oscillator 1"]
    assert list(words(initial, initial)["Oscillator 1"]) == ["Wavetable"]


def test_settings_read_in_units(initial: Preset) -> None:
    preset = initial.with_values(
        filter_1_on=1.0, filter_1_cutoff=69.0, filter_1_model=2.0, env_1_attack=1.0, osc_1_transpose=-12.0
    )
    told = words(preset, initial)
    assert told["Filter 1"] == {"Cutoff": "9 semitones (440 Hz)", "Model": "Ladder"}
    assert told["Envelope 1"] == {"Attack": "1 s"}
    assert told["Oscillator 1"]["Transpose"] == "-12"


def test_what_is_off_or_moves_nothing_is_left_out(initial: Preset) -> None:
    silent = initial.with_values(filter_2_cutoff=100.0, reverb_size=0.9, env_3_attack=1.0, lfo_2_frequency=3.0)
    assert words(silent, initial) == words(initial, initial)
    into_nothing = replace(silent, routes=(Route("lfo_2", "filter_2_cutoff", 0.5),))
    assert words(into_nothing, initial) == words(initial, initial)


def test_a_contour_is_shown_with_its_route(initial: Preset) -> None:
    settings = dict(initial.blocks["settings"])
    lfos = [dict(shape) for shape in settings["lfos"]]
    lfos[1] = {"name": "x", "num_points": 2, "points": [0.0, 0.25, 1.0, 1.0], "powers": [0.0, 0.0], "smooth": False}
    preset = replace(
        initial.with_values(lfo_2_sync=0.0, lfo_2_frequency=-1.0),
        routes=(Route("lfo_2", "osc_1_level", 0.5, bipolar=True),),
        blocks={**initial.blocks, "settings": {**settings, "lfos": lfos}},
    )
    groups: dict[str, SettingGroup] = {group.title: group for group in settings_that_matter(preset, initial)}
    assert groups["LFO 2"].shape == ((0.0, 0.75), (1.0, 0.0))
    assert {row.name: row.value for row in groups["LFO 2"].rows} == {"Frequency": "2 s", "Sync": "Seconds"}
    assert [(row.name, row.value) for row in groups["Routes"].rows] == [
        ("LFO 2 → Oscillator 1 Level", "+50%, both ways")
    ]


def test_another_synth_is_read_plainly() -> None:
    preset = Preset("other", {"a_knob": 0.5, "b": 1.0}, routes=(Route("lfo", "a_knob", -0.25),))
    assert words(preset, Preset("other", {"a_knob": 0.1, "b": 1.0})) == {
        "Controls": {"A knob": "0.5"},
        "Routes": {"lfo → a_knob": "-25%"},
    }
