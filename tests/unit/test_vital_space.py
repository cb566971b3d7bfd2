"""Vital's packaged table and space against the engine that they were taken from."""

from __future__ import annotations

import re

import numpy as np
import pytest
import vita

from menura.note import Note
from menura.synths.registry import synth_of
from menura.synths.vital.controls import SLOTS, controls, destinations, engine_version, sources
from menura.synths.vital.engine import Engine, split_pitch
from menura.synths.vital.init import initial
from menura.synths.vital.space import GROUPS, LEFT_OUT, group_of, vital_space
from menura.synths.vital.synth import Vital

ENGINE = vita.Synth()


def test_the_table_is_the_engines() -> None:
    assert set(controls()) == set(ENGINE.get_controls())
    for name, control in controls().items():
        found = ENGINE.get_control_details(name)
        assert (control.low, control.high, control.default) == (found.min, found.max, found.default_value), name
        assert control.indexed == found.is_discrete, name
        assert list(control.choices) == list(found.options), name
        assert str(found.scale).rpartition(".")[2].lower() == control.scale.replace("_", ""), name
    assert set(sources()) == set(vita.get_modulation_sources())
    assert set(destinations()) == set(vita.get_modulation_destinations())
    assert len(controls()) == 772
    assert engine_version() == Vital.version == "vita 0.1.0"


def test_every_control_is_in_the_space_or_left_out_for_a_reason() -> None:
    space = vital_space()
    missing = [name for name in controls() if name not in space]
    for name in missing:
        assert any(re.fullmatch(pattern, name) for pattern in LEFT_OUT), name
    for pattern, reason in LEFT_OUT.items():
        assert any(re.fullmatch(pattern, name) for name in missing), pattern
        assert len(reason) > 10
    assert space.groups == GROUPS
    assert {"osc_1_level", "filter_fx_cutoff", "macro_control_4", "voice_tune", "env_6_delay"} <= set(space.names)


def test_groups_hold_what_they_say() -> None:
    assert group_of("osc_2_wave_frame") == "oscillators"
    assert group_of("filter_fx_cutoff") == "effects"
    assert group_of("filter_2_cutoff") == "filters"
    assert group_of("random_3_style") == "random_lfos"
    assert group_of("velocity_track") == "voice"
    slots = vital_space().subset("modulations")
    assert slots.dim == 7 * SLOTS
    assert len(slots["modulation_64_destination"].choices) == 429


def test_fewer_slots_are_a_smaller_space() -> None:
    assert vital_space(2).dim == vital_space().dim - 7 * (SLOTS - 2)
    assert vital_space(2).slots == SLOTS


def test_kinds_follow_the_controls() -> None:
    space = vital_space(1)
    assert space["osc_1_on"].kind == "toggle"
    assert space["filter_1_model"].kind == "choice"
    assert space["osc_1_transpose"].steps == 97
    assert space["osc_1_transpose"].kind == "continuous"
    assert space["lfo_1_tempo"].kind == "continuous"
    assert space["osc_1_level"].scale == "quadratic"
    assert space["osc_1_level"].steps == 0


def test_a_coordinate_is_what_the_engine_stands_at() -> None:
    space, vital = vital_space(1), synth_of("vital")
    rng = np.random.default_rng(5)
    decoded = space.decode(space.sample(rng, 1)[0], vital.init())
    engine = Engine()
    engine.load(vital.write(decoded))
    for parameter in space.parameters:
        if not parameter.slot:
            stands = (engine.value(parameter.name) - parameter.low) / (parameter.high - parameter.low)
            coordinate = space.encode(decoded)[space.index(parameter.name)]
            assert stands == pytest.approx(coordinate, abs=1e-6), parameter.name


@pytest.mark.parametrize("pitch", [0.0, 0.4, 59.5, 60.0, 60.49, 126.9, 127.0])
@pytest.mark.parametrize("tune", [-1.0, -0.7, 0.0, 0.7, 1.0])
def test_pitch_is_a_key_and_a_bend_in_reach(pitch: float, tune: float) -> None:
    key, bend = split_pitch(pitch, tune)
    assert 0 <= key <= 127
    assert key + bend == pytest.approx(pitch)
    assert abs(bend) <= 1
    if 1 <= key <= 126:
        assert -1 <= tune + bend <= 1


def test_the_bend_does_not_stay() -> None:
    engine = Engine()
    engine.load(Vital().write(initial().with_values(voice_tune=0.25)))
    engine.play(Note(60.3, 0.8, 0.01, 0.02), 44_100, tune=0.25)
    assert engine.value("voice_tune") == 0.25


def test_a_key_that_is_down_for_no_time_is_released() -> None:
    preset = Vital().freeze(initial())
    sound = Vital().render(preset, Note(60.0, 0.8, 0.0, 1.5)).samples
    assert np.abs(sound[:, -4_000:]).max() < 1e-3


def test_a_settled_engine_stands_at_the_presets_levels() -> None:
    # A fresh engine glides there from its defaults while the note sounds already.
    quiet = Vital().freeze(initial()).with_values(osc_1_level=0.1, env_1_attack=0.0, env_1_decay=0.0, env_1_sustain=1.0)
    note = Note(69.0, 0.8, 0.5, 0.5)

    def start_over_end(*, settled: bool) -> float:
        sound = np.abs(Vital().render(quiet, note, settled=settled).mono)
        return float(sound[:1000].max() / sound[-6000:-1000].max())

    assert start_over_end(settled=False) > 3
    assert start_over_end(settled=True) < 1.2
