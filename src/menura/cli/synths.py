"""`menura synths`: which synths there are, which plug-ins, and what one of them is good for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from menura.cli import screen
from menura.cli.options import Force, Json
from menura.errors import EngineError, InputError

if TYPE_CHECKING:
    from menura.synths.plugins.plugin import Plugin

app = typer.Typer(no_args_is_help=False)


@app.callback(invoke_without_command=True)
def synths(context: typer.Context, json: Json = False) -> None:
    """List the synths, their engines and their preset files; find plug-ins and check them."""
    if context.invoked_subcommand is not None:
        return
    from menura.synths.registry import SYNTHS, synth_of

    rows: list[dict[str, object]] = []
    for name in SYNTHS.names():
        row: dict[str, object] = {"name": name, "engine": "", "suffix": "", "usable": False}
        try:
            synth = synth_of(name)
            row |= {"engine": synth.version, "suffix": synth.suffix}
            # Some read and write presets without their engine, and find it out when they play.
            check: Callable[[], None] | None = getattr(synth, "check", None)
            if check is not None:
                check()
            rows.append(row | {"usable": True})
        except EngineError as error:
            rows.append(row | {"engine": str(error)})
    if json:
        screen.emit({"synths": rows})
        return
    table = screen.table("synth", "engine", "presets")
    for row in rows:
        table.add_row(str(row["name"]), str(row["engine"]), str(row["suffix"]))
    screen.show(table)
    screen.out("\nEvery plug-in instrument is a synth too: menura synths scan")


@app.command("scan")
def scan(
    again: Annotated[bool, typer.Option("--again", help="Load all of them, also those that are known.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show effects too.")] = False,
    json: Json = False,
) -> None:
    """List the plug-ins in the usual folders; each is loaded in a process of its own."""
    from menura.synths.plugins.folders import folders
    from menura.synths.plugins.scan import scan as scanning

    lines = [line for line in scanning(again=again) if everything or json or line.kind != "effect"]
    looked = {name: [str(folder) for folder in folders(name)] for name in ("lv2", "vst2", "vst3", "au")}
    if json:
        screen.emit({"plugins": [asdict(line) for line in lines], "looked_in": looked})
        return
    table = screen.table("--synth", "format", "kind", "parameters", "ms", "problem", numbers=("parameters", "ms"))
    for line in lines:
        name = f"plugin:{line.called or line.name}"
        numbers = (str(line.parameters), f"{line.milliseconds:.0f}") if line.kind != "broken" else ("", "")
        table.add_row(screen.verbatim(name), line.format, line.kind, *numbers, screen.verbatim(line.problem))
    screen.show(table)
    if not lines:
        screen.out("No plug-in instrument was found; looked in:")
        for name, places in looked.items():
            for place in places:
                screen.out(f"  {name}: {place}")


@app.command("bundle")
def bundle(
    preset: Annotated[Path, typer.Argument(help="A .menura preset of an LV2 plug-in.")],
    name: Annotated[str, typer.Option("--synth", help="The plug-in, as `menura synths scan` lists it.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write; ~/.lv2 is where hosts look.")],
    force: Force = False,
    json: Json = False,
) -> None:
    """Write a preset as an LV2 preset bundle, which hosts list beside the plug-in's own presets."""
    from menura import storage
    from menura.cli.options import read_preset

    synth, found = read_preset(preset, _plugin(name).name)
    files = _plugin(synth.name).bundle(replace(found, name=found.name or preset.stem))
    folder = out / f"{preset.stem}.preset.lv2"
    written = storage.write_folder(folder, files, force=force)
    if json:
        screen.emit({"bundle": str(folder), "files": [str(path) for path in written]})
    else:
        screen.out(str(folder))


def _plugin(name: str) -> Plugin:
    """The plug-in of a name, with or without ``plugin:``. Raises InputError where it is none."""
    from menura.synths.plugins.plugin import Plugin
    from menura.synths.registry import SYNTHS, synth_of

    synth = synth_of(name if name in SYNTHS else f"plugin:{name}")
    if not isinstance(synth, Plugin):
        raise InputError(f"{name} is no plug-in; menura synths scan lists those that there are")
    return synth


@app.command("verify")
def verify(
    name: Annotated[str, typer.Argument(help="A plug-in, as `menura synths scan` lists it; a URI or a path.")],
    json: Json = False,
) -> None:
    """Check a plug-in: does it repeat itself, does each control do something, do its presets come back, how quick."""
    from menura.synths.plugins.verify import Line
    from menura.synths.plugins.verify import verify as verifying

    synth = _plugin(name)
    lines: list[Line] = []
    table = screen.table("check", "", "found")
    for line in verifying(synth):
        lines.append(line)
        table.add_row(line.check, line.verdict, screen.verbatim(line.found))
    failed = any(line.verdict == "FAILED" for line in lines)
    if json:
        screen.emit({"plugin": synth.name, "ok": not failed, "checks": [asdict(line) for line in lines]})
    else:
        screen.show(table)
    if failed:
        raise typer.Exit(1)
