"""Judges answers of sound matching by the real engine: distances of sounds, errors of parameters, the tables."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from proxy_rows import PAPER
from sound_targets import Part, Recording

from menura.errors import InputError
from menura.evaluation.metrics import measure_all
from menura.evaluation.parameters import route_errors, vector_errors
from menura.evaluation.statistics import bootstrap_interval, paired_difference
from menura.models.proxy_presets import ProxyPresets
from menura.note import Note
from menura.preset import Preset
from menura.storage import write_text
from menura.synths.pool import RenderPool
from menura.training.loss_schedule import SCHEDULES
from menura.training.target_sounds import RATE, SAMPLES, Ear

AUDIO = ("stft", "mstft", "mel", "mfccd")
MFCCD_SHARE = 0.25
"""What brings MFCCD into the range of the others; as the paper's tables print it."""
ARMS = {"truth": "the target's own parameters", "usual": "the usual preset, unheard", **SCHEDULES}
KNOBS = {"continuous_l1": "Num. L1", "toggle_accuracy": "Bin. Acc.", "choice_accuracy": "Cat. Acc."}
TITLES = {"stft": "STFT", "mstft": "mSTFT", "mel": "Mel", "mfccd": "MFCCD"}

Scores = dict[str, float | None]


def distances(target: NDArray[np.float32], answer: NDArray[np.float32]) -> Scores:
    """The four of the paper at its rate, MFCCD as it prints it, and `audio`, the mean of them."""
    found = measure_all(AUDIO, target, answer, RATE)
    values = {name: float(value or 0.0) * (MFCCD_SHARE if name == "mfccd" else 1.0) for name, value in found.items()}
    return {**values, "audio": float(np.mean(list(values.values())))}


def played(presets: Sequence[Preset], notes: Sequence[Note], pool: RenderPool) -> tuple[list[NDArray[np.float32]], int]:
    """The sounds of presets, and how many of them could not be played and count as silence."""
    answers = pool.render_many(zip(presets, notes, strict=True), measure=Ear(samples=True))
    silence = np.zeros(SAMPLES, dtype=np.float32)
    sounds = [answer.measured.samples if answer.ok else silence for answer in answers]
    return sounds, sum(not answer.ok for answer in answers)


def validation_judge(part: Part, presets: ProxyPresets, note: Note, pool: RenderPool) -> Any:
    """What the loop calls: means of the distances that the engine's answers have."""
    targets = part.sounds.samples
    if targets is None:
        raise InputError("the sounds to validate by were not kept; read them with samples=True")

    def judge(vectors: NDArray[np.float32]) -> Mapping[str, float]:
        sounds, failed = played(presets.presets(vectors), [note] * len(vectors), pool)
        rows = [distances(target, sound) for target, sound in zip(targets, sounds, strict=True)]
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}  # pyright: ignore
        return {**means, "failed": float(failed)}

    return judge


def in_domain(
    vectors: NDArray[np.float32], part: Part, presets: ProxyPresets, note: Note, pool: RenderPool
) -> dict[str, Any]:
    """A row of scores for each sound of a part."""
    answers = presets.presets(vectors)
    sounds, failed = played(answers, [note] * len(vectors), pool)
    targets = part.sounds.samples
    if targets is None:
        raise InputError("the sounds to judge by were not kept; read them with samples=True")
    space = presets.estimated
    truths = presets.presets(part.examples.vectors)
    ours, theirs = space.snap(vectors), space.snap(part.examples.vectors)
    rows: list[Scores] = []
    for number, sound in enumerate(sounds):
        knobs = vector_errors(theirs[number], ours[number], space)
        row = {**distances(targets[number], sound), **{name: knobs[name] for name in KNOBS}}
        if truths[number].routes:
            row["route_f1"] = route_errors(truths[number].routes, answers[number].routes)["route_f1"]
        rows.append(row)
    names = [str(place) for place in part.sounds.places]
    return {"names": names, "sources": names, "failed": failed, "rows": rows}


def out_of_domain(
    vectors: NDArray[np.float32], sounds: Sequence[Recording], how: str, presets: ProxyPresets, pool: RenderPool
) -> dict[str, Any]:
    """A row of scores for each recording."""
    answers, failed = played(presets.presets(vectors), [each.notes[how] for each in sounds], pool)
    rows = [distances(each.samples, answer) for each, answer in zip(sounds, answers, strict=True)]
    return {
        "names": [each.name for each in sounds],
        "sources": [each.source for each in sounds],
        "failed": failed,
        "rows": rows,
    }


def usual_vector(part: Part, presets: ProxyPresets) -> NDArray[np.float32]:
    """The preset of median numbers and most frequent choices; shape (dim,)."""
    vectors = part.examples.vectors
    found = np.median(vectors, axis=0).astype(np.float32)
    for place, each in enumerate(presets.estimated.parameters):
        if each.steps:
            values, counts = np.unique(vectors[:, place], return_counts=True)
            found[place] = values[counts.argmax()]
    return presets.estimated.snap(found)


