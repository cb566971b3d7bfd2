"""`menura models`: the networks that propose patches, those in the package and those that can be fetched."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from menura.cli import screen
from menura.cli.options import Json

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
        screen.note("no model is in this package; train one: recipes/estimators.py, and name its folder")
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
