"""`menura synths`: which synths there are."""

from __future__ import annotations

from menura.cli import screen
from menura.cli.options import Json
from menura.errors import EngineError


def synths(json: Json = False) -> None:
    """List the synths, their engines and their preset files."""
    from menura.synths.registry import SYNTHS, synth_of

    rows: list[dict[str, object]] = []
    for name in SYNTHS.names():
        try:
            synth = synth_of(name)
            rows.append({"name": name, "engine": synth.version, "suffix": synth.suffix, "usable": True})
        except EngineError as error:
            rows.append({"name": name, "engine": str(error), "suffix": "", "usable": False})
    if json:
        screen.emit({"synths": rows})
        return
    table = screen.table("synth", "engine", "presets")
    for row in rows:
        table.add_row(str(row["name"]), str(row["engine"]), str(row["suffix"]))
    screen.show(table)
