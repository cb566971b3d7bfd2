"""What a table shows of scores, section by section: Markdown and the page print the same. Computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from menura.evaluation.table_cells import DASH, Cell, Section, interval, listed, nearest, number, texts, title_of
from menura.evaluation.table_products import product_sections

Numbers = Mapping[str, Any]

TRACKS = {
    "knobs": "Track knobs: the synth's own controls and stock wavetables",
    "any": "Track any: also wavetables and contours taken from the target",
    "reference": "References: floors, ceilings and other tools' answers",
}
OTHERS_EACH = 4
"""Further metrics in one table."""
SOURCES_SHOWN = 12
"""Rows of the table of sources; the others are in summary.json."""
FAILURES_SHOWN = 20


def sections_of(run: Numbers, numbers: Numbers) -> list[Section]:
    """Everything that the table of a run shows, in order.

    Args:
        run: The content of ``run.json``.
        numbers: What `menura.evaluation.table.summary` made of it.
    """
    return [
        Section("How to read it", _legend(run, numbers)),
        *(section for track in TRACKS for section in _scores(numbers, track)),
        *_groups(numbers, "categories", "Categories"),
        *_groups(numbers, "sources", "Sources"),
        *_robustness(numbers),
        *product_sections(numbers),
        *_tests(numbers),
        *_failures(numbers),
        Section("The run", (), ("What", "Value"), tuple(_facts(run, numbers)), numeric=False),
    ]


def arms_of_track(numbers: Numbers, track: str) -> dict[str, Numbers]:
    """The arms of one track, in the run's order."""
    return {name: arm for name, arm in numbers["arms"].items() if arm["track"] == track}


def _legend(run: Numbers, numbers: Numbers) -> tuple[str, ...]:
    pairs = any(item.get("judged_pitch") is not None for item in run["items"])
    notes = [
        f"{numbers['targets']} targets. Each cell: mean over targets [95% bootstrap interval of the mean, resampling "
        f"{numbers['independent']}; none under five of them] / median. The arrow says which way is nearer. Bold: the "
        "best mean of its track.",
        "† The arm optimised this metric while it worked: judge it by the others.",
        "Failed: items on which the arm gave an error; its means leave them out. Not applicable: items on which the "
        "arm has nothing to say. The tracks hear and do different things and are not compared with each other.",
    ]
    if numbers["independent"] == "sounds" and len(numbers["sources"]) > 1:
        notes.append(
            f"The targets are of {len(numbers['sources'])} sources alone, too few to resample: intervals and tests are "
            "over sounds, and say nothing of other sources."
        )
    if pairs:
        notes.append(
            "The items are pairs of notes of one instrument: the arm hears the first, and its answer, played at the "
            "pitch and length of the second, is held against the second. What is marked † was optimised on the first."
        )
    if not numbers["finished"]:
        missing = {name: arm["missing"] for name, arm in numbers["arms"].items() if arm["missing"]}
        notes.append(
            f"This run is not finished: {numbers['rows']} of {numbers['expected']} rows are there"
            + (f"; still to come: {listed([f'{n} of {name}' for name, n in missing.items()])}." if missing else ".")
        )
    return tuple(notes)


def _scores(numbers: Numbers, track: str) -> list[Section]:
    arms = arms_of_track(numbers, track)
    if not arms:
        return []
    metrics = {metric["name"]: metric for metric in numbers["metrics"]}
    main = [metrics[name] for name in numbers["main"]]
    others = [metric for name, metric in metrics.items() if name not in numbers["main"]]
    what = tuple(f"{name}: {arm['what']}." for name, arm in arms.items() if arm["what"])
    found = [Section(TRACKS[track], (" ".join(what),), *_score_table(arms, main, "metrics", counts=True))]
    shared = numbers["common"].get(track, 0)
    if track != "reference" and shared and any(arm["n"] and arm["n"] != shared for arm in arms.values()):
        note = f"Means over the {shared} targets that every arm of the track answered, so that all stand on the same."
        found.append(Section("Only what all answered", (note,), *_score_table(arms, main, "common"), level=2))
    found += [
        Section("Further metrics", (), *_score_table(arms, some, "metrics"), level=2)
        for some in (others[first : first + OTHERS_EACH] for first in range(0, len(others), OTHERS_EACH))
    ]
    return found


