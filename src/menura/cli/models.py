"""`menura models`: the networks that propose patches, those in the package and those that can be fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from menura.cli import screen
from menura.cli.options import Json, Workers
from menura.cli.stopped import StoppedEarlyError
from menura.errors import InputError

app = typer.Typer(help="Networks that propose patches for a sound.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of a model, or a folder with one.")]
_SHOWN = (
    "name",
    "kind",
    "synth",
    "space",
    "licence",
    "what",
    "recipe",
    "parameters",
    "bytes",
    "parity",
    "steps",
    "guidance",
)


@app.command("list")
def list_models(json: Json = False) -> None:
    """List the models that are known by name, where they are and how large."""
    from dataclasses import asdict

    from menura.models.shipped import listed

    rows = [asdict(each) for each in listed()]
    if json:
        screen.emit({"models": rows})
        return
    if not rows:
        screen.note("no model is in this package; train one: menura models train, and name its folder")
        return
    table = screen.table("model", "kind", "synth", "place", "MB", numbers=("MB",))
    for row in rows:
        table.add_row(
            row["name"], row["kind"], row["synth"], screen.verbatim(row["place"]), f"{row['bytes'] / 1e6:.1f}"
        )
    screen.show(table)


@app.command("info")
def info(name: Name, json: Json = False) -> None:
    """Tell what a model is: its data, recipe, seeds, numbers and limits."""
    from menura.models.shipped import folder_of, told

    card = told(folder_of(name))
    if json:
        screen.emit(card)
        return
    for key in (*_SHOWN, "folder"):
        if key in card:
            screen.out(f"{key}: {card[key]}")
    for key in ("data", "training", "judgement"):
        for inner, value in _flat(card.get(key, {})):
            screen.out(f"{key} {inner}: {value}")
    for limit in card.get("limits", []):
        screen.out(f"limit: {limit}")


@app.command("train")
def train(
    synth: Annotated[str, typer.Argument(help="Whose patches: a synth, or plugin:PATH-OR-URI.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the model; an unfinished run is continued.")],
    patches: Annotated[int, typer.Option("--patches", min=1, help="How many are rendered and learnt from.")] = 4_096,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Of training.")] = 800,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Where all chance comes from.")] = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Train a network of your own that proposes patches of a synth, for `menura match --model`.

    It renders patches and learns them: half an hour on two cores for a light plug-in. Stopped at any point, the same
    command goes on.
    """
    try:
        from menura.training.estimator_run import EstimatorRun, train_estimator
    except ModuleNotFoundError as error:
        raise InputError(f"training needs {error.name}: pip install 'menura[train]'") from error

    try:
        card = train_estimator(EstimatorRun(synth, patches, steps, seed), out, screen.note, workers=workers)
    except KeyboardInterrupt:
        raise StoppedEarlyError(f"stopped; what is done stays in {out}, the same command goes on") from None
    if json:
        screen.emit({"model": str(out), **{key: card[key] for key in ("name", "parameters", "bytes", "parity")}})
        return
    screen.out(f"{out}: {card['parameters']:,} weights; menura match SOUND --synth {synth} --model {out} --out PRESETS")


@app.command("fetch")
def fetch(name: Name, json: Json = False) -> None:
    """Download a model that is not in the package, each file checked against its hash."""
    from menura.models.shipped import fetch as fetched

    folder = fetched(name)
    if json:
        screen.emit({"model": name, "folder": str(folder)})
        return
    screen.out(f"{name}: {folder}")


def _flat(found: Any, above: str = "") -> list[tuple[str, Any]]:
    """Nested mappings as dotted names."""
    if not isinstance(found, dict):
        return [(above, found)]
    return [row for key, value in found.items() for row in _flat(value, f"{above}.{key}" if above else str(key))]
