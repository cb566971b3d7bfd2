"""`menura bench`: the benchmark, on every row of a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from menura.cli import screen
from menura.cli.options import Force, Json, Workers

app = typer.Typer(help="Measure menura on many sounds.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """A group, so that further benchmarks find their place."""


@app.command("match")
def bench_match(
    manifest: Annotated[Path, typer.Option("--manifest", help="CSV with a column `file`, relative to it.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="JSON file to write.")],
    track: Annotated[
        Literal["any", "knobs", "random"], typer.Option("--track", help="random is the baseline.")
    ] = "any",
    renders: Annotated[int, typer.Option("--renders", min=1, help="Renders for each sound.")] = 40,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Ceiling for each sound.")] = 600.0,
    quick: Annotated[bool, typer.Option("--quick", help="Only the rows marked quick.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only this many rows.")] = None,
    workers: Workers = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Where all chance comes from.")] = 0,
    synth: Annotated[str, typer.Option("--synth", help="Which synth answers.")] = "vital",
    playing: Annotated[bool, typer.Option("--playing", help="Also measure longer holds and softer keys.")] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Match every row and print MSS, wMFCC, SOT and RMS; the last line of stdout is one JSON object.

    An unfinished --out of the same settings is continued.
    """
    from menura.evaluation.bench import run_bench

    summary = run_bench(
        manifest,
        out=out,
        track=track,
        renders=renders,
        seconds=seconds,
        quick=quick,
        limit=limit,
        workers=workers,
        seed=seed,
        synth=synth,
        playing=playing,
        force=force,
        tell=screen.note if json else screen.out,
    )
    screen.emit(summary)
