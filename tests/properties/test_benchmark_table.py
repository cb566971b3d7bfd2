"""Laws of the table: whatever part of a run is there, in whatever order, its counts add up and its text is a table."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fake_runs import fake_rows, fake_run
from menura.evaluation.table import markdown, summary
from menura.evaluation.table_costs import playability

RUN = fake_run(3)
ROWS = fake_rows(RUN)


@settings(max_examples=20)
@given(st.lists(st.sampled_from(ROWS), unique_by=lambda row: (row["arm"], row["item"])))
def test_counts_add_up_and_json_holds_it(rows: list[dict[str, Any]]) -> None:
    numbers = summary(RUN, rows)
    json.dumps(numbers, allow_nan=False)
    assert numbers["rows"] == len(rows)
    for arm in numbers["arms"].values():
        assert arm["n"] + arm["failures"] + arm["skipped"] + arm["missing"] == numbers["targets"]
        assert sum(group["n"] for group in arm["categories"].values()) == arm["n"]
        assert sum(group["n"] for group in arm["sources"].values()) == arm["n"]
        assert arm["common"]["mss"]["n"] <= arm["n"]
    markdown(RUN, numbers)


@settings(max_examples=20)
@given(st.text(max_size=30), st.text(max_size=30))
def test_no_name_breaks_the_table(arm: str, error: str) -> None:
    run = fake_run(1, conditions=())
    run["arms"] = [{"name": arm, "what": error, "track": "any", "optimised": []}]
    row = {"arm": arm, "item": run["items"][0]["key"], "condition": "clean", "seconds": 1.0, "error": error}
    text = markdown(run, summary(run, [row]))
    heads = [number for number, line in enumerate(text.split("\n")) if line.startswith("| --- |")]
    lines = [line.replace("\\\\", "").replace("\\|", "") for line in text.split("\n")]
    assert heads
    for head in heads:
        below = next(number for number in range(head, len(lines)) if not lines[number].startswith("|"))
        assert {line.count("|") for line in lines[head - 1 : below]} == {lines[head].count("|")}


LEVELS = st.one_of(st.none(), st.floats(-120, 60))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "held_db": LEVELS,
                "released_db": LEVELS,
                "click_db": LEVELS,
                "softer_db": LEVELS,
                "keys_silent": st.integers(0, 13),
                "keys_loud": st.integers(0, 13),
            }
        )
    )
)
def test_shares_are_shares(played: list[dict[str, Any]]) -> None:
    shares = playability(played)
    assert (shares is None) == (not played)
    for name, value in (shares or {}).items():
        if name not in ("n", "sustaining_targets"):
            assert value is None or 0.0 <= value <= 1.0
    if shares and shares["sustains_and_ends"] is not None:
        assert shares["sustains_and_ends"] <= min(shares["sustains"], shares["ends"])
