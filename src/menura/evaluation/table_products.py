"""What a table shows of costs and of answers as instruments, section by section. Computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from menura.evaluation.table_cells import DASH, Cell, Section, interval, number, percent, texts

Numbers = Mapping[str, Any]

_PLAYS = {
    "sustains": "Held twice as long: still sounds",
    "ends": "Ends after key up",
    "sustains_and_ends": "Both",
    "no_click": "No click",
    "softer_is_quieter": "Softer is quieter",
    "all_keys": "All keys sound, none blows up",
}


def product_sections(numbers: Numbers) -> list[Section]:
    """Playability, parameters, product figures, verdicts and curves, as far as the run has them."""
    arms = {name: arm for name, arm in numbers["arms"].items() if arm["n"]}
    return [
        section
        for section in (_playability(arms), _parameters(arms), _product(arms), _verdicts(arms), _curves(arms))
        if section.rows
    ]


def _playability(arms: Mapping[str, Numbers]) -> Section:
    rows = [
        texts(
            name,
            played["n"],
            played["sustaining_targets"],
            *(percent(played[key]) for key in _PLAYS),
        )
        for name, arm in arms.items()
        if (played := arm["playability"])
    ]
    note = (
        "Share of first answers that behave as an instrument when they are played differently from the recording: "
        "longer (of sustaining targets alone), more softly, and on MIDI keys 24 to 96."
    )
    return Section(
        "Playability", (note,), ("Arm", "Played", "Sustaining targets", *_PLAYS.values()), tuple(rows)
    )  # fmt: skip


def _parameters(arms: Mapping[str, Numbers]) -> Section:
    known = {name: arm["parameters"] for name, arm in arms.items() if arm["parameters"]}
    kinds = list(dict.fromkeys(kind for errors in known.values() for kind in errors))
    rows = [
        texts(name, *(number(errors[kind]["mean"], 3) if kind in errors else DASH for kind in kinds))
        for name, errors in known.items()
    ]
    note = (
        "Against the preset behind the sound. Diagnostic only: parameters can be exchanged without a change of sound."
    )
    return Section("Parameters", (note,), ("Arm", *(kind.replace("_", " ") for kind in kinds)), tuple(rows))


def _product(arms: Mapping[str, Numbers]) -> Section:
    counts = sorted({int(k) for arm in arms.values() for k in arm["product"]["best_of"]})
    columns = (
        "Arm",
        "Answers and loads",
        "Silent",
        "Seconds: mean / median",
        "Renders",
        "Engine share",
        "Answers",
        *(f"Best of {k}: MSS dB" for k in counts),
        "Diversity dB",
        "Preset kB: median",
    )
    rows = [_product_row(name, arm["product"], counts) for name, arm in arms.items()]
    note = (
        "Seconds are one core's, until the answer was there; judging it is not counted. Engine share: of the time of "
        "whole rows, inside the synth. Diversity: mean MSS between the answers to one sound."
    )
    return Section("Product", (note,), columns, tuple(rows))


def _product_row(name: str, product: Numbers, counts: list[int]) -> tuple[Cell, ...]:
    kilobytes = None if product["preset_bytes"] is None else product["preset_bytes"] / 1000.0
    return texts(
        name,
        percent(product["loads"]),
        percent(product["silent"]),
        f"{number(product['answer_seconds']['mean'], 1)} / {number(product['answer_seconds']['median'], 1)}",
        number(product["renders_mean"], 0),
        percent(product["engine_share"]),
        number(product["answers"], 1),
        *(number(product["best_of"].get(str(k)), 2) for k in counts),
        number(product["diversity"], 2),
        number(kilobytes, 0),
    )


def _verdicts(arms: Mapping[str, Numbers]) -> Section:
    known = {name: arm["verdicts"] for name, arm in arms.items() if arm["verdicts"]}
    words = list(dict.fromkeys(word for verdicts in known.values() for word in verdicts))
    rows = [
        texts(
            name,
            *(f"{number(verdicts[w]['mss'], 2)} ({verdicts[w]['n']})" if w in verdicts else DASH for w in words),
        )
        for name, verdicts in known.items()
    ]
    note = "What the arm said of its answers, and the mean MSS in dB that was then measured (of how many targets)."
    return Section("Verdicts", (note,), ("Arm", *words), tuple(rows))


def _curves(arms: Mapping[str, Numbers]) -> Section:
    rows = [
        texts(
            name,
            *(
                interval(curve["area"] if curve else None, 2)
                for curve in (arm["curve"]["renders"], arm["curve"]["seconds"])
            ),
            *_ends(arm["curve"]["renders"]),
        )
        for name, arm in arms.items()
        if any(arm["curve"].values())
    ]
    curves = [arm["curve"] for arm in arms.values()]
    until = {kind: max((c[kind]["until"] for c in curves if c[kind]), default=0.0) for kind in ("renders", "seconds")}
    start = max((c["seconds"]["start"] for c in curves if c["seconds"]), default=0.0)
    note = (
        "MSS in dB of the best candidate so far, as the search heard it (the judge's numbers are above). Area: its "
        "mean over the logarithm of the cost, lower is better sooner; until its first candidate an arm counts with the "
        "worst first one of all arms on that sound."
    )
    columns = (
        "Arm",
        f"Area, 1 to {until['renders']:.0f} renders",
        f"Area, {number(start, 1)} to {until['seconds']:.0f} s",
        "First candidate",
        "At the end",
    )
    return Section("Quality against cost", (note,), columns, tuple(rows))


def _ends(curve: Numbers | None) -> tuple[str, str]:
    if curve is None:
        return DASH, DASH
    return number(curve["first"], 2), number(curve["last"], 2)
