"""`menura bench`: every arm on every sound of a set, and what there is to choose from."""

from __future__ import annotations

import shlex
import sys
from json import loads
from pathlib import Path
from typing import Annotated, Literal

import typer

from menura.cli import screen
from menura.cli.options import Force, Json, Workers
from menura.errors import InputError

app = typer.Typer(help="Measure menura, and whatever else, on many sounds.", no_args_is_help=True)

Seed = Annotated[int, typer.Option("--seed", min=0, help="Where all chance comes from.")]
Seconds = Annotated[float, typer.Option("--seconds", min=0.1, help="Ceiling for each row.")]
SynthName = Annotated[str, typer.Option("--synth", help="Which synth answers.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only this many sounds.")]


@app.command("run")
def bench_run(
    sounds: Annotated[
        str, typer.Option("--set", help="A set by name, or a manifest, preset folder or tar, folder of sounds.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run; an unfinished one is continued.")],
    arms: Annotated[
        str,
        typer.Option(
            "--arms",
            help="Names with commas; NAME=FOLDER with a model of yours, external:NAME=FOLDER another tool's answers.",
        ),
    ] = "init,random,random-best,cmaes,resynthesis,full",
    metrics: Annotated[str, typer.Option("--metrics", help="Names with commas; all by default.")] = "",
    conditions: Annotated[
        str, typer.Option("--conditions", help="Robustness: names with commas, or all; besides the clean sounds.")
    ] = "",
    renders: Annotated[int, typer.Option("--renders", min=2, help="Renders for each row.")] = 60,
    seconds: Seconds = 600.0,
    limit: Limit = None,
    workers: Workers = None,
    seed: Seed = 0,
    set_seed: Annotated[int, typer.Option("--set-seed", min=0, help="Where the chance of the set comes from.")] = 0,
    top: Annotated[int, typer.Option("--top", min=1, help="Answers a row; the first is judged.")] = 5,
    synth: SynthName = "vital",
    playing: Annotated[bool, typer.Option("--playing/--no-playing", help="Also play each first answer.")] = True,
    retry: Annotated[bool, typer.Option("--retry", help="Do failed rows again.")] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Answer every sound with every arm, and write table, plots and page.

    One line a row as it comes; stopped at any point, the same command goes on. Exit code 1 where rows failed.
    """
    from menura.evaluation.benchmark import run_benchmark
    from menura.evaluation.metrics import DEFAULT

    folder = run_benchmark(
        sounds,
        _names(arms),
        out,
        metrics=_names(metrics) or DEFAULT,
        conditions=_names(conditions),
        limit=limit,
        renders=renders,
        seconds=seconds,
        seed=seed,
        set_seed=set_seed,
        top=top,
        synth=synth,
        playing=playing,
        workers=workers,
        retry=retry,
        force=force,
        command=shlex.join(["menura", *sys.argv[1:]]),
        tell=screen.note,
    )
    _report(folder.path, json)


@app.command("report")
def bench_report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or not.")], json: Json = False
) -> None:
    """Write table, plots and page of a run again."""
    _report(folder, json)


@app.command("sets")
def bench_sets(json: Json = False) -> None:
    """The sets that have a name."""
    from menura.datasets.sets import known_sets

    _list("sets", dict(known_sets()), json)


@app.command("arms")
def bench_arms(json: Json = False) -> None:
    """The arms."""
    from menura.evaluation.arms import ARMS

    _list("arms", {name: f"[{ARMS.get(name).track}] {ARMS.get(name).what}" for name in ARMS}, json)


@app.command("conditions")
def bench_conditions(json: Json = False) -> None:
    """What can be done to the sounds, for robustness."""
    from menura.datasets.conditions import CONDITIONS

    _list("conditions", {name: condition.what for name, condition in CONDITIONS.items()}, json)


@app.command("metrics")
def bench_metrics(json: Json = False) -> None:
    """The metrics."""
    from menura.evaluation.metrics import METRICS

    found = {name: METRICS.get(name) for name in METRICS}
    lines = {name: f"{m.title}, {m.unit or 'no unit'}, {_NEARER[m.better]}: {m.source}" for name, m in found.items()}
    _list("metrics", lines, json)


@app.command("embedders")
def bench_embedders(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run; an unfinished one is continued.")],
    embedders: Annotated[
        str, typer.Option("--embedders", help="Names with commas, NAME=FOLDER, onnx:FILE, /flat behind any; or all.")
    ] = "all",
    attributes: Annotated[str, typer.Option("--attributes", help="Names with commas; all by default.")] = "",
    presets: Annotated[int, typer.Option("--presets", min=1, help="Patches of each attribute.")] = 10,
    steps: Annotated[int, typer.Option("--steps", min=3, help="Rising values on each patch.")] = 20,
    fetch: Annotated[bool, typer.Option("--fetch", help="Download weights that are missing.")] = False,
    workers: Workers = None,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Does distance between embeddings grow as one attribute of a sound grows? A table and a figure.

    Embedders whose weights or libraries are not there are listed with the reason. Exit code 1 where one failed.
    """
    from menura.evaluation.ranking import RankingSettings, run_ranking
    from menura.evaluation.ranking_attributes import ATTRIBUTES
    from menura.report.ranking import write_ranking

    settings = RankingSettings(tuple(_names(attributes)) or tuple(ATTRIBUTES), presets, steps, seed)
    run = run_ranking(_names(embedders), out, settings, workers=workers, fetch=fetch, force=force, tell=screen.note)
    table, *others = write_ranking(out, run)
    if json:
        screen.emit(run)
    else:
        screen.out(table.read_text(encoding="utf-8"))
    for path in (table, *others):
        screen.note(f"wrote {path}")
    if failures := sum(len(held) for held in run["failed"].values()):
        raise RowsFailedError(f"{failures} rows failed; {table} says why, and the same command does them again")


@app.command("match")
def bench_match(
    manifest: Annotated[Path, typer.Option("--manifest", help="CSV with a column `file`, relative to it.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="JSON file to write; out/bench-TRACK.json by default.")
    ] = None,
    track: Annotated[
        Literal["any", "knobs", "random"], typer.Option("--track", help="random is the baseline.")
    ] = "any",
    renders: Annotated[int, typer.Option("--renders", min=1, help="Renders for each sound.")] = 40,
    seconds: Seconds = 600.0,
    quick: Annotated[bool, typer.Option("--quick", help="Only the rows marked quick.")] = False,
    limit: Limit = None,
    workers: Workers = None,
    seed: Seed = 0,
    synth: SynthName = "vital",
    playing: Annotated[bool, typer.Option("--playing", help="Also measure longer holds and softer keys.")] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """One arm on a manifest, one sound after the other with all workers: the speed that a user sees.

    Prints MSS, wMFCC, SOT and RMS; the last line of stdout is one JSON object. An unfinished file of the same settings
    is continued.
    """
    from menura.evaluation.bench import is_finished, run_bench

    chosen = out or Path(f"out/bench-{track}.json")
    summary = run_bench(
        manifest,
        out=chosen,
        track=track,
        renders=renders,
        seconds=seconds,
        quick=quick,
        limit=limit,
        workers=workers,
        seed=seed,
        synth=synth,
        playing=playing,
        # Nobody named the default file, so that nobody misses what a finished run left there.
        force=force or (out is None and is_finished(chosen)),
        tell=screen.note if json else screen.out,
    )
    screen.emit(summary)


_NEARER = {"lower": "lower is nearer", "higher": "higher is nearer", "zero": "nearer to 0 is better"}


class RowsFailedError(InputError):
    """The run is whole, but rows of it failed."""

    exit_code = 1


def _report(folder: Path, json: bool) -> None:
    from menura.evaluation.results import read_rows
    from menura.report.benchmark import write_benchmark

    table, summary, *others = write_benchmark(folder)
    if json:
        screen.emit(loads(summary.read_text(encoding="utf-8")))
    else:
        screen.out(table.read_text(encoding="utf-8"))
    for path in (table, summary, *others):
        screen.note(f"wrote {path}")
    failures = sum("error" in row for row in read_rows(folder))
    if failures:
        raise RowsFailedError(f"{failures} rows failed; {table} counts them, bench run --retry does them again")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _list(kind: str, lines: dict[str, str], json: bool) -> None:
    if json:
        screen.emit({kind: lines})
        return
    table = screen.table("name", "what")
    for name, what in lines.items():
        table.add_row(screen.verbatim(name), screen.verbatim(what))
    screen.show(table)