def write_scores(path: Path, told: Mapping[str, Any]) -> None:
    """Scores of one arm, whole."""
    write_text(path, json.dumps(told, indent=1) + "\n", force=True)
    means = {
        name: {metric: round(float(np.mean(_column(found["rows"], metric))), 3) for metric in ("audio", *AUDIO)}
        for name, found in told["sets"].items()
    }
    print(json.dumps({"synth": told["synth"], "arm": told["arm"], "seed": told["seed"], **means}), flush=True)


def table(_size: object, _out: Path, arguments: argparse.Namespace) -> None:
    """Tables 5 and 6 over all that was judged below the folder, as Markdown; printed, and kept as sound-matching.md."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(arguments.out.glob("*/matching/*/*.json"))]
    if not found:
        raise InputError(f"nothing below {arguments.out} was judged yet; run evaluate first")
    lines: list[str] = []
    sets = sorted({name for each in found for name in each["sets"]}, key=lambda name: (name != "in-domain", name))
    for name in sets:
        lines += _section(name, [each for each in found if name in each["sets"]])
    text = "\n".join(lines) + "\n"
    write_text(arguments.out / "sound-matching.md", text, force=True)
    print(text, end="")


def _section(name: str, found: Sequence[dict[str, Any]]) -> list[str]:
    inside = name == "in-domain"
    knobs = [*KNOBS, "route_f1"] if inside else []
    titles = [*KNOBS.values(), "Routes F1"] if inside else []
    number, kind = ("5", "in-domain sounds") if inside else ("6", f"out-of-domain sounds: {name}")
    heads = [
        "synth (paper)",
        "presets",
        "loss",
        "seeds",
        "weights of step",
        "sounds",
        *titles,
        *TITLES.values(),
        "mean",
        "mean less PLoss's",
        "failed",
    ]
    lines = [
        f"Table {number}, {kind}. {_caption(found)}",
        "",
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
    ]
    for synth, presets in sorted({(each["synth"], each["presets"]) for each in found}):
        own = [each for each in found if (each["synth"], each["presets"]) == (synth, presets)]
        plain = [each for each in own if each["arm"] == "ploss"]
        base = _per_sound(plain, name, "audio")
        for arm, title in ARMS.items():
            runs = [each for each in own if each["arm"] == arm]
            if not runs:
                continue
            sounds = runs[0]["sets"][name]
            alike = bool(plain) and plain[0]["sets"][name]["names"] == sounds["names"]
            cells = [
                f"{synth} ({PAPER[synth]})",
                presets,
                title,
                str(len(runs)),
                _steps(runs),
                str(len(sounds["rows"])),
            ]
            for metric in (*knobs, *AUDIO, "audio"):
                values = _per_sound(runs, name, metric)
                cells.append(_cell(values, sounds["sources"], with_interval=metric not in knobs))
            ours = _per_sound(runs, name, "audio")
            cells.append(_difference(ours, base, sounds["sources"]) if arm in ("mix", "switch") and alike else "")
            cells.append(str(sum(each["sets"][name]["failed"] for each in runs)))
            lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _caption(found: Sequence[dict[str, Any]]) -> str:
    runs = [each for each in found if each["arm"] in SCHEDULES]
    told = "; ".join(sorted({_told(each) for each in runs}))
    return (
        f"Trained on {told}. The paper trains on presets by people for 600 epochs, against the "
        "embedder mn20. Metrics at 32 kHz, MFCCD a quarter; means with 95% intervals over sounds. Weights are "
        "chosen by the mean of the four on validation sounds."
    )


def _steps(runs: Sequence[Mapping[str, Any]]) -> str:
    """The steps whose weights were chosen: where one lies before the embedding loss, the schedule had no say."""
    return ", ".join(f"{run['chosen']} of {run['steps']}" for run in runs if "chosen" in run)


def _told(run: Mapping[str, Any]) -> str:
    return (
        f"{run['synth']}: {run['sounds']} {run['presets']} presets, {run['steps']} steps of {run['batch']}, a network "
        f"of {run['parameters']:,} weights, proxy {run['proxy']} of {run['embedder']}, {run['engine']}"
    )


def _per_sound(runs: Sequence[dict[str, Any]], name: str, metric: str) -> list[float | None]:
    """The mean over seeds for each sound."""
    columns = [[row.get(metric) for row in run["sets"][name]["rows"]] for run in runs]
    return [
        None if any(value is None for value in values) else float(np.mean(values))
        for values in zip(*columns, strict=True)
    ]


def _cell(values: Sequence[float | None], sources: Sequence[str], *, with_interval: bool) -> str:
    found = bootstrap_interval(values, groups=sources, resamples=2_000)
    if found.estimate is None:
        return ""
    interval = f" ({found.low:.3f} to {found.high:.3f})" if with_interval and found.low is not None else ""
    return f"{found.estimate:.3f}{interval}"


def _difference(ours: Sequence[float | None], base: Sequence[float | None], sources: Sequence[str]) -> str:
    found = asdict(paired_difference(ours, base, groups=sources))
    if found["mean"] is None or found["low"] is None:
        return "" if found["mean"] is None else f"{found['mean']:+.3f}"
    return f"{found['mean']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f}), p {found['p']:.3f}"


def _column(rows: Sequence[Scores], metric: str) -> list[float]:
    return [float(value) for row in rows if (value := row.get(metric)) is not None]