def _score_table(
    arms: Mapping[str, Numbers], metrics: Sequence[Numbers], key: str, *, counts: bool = False
) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Columns and rows: one arm a row, its means with intervals and medians."""
    best: dict[str, set[str]] = {}
    for metric in metrics:
        means = {name: arm[key][metric["name"]]["mean"] for name, arm in arms.items() if arm["track"] != "reference"}
        best[metric["name"]] = nearest(means, metric["better"])
    columns = ("Arm", *(("n", "Failed", "Not applicable") if counts else ("n",)), *map(title_of, metrics))
    rows: list[tuple[Cell, ...]] = []
    for name, arm in arms.items():
        shown = (arm["n"], arm["failures"], arm["skipped"])
        if not counts:
            shown = (max((arm[key][metric["name"]]["n"] for metric in metrics), default=0),)
        cells = [_score(arm, metric, key, strong=name in best[metric["name"]]) for metric in metrics]
        rows.append((*texts(name, *shown), *cells))
    return columns, tuple(rows)


def _score(arm: Numbers, metric: Numbers, key: str, *, strong: bool) -> Cell:
    score = arm[key][metric["name"]]
    if score["mean"] is None:
        return Cell(DASH)
    mark = "†" if metric["name"] in arm["optimised"] else ""
    mean, *ends = interval(score, metric["places"]).partition(" ")
    return Cell(f"{mean}{mark}{''.join(ends)} / {number(score['median'], metric['places'])}", strong)


def _shown_metrics(numbers: Numbers) -> list[Numbers]:
    """The first metric, and the one that no arm optimised."""
    names = dict.fromkeys([*numbers["main"][:1], numbers["judge"]])
    return [metric for name in names for metric in numbers["metrics"] if metric["name"] == name]


def _groups(numbers: Numbers, key: str, title: str) -> list[Section]:
    groups: Mapping[str, int] = numbers[key]
    if len(groups) < 2:
        return []
    largest = sorted(groups, key=lambda name: (-groups[name], name))[:SOURCES_SHOWN]
    names = [name for name in groups if key == "categories" or name in largest]
    found: list[Section] = []
    for metric in _shown_metrics(numbers):
        arms = {name: arm for name, arm in numbers["arms"].items() if arm["n"]}
        rows = [(*texts(name, groups[name]), *_group_row(arms, key, name, metric)) for name in names]
        notes: list[str] = []
        if key == "sources":
            means = {name: arm["source_mean"][metric["name"]] for name, arm in arms.items()}
            weighed = [number(value, metric["places"]) for value in means.values()]
            rows.append(texts("each source weighs the same", len(groups), *weighed))
            if len(groups) > len(names):
                notes.append(f"The {len(names)} largest of {len(groups)} sources; all are in summary.json.")
        columns = ("Category" if key == "categories" else "Source", "Targets", *_marked(arms, metric))
        found.append(Section(title_of(metric), tuple(notes), columns, tuple(rows), level=2))
    note = "Mean over the targets of each group. Bold: the best of the row among the matchers of one track."
    return [Section(title, (note,)), *found]


def _group_row(arms: Mapping[str, Numbers], key: str, group: str, metric: Numbers) -> list[Cell]:
    means = {name: arm[key][group]["metrics"][metric["name"]]["mean"] for name, arm in arms.items()}
    best: set[str] = set()
    for track in ("knobs", "any"):
        best |= nearest({n: v for n, v in means.items() if arms[n]["track"] == track}, metric["better"])
    return [Cell(number(value, metric["places"]), name in best) for name, value in means.items()]


def _marked(arms: Mapping[str, Numbers], metric: Numbers) -> list[str]:
    return [f"{name} †" if metric["name"] in arm["optimised"] else name for name, arm in arms.items()]


def _robustness(numbers: Numbers) -> list[Section]:
    conditions: Mapping[str, int] = numbers["conditions"]
    if not conditions:
        return []
    arms = {name: arm for name, arm in numbers["arms"].items() if arm["n"]}
    note = (
        "What an arm loses when it hears a disturbed sound: disturbed minus clean of the same sounds [95% interval]. "
        "Answers are held against the clean sound, those to two notes against both notes together."
    )
    tables: list[Section] = []
    for metric in _shown_metrics(numbers):
        rows = [
            texts(name, count, *(_loss(arm["conditions"][name], metric) for arm in arms.values()))
            for name, count in conditions.items()
        ]
        columns = ("Condition", "Targets", *_marked(arms, metric))
        tables.append(Section(title_of(metric), (), columns, tuple(rows), level=2))
    return [Section("Robustness", (note,)), *tables]


def _loss(condition: Numbers, metric: Numbers) -> str:
    text = interval(condition["metrics"][metric["name"]]["loss"], metric["places"], signed=True)
    return f"{text}, {condition['failures']} failed" if condition["failures"] else text


def _tests(numbers: Numbers) -> list[Section]:
    tables = [
        Section(f"{track}: {title_of(metric)}", (), *_matrix(metrics[metric["name"]], metric), level=2)
        for track, metrics in numbers["pairs"].items()
        for metric in numbers["metrics"]
        if metrics.get(metric["name"])
    ]
    note = (
        "Row minus column over the targets that both answered [95% bootstrap interval, resampling "
        f"{numbers['independent']}]; p of a two-sided sign-flip test over them, corrected by Holm over each table; in "
        "brackets on how many targets the row was nearer and on how many the column. Bold: p below 0.05."
    )
    return [Section("Paired tests", (note,)), *tables] if tables else []


def _matrix(pairs: Sequence[Numbers], metric: Numbers) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    firsts = dict.fromkeys(pair["a"] for pair in pairs)
    seconds = dict.fromkeys(pair["b"] for pair in pairs)
    cells = {(pair["a"], pair["b"]): _test(pair, metric) for pair in pairs}
    rows = [(Cell(first), *(cells.get((first, second), Cell("")) for second in seconds)) for first in firsts]
    return ("Row minus column", *seconds), tuple(rows)


def _test(pair: Numbers, metric: Numbers) -> Cell:
    p = pair["p_holm"]
    chance = "" if p is None else ", p < 0.001" if p < 0.001 else f", p = {p:.3f}"
    text = f"{interval(pair, metric['places'], signed=True)}{chance} ({pair['wins']}:{pair['losses']})"
    return Cell(text, p is not None and p < 0.05)


def _failures(numbers: Numbers) -> list[Section]:
    failed: Sequence[Numbers] = numbers["failed"]
    if not failed:
        return []
    rows = tuple(texts(row["arm"], row["item"], row["error"]) for row in failed[:FAILURES_SHOWN])
    notes = (f"{len(failed)} in all, the disturbed sounds included; the first {len(rows)} of them.",)
    return [Section("Failures", notes, ("Arm", "Item", "What happened"), rows, numeric=False)]


def _facts(run: Numbers, numbers: Numbers) -> list[tuple[Cell, ...]]:
    versions = ", ".join(f"{name} {version}" for name, version in run.get("versions", {}).items())
    budget = f"{run.get('renders')} renders and {run.get('seconds')} s a row, {run.get('workers') or 'all'} workers"
    origin = ", ".join(f"{name} {_short(value)}" for name, value in run.get("origin", {}).items())
    facts = {
        "Set": f"{numbers['set']}" + (f" ({origin})" if origin else ""),
        "Synth": run.get("synth", ""),
        "Seed": run.get("seed", ""),
        "Budget": f"{budget}, {run.get('top')} answers wanted",
        "Versions": versions,
        "Commit": f"{run.get('commit', '')}"
        + (" (+: with changes)" if str(run.get("commit", "")).endswith("+") else ""),
        "Command": run.get("command", ""),
    }
    return [texts(name, value) for name, value in facts.items() if str(value)]


def _short(value: Any) -> str:
    """One fact of a set's origin: a hash by its beginning, a list by its length."""
    if isinstance(value, Mapping | list):
        return f"({len(value)})"
    text = str(value)
    return text[:12] if len(text) == 64 else text[:80]
