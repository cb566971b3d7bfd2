"""Intervals, paired tests and their correction, on numbers whose answer is known and on simulated experiments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from menura.errors import InputError
from menura.evaluation.statistics import (
    LEAST,
    Interval,
    _GroupedMean,
    _GroupedMedian,
    bootstrap_interval,
    holm,
    paired_difference,
)

finite = st.floats(-100.0, 100.0)


def ends(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


def covered(interval: Interval, truth: float) -> bool:
    low, high = ends(interval)
    return low <= truth <= high


class TestInterval:
    def test_of_one_value_many_times(self):
        assert bootstrap_interval([2.5] * 7) == Interval(2.5, 2.5, 2.5, 7, 7)

    def test_of_nothing_and_of_little(self):
        assert bootstrap_interval([]) == Interval(None, None, None, 0, 0)
        assert bootstrap_interval([None, None]) == Interval(None, None, None, 0, 0)
        assert bootstrap_interval([1.0, 3.0, None]) == Interval(2.0, None, None, 2, 2)
        assert bootstrap_interval([1.0] * 9, groups=[0, 0, 0, 1, 1, 1, 2, 2, 2]) == Interval(1.0, None, None, 9, 3)
        assert bootstrap_interval(list(range(LEAST))).low is not None

    def test_the_same_seed_gives_the_same_interval(self, rng):
        values = rng.normal(size=30).tolist()
        assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
        assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)

    def test_what_is_missing_is_left_out_with_its_group(self, rng):
        values = rng.normal(size=30).tolist()
        groups = [number % 10 for number in range(30)]
        with_holes = [None, *values, None]
        assert bootstrap_interval(with_holes, groups=[77, *groups, 78]) == bootstrap_interval(values, groups=groups)

    def test_groups_of_one_are_items(self, rng):
        values = rng.normal(size=30).tolist()
        assert bootstrap_interval(values, groups=list("abcdefghijklmnopqrstuvwxyzABCD")) == bootstrap_interval(values)

    def test_is_near_students_for_a_normal_sample(self, rng):
        values = rng.normal(5.0, 2.0, size=40)
        found = bootstrap_interval(values.tolist())
        low, high = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.1)
        assert found.estimate == pytest.approx(values.mean())

    def test_a_higher_level_is_wider(self, rng):
        values = rng.normal(size=30).tolist()
        wide, narrow = bootstrap_interval(values, level=0.99), bootstrap_interval(values, level=0.8)
        (lowest, highest), (low, high) = ends(wide), ends(narrow)
        assert lowest < low < high < highest

    @given(st.lists(finite, min_size=LEAST, max_size=25), st.sampled_from(["mean", "median"]))
    def test_holds_its_estimate_inside_the_range_of_the_values(self, values, statistic):
        found = bootstrap_interval(values, statistic=statistic, resamples=200)  # pyright: ignore[reportArgumentType]
        wanted = np.mean(values) if statistic == "mean" else np.median(values)
        assert found.estimate == pytest.approx(wanted)
        low, high = ends(found)
        assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9

    @given(st.lists(st.tuples(finite, st.integers(0, 7)), min_size=1, max_size=30), st.integers(0, 99))
    def test_groups_are_drawn_with_all_of_their_items(self, pairs, seed):
        numbers = {group: number for number, group in enumerate(dict.fromkeys(group for _, group in pairs))}
        values, owners = np.array([value for value, _ in pairs]), np.array([numbers[group] for _, group in pairs])
        drawn = np.random.default_rng(seed).integers(0, len(numbers), size=(20, len(numbers)))
        for measure, plain in ((_GroupedMean, np.mean), (_GroupedMedian, np.median)):
            wanted = [plain(np.concatenate([values[owners == number] for number in row])) for row in drawn]
            assert measure(values, owners)(drawn) == pytest.approx(wanted, abs=1e-9)

    def test_covers_the_truth_as_often_as_it_says(self):
        for n, draw, truth in (
            (8, lambda rng, n: rng.normal(size=n), 0.0),
            (30, lambda rng, n: rng.lognormal(0.0, 0.5, size=n), float(np.exp(0.125))),
        ):
            samples = [draw(np.random.default_rng(trial), n).tolist() for trial in range(250)]
            hits = sum(covered(bootstrap_interval(sample, resamples=500), truth) for sample in samples)
            assert 0.91 <= hits / 250 <= 0.99, n

    def test_the_median_is_covered_too(self):
        samples = [np.random.default_rng(trial).lognormal(size=31).tolist() for trial in range(250)]
        hits = sum(covered(bootstrap_interval(s, statistic="median", resamples=500), 1.0) for s in samples)
        assert 0.91 <= hits / 250 <= 0.995

    def test_sounds_of_one_source_are_not_independent(self):
        groups = [number // 5 for number in range(60)]
        hits = {"items": 0, "groups": 0}
        for trial in range(250):
            rng = np.random.default_rng(trial)
            values = (np.repeat(rng.normal(size=12), 5) + rng.normal(size=60)).tolist()
            hits["items"] += covered(bootstrap_interval(values, resamples=500), 0.0)
            hits["groups"] += covered(bootstrap_interval(values, groups=groups, resamples=500), 0.0)
        assert hits["groups"] / 250 >= 0.9
        assert hits["items"] / 250 <= 0.8

    def test_what_cannot_be_is_refused(self):
        with pytest.raises(InputError, match="level"):
            bootstrap_interval([1.0, 2.0], level=95)
        with pytest.raises(InputError, match="NaN or infinite"):
            bootstrap_interval([1.0, float("nan")])
        with pytest.raises(InputError, match="2 values with 1 groups"):
            bootstrap_interval([1.0, 2.0], groups=["a"])


class TestPaired:
    def test_of_the_same_arm_twice(self):
        found = paired_difference([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0])
        assert (found.mean, found.low, found.high, found.p, found.n) == (0.0, 0.0, 0.0, 1.0, 5)
        assert (found.wins, found.losses) == (0, 0)

    def test_few_flips_are_all_tried(self):
        # Of the 16 ways to flip four differences, two are as far out as all to one side.
        assert paired_difference([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]).p == pytest.approx(2 / 16)
        assert paired_difference([1.0], [2.0]).p == 1.0

    def test_counts_items_that_both_have(self):
        found = paired_difference([1.0, None, 3.0, 4.0], [2.0, 2.0, None, 1.0])
        assert (found.n, found.wins, found.losses, found.mean) == (2, 1, 1, 1.0)
        empty = paired_difference([None], [1.0])
        assert (empty.mean, empty.p, empty.n) == (None, None, 0)

    def test_agrees_with_the_t_test_on_normal_differences(self):
        for shift in (0.0, 0.3, 0.6):
            rng = np.random.default_rng(5)
            first, second = rng.normal(size=40), rng.normal(size=40) + shift
            wanted = stats.ttest_rel(first, second).pvalue
            assert paired_difference(first.tolist(), second.tolist()).p == pytest.approx(wanted, abs=0.02)

    def test_swapping_the_arms_swaps_the_sign_alone(self, rng):
        first, second = rng.normal(size=20).tolist(), rng.normal(size=20).tolist()
        there, back = paired_difference(first, second), paired_difference(second, first)
        assert there.mean == pytest.approx(-back.mean)  # pyright: ignore[reportOptionalOperand]
        assert there.p == pytest.approx(back.p, abs=0.02)
        assert (there.wins, there.losses) == (back.losses, back.wins)

    def test_p_is_uniform_where_nothing_differs(self):
        found = []
        for trial in range(300):
            rng = np.random.default_rng(trial)
            base = rng.lognormal(size=25)
            first, second = base * rng.lognormal(0, 0.2, 25), base * rng.lognormal(0, 0.2, 25)
            found.append(paired_difference(first.tolist(), second.tolist(), resamples=500).p)
        assert stats.kstest(found, "uniform").pvalue > 0.01
        assert 0.02 <= np.mean(np.array(found) < 0.05) <= 0.09

    def test_p_is_small_where_one_is_nearer(self, rng):
        base = rng.lognormal(size=30)
        found = paired_difference((base - 0.3).tolist(), (base + 0.1 * rng.normal(size=30)).tolist())
        assert found.p is not None
        assert found.p < 0.001
        assert found.wins == 30
        assert found.high is not None
        assert found.high < 0.0

    def test_groups_are_flipped_together(self):
        # Thirty sounds of five sources, all won: only 2 of 32 flips of sources are as far out.
        groups = [number // 6 for number in range(30)]
        found = paired_difference([0.0] * 30, [1.0] * 30, groups=groups)
        assert found.p == pytest.approx(2 / 32)
        assert found.groups == 5
        assert paired_difference([0.0] * 30, [1.0] * 30).p == pytest.approx(0.0, abs=1e-3)

    def test_p_stays_honest_where_sources_differ(self):
        groups = [number // 5 for number in range(60)]
        false = {"items": 0, "groups": 0}
        for trial in range(200):
            rng = np.random.default_rng(trial)
            first = (np.repeat(rng.normal(size=12), 5) + rng.normal(size=60)).tolist()
            false["items"] += (paired_difference(first, [0.0] * 60, resamples=300).p or 1.0) < 0.05
            false["groups"] += (paired_difference(first, [0.0] * 60, resamples=300, groups=groups).p or 1.0) < 0.05
        assert false["groups"] / 200 <= 0.1
        assert false["items"] / 200 >= 0.2

    def test_other_items_are_refused(self):
        with pytest.raises(InputError, match="2 values against 1"):
            paired_difference([1.0, 2.0], [1.0])


class TestHolm:
    def test_the_textbooks_example(self):
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_what_is_missing_is_not_counted(self):
        assert holm([0.02, None, 0.04]) == [pytest.approx(0.04), None, pytest.approx(0.04)]
        assert holm([]) == []

    @given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
    def test_keeps_the_order_and_lies_between_p_and_bonferroni(self, values):
        found = holm(values)
        for one, corrected in zip(values, found, strict=True):
            assert corrected is not None
            assert one <= corrected <= min(1.0, len(values) * one) + 1e-12
        ranked = [found[number] for number in np.argsort(values, kind="stable")]
        assert ranked == sorted(ranked)  # pyright: ignore[reportArgumentType]

    def test_one_false_rejection_in_twenty_families(self):
        rng = np.random.default_rng(0)
        families = rng.random((2_000, 10))
        false = np.mean([min(p for p in holm(list(family)) if p is not None) < 0.05 for family in families])
        assert false == pytest.approx(0.05, abs=0.015)
