"""Errors of parameters by kind, on a small space and on Vital's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.errors import SpaceError
from menura.evaluation.parameters import parameter_errors, route_errors
from menura.preset import Preset, Route
from menura.space import Parameter, ParameterSpace

SPACE = ParameterSpace(
    "small",
    [
        Parameter("cutoff", "filter", low=0.0, high=100.0),
        Parameter("level", "mix", low=-1.0, high=1.0),
        Parameter("on", "filter", "toggle"),
        Parameter("wave", "mix", "choice", 0.0, 3.0, choices=("sine", "saw", "square", "noise")),
        Parameter("modulation_1_amount", "matrix", low=-1.0, high=1.0, slot=1, field="amount"),
    ],
    slots=8,
)


def preset(*routes: Route, **values: float) -> Preset:
    return Preset("small", {"cutoff": 50.0, "level": 0.0, "on": 0.0, "wave": 0.0, **values}, routes=routes)


def test_each_kind_by_its_own_measure():
    found = parameter_errors(
        preset(cutoff=20.0, level=0.5, on=1.0, wave=2.0), preset(cutoff=50.0, level=-0.5, on=1.0, wave=1.0), SPACE
    )
    assert found["continuous_l1"] == pytest.approx((0.3 + 0.5) / 2)
    assert found["toggle_accuracy"] == 1.0
    assert found["choice_accuracy"] == 0.0
    assert found["route_f1"] is None
    assert found["active_continuous_l1"] is None


def test_over_active_parameters_alone():
    found = parameter_errors(preset(cutoff=20.0), preset(cutoff=50.0), SPACE, active=["level", "on"])
    assert found["active_continuous_l1"] == 0.0
    assert found["continuous_l1"] == pytest.approx(0.15)


def test_routes_by_their_ends_whatever_their_slot():
    target = (Route("lfo_1", "cutoff", 0.5, slot=1), Route("env_2", "level", -0.2, slot=2))
    answer = (Route("env_2", "level", 0.2, slot=5), Route("lfo_2", "cutoff", 0.5, slot=1), Route("a", "b", 0.1, slot=3))
    found = route_errors(target, answer)
    assert found["route_precision"] == pytest.approx(1 / 3)
    assert found["route_recall"] == pytest.approx(1 / 2)
    assert found["route_f1"] == pytest.approx(2 / 5)
    assert found["route_amount_l1"] == pytest.approx(0.2)


def test_what_moves_nothing_is_no_route():
    idle = (Route("lfo_1", "cutoff", 0.0), Route("", "cutoff", 0.5), Route("lfo_1", "level", 0.5, bypass=True))
    assert route_errors(idle, idle)["route_f1"] is None
    found = route_errors(idle, [Route("lfo_1", "cutoff", 0.3)])
    assert (found["route_precision"], found["route_recall"], found["route_f1"]) == (0.0, None, 0.0)


def test_routes_of_the_same_ends_are_paired_by_amount():
    target = [Route("lfo_1", "cutoff", 0.1), Route("lfo_1", "cutoff", 0.9)]
    answer = [Route("lfo_1", "cutoff", 0.8), Route("lfo_1", "cutoff", 0.2), Route("lfo_1", "cutoff", -1.0)]
    found = route_errors(target, answer)
    assert found["route_recall"] == 1.0
    assert found["route_precision"] == pytest.approx(2 / 3)
    assert found["route_amount_l1"] == pytest.approx(0.05)


def test_routes_between_the_same_roles_can_count_as_the_same():
    target, answer = [Route("lfo_1", "osc_2_level", 0.4)], [Route("lfo_3", "osc_1_level", 0.4)]
    assert route_errors(target, answer)["route_f1"] == 0.0
    found = route_errors(target, answer, lambda name: name.translate(str.maketrans("", "", "0123456789")))
    assert (found["route_f1"], found["route_amount_l1"]) == (1.0, 0.0)


def test_another_synths_preset_is_refused():
    with pytest.raises(SpaceError, match="does not fit"):
        parameter_errors(preset(), Preset("other", {}), SPACE)


routes = st.lists(
    st.builds(
        Route,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x", "y"]),
        st.floats(-1, 1).filter(lambda a: abs(a) > 1e-3),
    ),
    max_size=5,
)


@given(routes, routes)
def test_route_errors_are_shares_and_symmetric(first, second):
    there, back = route_errors(first, second), route_errors(second, first)
    assert there["route_precision"] == back["route_recall"]
    assert there["route_f1"] == back["route_f1"]
    assert all(value is None or 0.0 <= value <= 1.0 for value in there.values())
    own = route_errors(first, first)
    assert own["route_f1"] == (1.0 if first else None)
    assert own["route_amount_l1"] == (0.0 if first else None)


def test_vital_presets_are_their_own_and_far_from_others():
    from menura.matching.lens import active_lens
    from menura.synths.registry import synth_of

    vital = synth_of("vital")
    vectors = vital.space.sample(np.random.default_rng(0), 2)
    first, second = vital.space.decode_all(vectors, vital.init())
    active = active_lens(vital, first).names
    own, other = (parameter_errors(first, answer, vital.space, active=active) for answer in (first, second))
    assert own["continuous_l1"] == own["active_continuous_l1"] == own["route_amount_l1"] == 0.0
    assert own["toggle_accuracy"] == own["choice_accuracy"] == own["route_f1"] == 1.0
    # Two uniform draws are a third of the range apart, two coins agree half the time.
    assert other["continuous_l1"] == pytest.approx(1 / 3, abs=0.05)
    assert other["toggle_accuracy"] == pytest.approx(0.5, abs=0.2)
