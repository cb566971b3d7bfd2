"""Quality against cost, on curves that can be reckoned by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.errors import InputError
from menura.evaluation.cost_curve import curve_area, curve_at

CURVE = [[1, 0.5, 20.0], [10, 2.0, 12.0], [40, 9.0, 15.0], [50, 10.0, 8.0]]

points = st.lists(
    st.tuples(st.integers(1, 200), st.floats(0.01, 60.0), st.floats(0.0, 80.0)), min_size=1, max_size=12
)  # fmt: skip


def test_the_best_so_far_is_kept():
    assert curve_at(CURVE, [1, 9, 10, 45, 50, 999]).tolist() == [20.0, 20.0, 12.0, 12.0, 8.0, 8.0]
    assert curve_at(CURVE, [1.0, 2.0, 20.0], axis="seconds").tolist() == [20.0, 12.0, 8.0]


def test_before_the_first_candidate_there_is_none():
    assert np.isnan(curve_at(CURVE, [0.2], axis="seconds")).all()
    assert curve_at(CURVE, [0.2], axis="seconds", before=80.0).tolist() == [80.0]
    assert np.isnan(curve_at([], [1, 2])).all()


def test_the_area_counts_each_doubling_alike():
    # Of two decades the first at 20, the second at 10.
    assert curve_area([[1, 1, 20.0], [10, 1, 10.0]], 100) == pytest.approx(15.0)
    assert curve_area([[1, 1, 20.0], [10, 1, 10.0], [500, 1, 1.0]], 100) == pytest.approx(15.0)
    assert curve_area([[1, 1, 20.0]], 100) == pytest.approx(20.0)


def test_an_area_before_the_first_candidate():
    late = [[10, 1, 10.0]]
    assert curve_area(late, 100) == pytest.approx(10.0)
    assert curve_area(late, 100, before=30.0) == pytest.approx(20.0)
    assert curve_area(late, 5) is None
    assert curve_area(late, 5, before=30.0) == 30.0
    assert curve_area([], 100) is None


def test_an_area_over_seconds():
    assert curve_area(CURVE, 20.0, axis="seconds", start=1.0) == pytest.approx(
        (20.0 * math.log(2.0) + 12.0 * math.log(5.0) + 8.0 * math.log(2.0)) / math.log(20.0)
    )


def test_what_is_no_curve_is_refused():
    with pytest.raises(InputError, match="each point is"):
        curve_at([[1.0, 2.0]], [1])
    with pytest.raises(InputError, match="finite"):
        curve_area([[1.0, 2.0, float("nan")]], 10)
    with pytest.raises(InputError, match="begin above 0"):
        curve_area(CURVE, 1.0)


@given(points, st.integers(2, 300))
def test_a_curve_never_rises_and_its_area_lies_between_its_ends(curve, until):
    held = curve_at(curve, np.arange(1, until + 1), before=80.0)
    assert (np.diff(held) <= 0.0).all()
    area = curve_area(curve, until, before=80.0)
    assert area is not None
    assert held[-1] - 1e-9 <= area <= held[0] + 1e-9


@given(points, st.floats(0.0, 80.0))
def test_one_more_candidate_never_hurts(curve, distance):
    before = curve_area(curve, 250, before=80.0)
    after = curve_area([*curve, (3, 1.0, distance)], 250, before=80.0)
    assert before is not None
    assert after is not None
    assert after <= before + 1e-9
