"""The laws of the lens between presets and vectors, on both synths' spaces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from menura.errors import SpaceError
from menura.preset import Preset, Route
from menura.space import Parameter, ParameterSpace
from menura.synths.registry import synth_of
from menura.synths.vital.space import vital_space

TOY = synth_of("toy").space
VITAL = vital_space(slots=4)
SPACES = {"toy": TOY, "vital": VITAL}
NAMES = st.sampled_from(sorted(SPACES))


def vectors(space: ParameterSpace) -> st.SearchStrategy[np.ndarray]:
    """Anything finite near the cube: many corners, some values outside of it."""
    numbers = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(-0.5, 1.5, width=32))
    return arrays(np.float32, space.dim, elements=numbers, fill=st.nothing())


def seeded(space: ParameterSpace, seed: int) -> np.ndarray:
    return space.sample(np.random.default_rng(seed), 1)[0]


@st.composite
def wild_presets(draw: st.DrawFn, name: str) -> Preset:
    """Presets as people have them: values off the grid and out of range, controls missing, odd routes."""
    space = SPACES[name]
    base = synth_of(name).init()
    values = dict(base.values)
    for parameter in draw(st.lists(st.sampled_from([p for p in space.parameters if not p.slot]), max_size=12)):
        span = parameter.high - parameter.low
        if draw(st.booleans()):
            values[parameter.name] = draw(st.floats(parameter.low - span / 2, parameter.high + span / 2))
        else:
            values.pop(parameter.name, None)
    ends = st.sampled_from(["lfo_1", "env_1", "wobble", "cutoff", "osc_1_level", "unheard of", ""])
    slots = draw(st.lists(st.integers(1, space.slots), unique=True, max_size=2))
    routes = tuple(
        Route(draw(ends), draw(ends), draw(st.floats(-1, 1)), slot, draw(st.booleans()), power=draw(st.floats(-3, 3)))
        for slot in slots
    )
    return Preset(name, values, routes=tuple(r for r in routes if r.source or r.destination), blocks=base.blocks)


@given(st.data(), NAMES)
def test_decoding_what_was_encoded_is_the_same_preset(data: st.DataObject, name: str) -> None:
    preset = data.draw(wild_presets(name))
    space = SPACES[name]
    assert space.decode(space.encode(preset), preset) == preset


@given(st.data(), NAMES)
@settings(max_examples=40)
def test_encoding_what_was_decoded_is_the_snapped_vector(data: st.DataObject, name: str) -> None:
    space = SPACES[name]
    preset = data.draw(wild_presets(name))
    vector = seeded(space, data.draw(st.integers(0, 10**6))) if data.draw(st.booleans()) else data.draw(vectors(space))
    snapped = space.snap(vector)
    assert snapped.dtype == np.float32
    np.testing.assert_array_equal(space.encode(space.decode(vector, preset)), snapped)
    np.testing.assert_array_equal(space.snap(snapped), snapped)


@given(st.data(), NAMES)
def test_the_last_word_wins_on_canonical_presets(data: st.DataObject, name: str) -> None:
    space = SPACES[name]
    seeds = [data.draw(st.integers(0, 10**6)) for _ in range(3)]
    preset = space.decode(seeded(space, seeds[0]), synth_of(name).init())
    first, second = seeded(space, seeds[1]), seeded(space, seeds[2])
    mixed = np.where(np.arange(space.dim) % 3 == 0, first, space.encode(preset))
    assert space.decode(second, space.decode(mixed, preset)) == space.decode(second, preset)


@given(st.data(), NAMES)
def test_the_last_word_wins_to_a_step_on_any_preset(data: st.DataObject, name: str) -> None:
    space = SPACES[name]
    preset = data.draw(wild_presets(name))
    other, vector = (seeded(space, data.draw(st.integers(0, 10**6))) for _ in range(2))
    # Half of the coordinates are those of the preset itself, so that its own values meet the grid's.
    vector = np.where(np.arange(space.dim) % 2 == 0, vector, space.encode(preset))
    one, two = space.decode(vector, space.decode(other, preset)), space.decode(vector, preset)
    for parameter in space.parameters:
        if not parameter.slot and parameter.kind == "continuous" and not parameter.steps:
            span = parameter.high - parameter.low
            values = [
                float(np.clip(p.values[parameter.name], parameter.low, parameter.high))
                for p in (one, two)
                if parameter.name in p.values
            ]
            assert len(values) < 2 or abs(values[0] - values[1]) <= span * 2.0**-24
    np.testing.assert_array_equal(space.encode(one), space.encode(two))


@given(st.integers(0, 10**6), NAMES)
def test_samples_are_snapped_and_cover_choices(seed: int, name: str) -> None:
    space = SPACES[name]
    matrix = space.sample(np.random.default_rng(seed), 3)
    assert matrix.shape == (3, space.dim)
    np.testing.assert_array_equal(space.snap(matrix), matrix)
    np.testing.assert_array_equal(matrix, space.sample(np.random.default_rng(seed), 3))


def test_every_choice_is_as_likely_as_the_others() -> None:
    space = TOY.subset("wave")
    counts = np.bincount(np.rint(space.sample(np.random.default_rng(0), 4000)[:, 0] * 3).astype(int), minlength=4)
    assert counts.min() > 900


def test_a_coordinate_is_the_position_on_the_knob() -> None:
    preset = synth_of("toy").init().with_values(cutoff=8 + 0.25 * 128, level=0.5)
    vector = TOY.encode(preset)
    assert vector[TOY.index("cutoff")] == 0.25
    assert vector[TOY.index("level")] == 0.5  # linear in the stored value, whatever the scale it is shown on


def test_what_is_outside_of_the_space_comes_from_onto() -> None:
    space = VITAL.subset("filters")
    base = synth_of("vital").init()
    decoded = space.decode(space.sample(np.random.default_rng(1), 1)[0], base)
    changed = {name for name in base.values if base.values[name] != decoded.values[name]}
    assert changed
    assert changed <= set(space.names)
    assert decoded.blocks is base.blocks


def test_locked_controls_stay() -> None:
    locked = VITAL.lock("filter_1_*", "osc_1_level", "effects")
    assert "filter_1_cutoff" not in locked
    assert "osc_1_level" not in locked
    assert "filter_2_cutoff" in locked
    assert "effects" not in locked.groups
    preset = synth_of("vital").init().with_values(osc_1_level=0.123)
    decoded = locked.decode(locked.sample(np.random.default_rng(2), 1)[0], preset)
    assert decoded.values["osc_1_level"] == 0.123


def test_a_slot_keeps_its_amount_while_it_is_unplugged() -> None:
    space = TOY.subset("modulations")
    plugged = Preset("toy", {}, routes=(Route("wobble", "pitch", 0.3, 2, True, power=1.5),))
    vector = space.encode(plugged)
    vector[[space.index("modulation_2_source"), space.index("modulation_2_destination")]] = 0.0
    unplugged = space.decode(vector, plugged)
    assert unplugged.routes == ()
    assert unplugged.values["modulation_2_power"] == 1.5
    assert space.decode(space.encode(plugged), unplugged) == plugged


def test_unplaced_routes_are_seen_in_the_first_free_slots() -> None:
    space = TOY.subset("modulations")
    preset = Preset("toy", {}, routes=(Route("wobble", "pitch", 0.5),))
    assert space.encode(preset)[space.index("modulation_1_amount")] == 0.75


@pytest.mark.parametrize(
    "vector", [np.zeros(3), np.zeros((2, 2, 21)), np.full(21, np.nan), np.full((2, 21), np.inf), np.zeros((1, 1, 21))]
)
def test_vectors_that_do_not_fit_are_refused(vector: np.ndarray) -> None:
    with pytest.raises(SpaceError):
        TOY.snap(vector)


def test_messages_name_what_is_known() -> None:
    with pytest.raises(SpaceError, match=r"did you mean.*cutoff"):
        TOY.lock("cutof")
    with pytest.raises(SpaceError, match="groups: oscillators, noise"):
        TOY.subset("nothing like it")
    with pytest.raises(SpaceError, match="no parameter"):
        TOY.index("nothing like it")
    with pytest.raises(SpaceError, match="not finite at wave"):
        TOY.snap([np.nan] * TOY.dim)
    with pytest.raises(SpaceError, match="of synth"):
        TOY.encode(synth_of("vital").init())


def test_broken_parameters_are_refused() -> None:
    with pytest.raises(SpaceError):
        Parameter("a", "g", low=1.0, high=1.0)
    with pytest.raises(SpaceError):
        Parameter("a", "g", "choice", 0, 3, choices=("one",))
    with pytest.raises(SpaceError):
        ParameterSpace("toy", [Parameter("a", "g"), Parameter("a", "g")])


def test_fingerprints_follow_the_meaning_of_a_vector() -> None:
    assert TOY.fingerprint == synth_of("toy").space.fingerprint
    assert TOY.subset(*TOY.groups).fingerprint == TOY.fingerprint
    assert len({TOY.fingerprint, VITAL.fingerprint, TOY.lock("wave").fingerprint, vital_space(5).fingerprint}) == 4


def test_matrices_go_both_ways() -> None:
    base = synth_of("toy").init()
    matrix = TOY.sample(np.random.default_rng(3), 5)
    np.testing.assert_array_equal(TOY.encode_all(TOY.decode_all(matrix, base)), matrix)
    assert TOY.encode_all([]).shape == (0, TOY.dim)
    with pytest.raises(SpaceError):
        TOY.decode(matrix, base)


def test_describe_lists_every_parameter() -> None:
    rows = TOY.describe(synth_of("toy").init())
    assert [row["name"] for row in rows] == list(TOY.names)
    assert rows[TOY.index("level")]["coordinate"] == pytest.approx(0.7)


def test_kinds_can_be_taken_alone() -> None:
    assert {parameter.kind for parameter in VITAL.of_kind("continuous").parameters} == {"continuous"}
