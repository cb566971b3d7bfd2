"""`menura bench`: the benchmark, on every row of a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from menura.cli import screen
from menura.cli.options import Force, Workers

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
    force: Force = False,
) -> None:
    """Match every row and print MSS, wMFCC, SOT and RMS; the last line of stdout is one JSON object."""
