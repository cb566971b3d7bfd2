"""The table of a run: what it counts, what it keeps apart, and that neither order nor interruption changes it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from fake_runs import FAILING, fake_rows, fake_run, write_fake_run
from menura.errors import OutputError
from menura.evaluation.table import markdown, summary
from menura.report.benchmark import write_benchmark

RUN = fake_run()
ROWS = fake_rows(RUN)


@pytest.fixture(scope="module")
def numbers() -> dict[str, Any]:
    """The summary of the run that most tests look at."""
    return summary(RUN, ROWS)


def test_it_is_json_and_markdown(numbers: dict[str, Any]) -> None:
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    text = markdown(RUN, numbers)
    widths = [line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("|")]
    assert len(widths) > 30
    assert "<this>" not in text
    assert "menura bench run --set made-up" in text
    assert "abc1234+ (+: with changes)" in text


def test_the_means_are_those_of_the_rows(numbers: dict[str, Any]) -> None:
    own = [row["metrics"]["mss"] for row in ROWS if row["arm"] == "full" and row["condition"] == "clean"]
    score = numbers["arms"]["full"]["metrics"]["mss"]
    assert score["mean"] == pytest.approx(sum(own) / len(own), abs=1e-5)
    assert score["low"] < score["mean"] < score["high"]
    assert score["n"] == len(own) == 12


def test_the_order_of_completion_changes_nothing(numbers: dict[str, Any]) -> None:
    assert summary(RUN, random.Random(3).sample(ROWS, len(ROWS))) == numbers


def test_failures_and_skips_are_counted_and_left_out_of_means(numbers: dict[str, Any]) -> None:
    arms = numbers["arms"]
    assert (arms[FAILING]["n"], arms[FAILING]["failures"]) == (10, 2)
    assert arms[FAILING]["metrics"]["mss"]["n"] == 10
    assert arms[FAILING]["product"]["loads"] == pytest.approx(10 / 12)
    assert (arms["noise-floor"]["n"], arms["noise-floor"]["skipped"]) == (9, 3)
    assert arms["noise-floor"]["product"]["loads"] == 1.0
    assert {row["arm"] for row in numbers["failed"]} == {FAILING}


def test_arms_are_also_compared_on_what_all_of_their_track_answered(numbers: dict[str, Any]) -> None:
    assert numbers["common"] == {"knobs": 10, "any": 12}
    failed = {row["item"] for row in ROWS if "error" in row}
    both = [
        row["metrics"]["mss"]
        for row in ROWS
        if row["arm"] == "random-best" and row["condition"] == "clean" and row["item"] not in failed
    ]
    assert numbers["arms"]["random-best"]["common"]["mss"]["mean"] == pytest.approx(sum(both) / len(both), abs=1e-5)
    text = markdown(RUN, numbers)
    assert text.count("### Only what all answered") == 1  # the other track has no failure


def test_tracks_are_never_mixed(numbers: dict[str, Any]) -> None:
    tracks = {name: arm["track"] for name, arm in numbers["arms"].items()}
    for track, metrics in numbers["pairs"].items():
        for pair in (pair for pairs in metrics.values() for pair in pairs):
            assert tracks[pair["a"]] == track
            assert tracks[pair["b"]] in (track, "reference")
    text = markdown(RUN, numbers)
    knobs = text[text.index("## Track knobs") : text.index("## Track any")]
    assert "cmaes" in knobs
    assert "full" not in knobs.replace("what full does", "")
    assert "noise-floor" not in knobs


def test_an_optimised_metric_is_marked_and_another_one_judges(numbers: dict[str, Any]) -> None:
    assert numbers["judge"] == "wmfcc"
    lines = markdown(RUN, numbers).splitlines()
    cmaes = next(line for line in lines if line.startswith("| cmaes |"))
    resynthesis = next(line for line in lines if line.startswith("| resynthesis |"))
    assert "†" in cmaes.split("|")[5]
    assert "†" not in cmaes.split("|")[6]
    assert "†" not in resynthesis


def test_paired_differences_and_their_signs() -> None:
    run = fake_run(24)
    numbers = summary(run, fake_rows(run))
    pairs = {(p["a"], p["b"]): p for p in numbers["pairs"]["knobs"]["mss"]}
    better = pairs["random-best", "cmaes"]
    assert better["mean"] > 2.0
    assert better["wins"] == 0
    assert better["losses"] == better["n"]
    assert better["p"] <= better["p_holm"] <= 1.0
    similarity = {(p["a"], p["b"]): p for p in numbers["pairs"]["knobs"]["rms"]}["random-best", "cmaes"]
    assert similarity["mean"] < 0.0  # less alike
    assert similarity["wins"] == 0


def test_robustness_is_the_loss_against_the_same_sound_undisturbed() -> None:
    run = fake_run(20)
    rows = fake_rows(run)
    loss = summary(run, rows)["arms"][FAILING]["conditions"]["noise20"]["metrics"]["mss"]["loss"]
    values = {row["item"]: row["metrics"]["mss"] for row in rows if row["arm"] == FAILING and "metrics" in row}
    own = [
        values[key] - values[key.removesuffix("@noise20")]
        for key in values
        if key.endswith("@noise20") and key.removesuffix("@noise20") in values
    ]
    assert loss["n"] == len(own)
    assert loss["mean"] == pytest.approx(sum(own) / len(own), abs=1e-5)
    assert loss["mean"] == pytest.approx(2.0, abs=1.0)


def test_a_set_of_disturbed_sounds_alone_has_a_table_too() -> None:
    run = fake_run(10, conditions=("noise20",))
    run["items"] = [item for item in run["items"] if item["condition"] == "noise20"]
    numbers = summary(run, fake_rows(run))
    assert numbers["targets"] == 10
    assert numbers["arms"]["full"]["n"] == 10
    assert numbers["conditions"] == {}


@pytest.mark.parametrize("done", [0, 1, 2, 5, 17, 60])
def test_an_unfinished_run_has_a_table_that_says_so(done: int) -> None:
    run = fake_run()
    numbers = summary(run, fake_rows(run)[:done])
    assert not numbers["finished"]
    assert f"(unfinished: {done} of 120 rows)" in markdown(run, numbers)


def test_sounds_are_the_observations_where_sources_are_few_and_it_says_so() -> None:
    run = fake_run()
    assert summary(run, [])["independent"] == "sources"
    for item in run["items"]:
        item["source"] = "one"
    numbers = summary(run, fake_rows(run))
    assert numbers["independent"] == "sounds"
    assert numbers["arms"]["full"]["metrics"]["mss"]["low"] is not None
    for number, item in enumerate(run["items"]):
        item["source"] = str(number % 3)
    three = summary(run, fake_rows(run))
    assert three["independent"] == "sounds"
    assert "of 3 sources alone" in markdown(run, three)


def test_curves_start_high_and_end_at_the_last_point(numbers: dict[str, Any]) -> None:
    curve = numbers["arms"]["full"]["curve"]["renders"]
    assert curve["grid"][0] == 1.0
    assert curve["grid"][-1] == 100.0
    assert curve["mean"] == sorted(curve["mean"], reverse=True)
    assert all(low <= mean <= high for low, mean, high in zip(curve["low"], curve["mean"], curve["high"], strict=True))
    assert curve["mean"][-1] < curve["area"]["mean"] < curve["mean"][0]


def test_a_search_that_looks_late_gains_nothing_by_it() -> None:
    run = fake_run(6, conditions=())
    rows = [row for row in fake_rows(run) if "metrics" in row]
    early = summary(run, rows)["arms"]["full"]["curve"]["renders"]
    for row in rows:
        if row["arm"] == "full":
            row["curve"] = row["curve"][-1:]  # the same end, and nothing heard before
    late = summary(run, rows)["arms"]["full"]["curve"]["renders"]
    assert late["last"] == early["last"]
    assert late["area"]["mean"] > early["area"]["mean"]
    assert late["mean"][0] > early["mean"][0]  # the worst first candidate of the others


def test_loudness_counts_without_its_sign(numbers: dict[str, Any]) -> None:
    own = [abs(row["metrics"]["loudness"]) for row in ROWS if row["arm"] == "full" and row["condition"] == "clean"]
    score = numbers["arms"]["full"]["metrics"]["loudness"]
    assert score["mean"] == pytest.approx(sum(own) / len(own), abs=1e-5)


def test_playability_counts_sustaining_targets_alone_where_it_must(numbers: dict[str, Any]) -> None:
    played = numbers["arms"]["full"]["playability"]
    assert (played["n"], played["sustaining_targets"], played["sustains_and_ends"]) == (12, 6, 1.0)
    assert played["all_keys"] == pytest.approx(10 / 12, abs=1e-3)


def test_pairs_are_explained() -> None:
    run = fake_run(pairs=True)
    assert "pairs of notes of one instrument" in markdown(run, summary(run, fake_rows(run)))


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"run\.json is missing or no run"):
        write_benchmark(tmp_path)


def test_a_killed_and_resumed_run_has_the_same_table(tmp_path: Path) -> None:
    run = fake_run(6, conditions=())
    rows = fake_rows(run)
    whole = write_fake_run(tmp_path / "whole", run, rows)
    killed = write_fake_run(tmp_path / "killed", run, rows[20:] + rows[:20])
    with (killed / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"arm": "full", "item": "src0/so')  # cut short
    write_benchmark(whole)
    write_benchmark(killed)
    for name in ("table.md", "summary.json"):
        assert (whole / name).read_bytes() == (killed / name).read_bytes()
