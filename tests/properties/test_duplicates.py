"""Near-duplicates: distances that are distances, and twins that are heard as such."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.audio import Audio
from menura.datasets.duplicates import (
    PARAMETER_TWINS,
    SOUND_TWINS,
    Seen,
    knob_space,
    parameter_distance,
    parameter_picture,
    sound_distance,
    sound_picture,
)
from menura.note import Note
from menura.preset import Route
from menura.synths.registry import synth_of

TOY = synth_of("toy")
SPACE = knob_space(TOY.space)
seeds = st.integers(0, 10_000)


def patch(seed):
    return TOY.space.decode(TOY.space.sample(np.random.default_rng(seed), 1)[0], TOY.init())


def picture(preset):
    return parameter_picture(preset, SPACE)


@given(seeds, seeds, seeds)
def test_the_parameter_distance_is_a_distance(a, b, c):
    one, two, three = (picture(patch(seed)) for seed in (a, b, c))
    assert parameter_distance(one, one) == 0.0
    assert parameter_distance(one, two) == pytest.approx(parameter_distance(two, one))
    assert parameter_distance(one, three) <= parameter_distance(one, two) + parameter_distance(two, three) + 1e-4


@given(seeds)
def test_slots_and_names_make_no_difference(seed):
    preset = replace(
        patch(seed),
        routes=(Route("envelope", "pitch", 0.3, 1), Route("wobble", "cutoff", -0.2, 2)),
        blocks={"harmonics": [1.0], "author": "a", "preset_style": "Bass"},
    )
    other = replace(
        preset,
        name="another",
        routes=(Route("wobble", "cutoff", -0.2, 1), Route("envelope", "pitch", 0.3, 2)),
        blocks={"harmonics": [1.0], "author": "b", "preset_style": "Lead"},
    )
    assert parameter_distance(picture(preset), picture(other)) == 0.0


def test_knobs_routes_and_blocks_add_up():
    plain = replace(TOY.init(), blocks={"harmonics": [1.0], "tables": [{"wave": 1, "name": "x"}, {"wave": 2}]})
    first = picture(plain)
    assert parameter_distance(first, picture(plain.with_values(sustain=0.3))) == pytest.approx(0.5, abs=1e-3)
    routed = replace(plain, routes=(Route("envelope", "pitch", 0.3, 1),))
    assert parameter_distance(first, picture(routed)) == pytest.approx(1.0)
    turned = replace(plain, routes=(Route("envelope", "pitch", 0.1, 1),))
    assert parameter_distance(picture(routed), picture(turned)) == pytest.approx(0.2)
    bypassed = replace(plain, routes=(Route("envelope", "pitch", 0.3, 1, bypass=True),))
    assert parameter_distance(first, picture(bypassed)) == 0.0
    table = replace(plain, blocks={"harmonics": [1.0], "tables": [{"wave": 1, "name": "y"}, {"wave": 3}]})
    assert parameter_distance(first, picture(table)) == 1.0


@given(seeds, st.floats(0.01, 100.0))
def test_the_sound_distance_ignores_gain(seed, gain):
    rng = np.random.default_rng(seed)
    sound = Audio(rng.standard_normal(8000) * np.exp(-np.arange(8000) / 2000), 44_100)
    louder = Audio(sound.samples * np.float32(gain), 44_100)
    assert sound_distance(sound_picture(sound), sound_picture(louder)) < 0.05
    other = sound_picture(Audio(rng.standard_normal(12_000), 44_100))
    here = sound_picture(sound)
    assert sound_distance(here, other) == sound_distance(other, here)
    assert sound_distance(here, here) == 0.0


def test_a_semitone_and_another_wave_are_no_twins():
    plain = TOY.freeze(TOY.init())
    note = Note(total=1.0)
    here = sound_picture(TOY.render(plain, note))
    for other in (plain.with_values(transpose=1.0), plain.with_values(wave=2.0), plain.with_values(attack=-1.0)):
        assert sound_distance(here, sound_picture(TOY.render(other, note))) > SOUND_TWINS
    same = plain.with_values(sustain=0.81)
    assert sound_distance(here, sound_picture(TOY.render(same, note))) < SOUND_TWINS


def test_what_was_seen_is_named():
    seen = Seen()
    seen.take_preset("first", picture(TOY.init()))
    assert seen.preset_twin(picture(TOY.init().with_values(sustain=0.7))) == "first"
    far = TOY.init().with_values(sustain=0.0, cutoff=8.0, wave=3.0)
    assert parameter_distance(picture(TOY.init()), picture(far)) > PARAMETER_TWINS
    assert seen.preset_twin(picture(far)) is None
    # One exchanged table is no twin on paper: the whole sound may be in it.
    assert seen.preset_twin(picture(replace(TOY.init(), blocks={"harmonics": [0.0, 1.0]}))) is None
    sound = sound_picture(TOY.render(TOY.freeze(TOY.init()), Note(total=0.5)))
    assert seen.sound_twin(sound) is None
    seen.take_sound("first", sound)
    assert seen.sound_twin(sound) == "first"


def test_a_file_that_another_version_saved_again_is_the_same_preset():
    # Vital stamps its version into every table, and newer ones add a block for the tuning.
    plain = replace(TOY.init(), blocks={"settings": {"tables": [{"wave": 1, "version": "1.0.0"}]}})
    again = replace(TOY.init(), blocks={"settings": {"tables": [{"wave": 1, "version": "1.0.6"}]}})
    tuned = replace(again, blocks={**again.blocks, "tuning": {"default": True, "scale": [1.0, 2.0]}})
    assert parameter_distance(picture(plain), picture(again)) == 0.0
    assert parameter_distance(picture(plain), picture(tuned)) == 1.0
    other = replace(TOY.init(), blocks={"settings": {"tables": [{"wave": 2, "version": "1.0.0"}]}})
    assert parameter_distance(picture(plain), picture(other)) == 1.0
