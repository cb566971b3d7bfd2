"""Which plug-ins there are: each loaded in a process of its own with a deadline, the answers kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from menura import storage
from menura.errors import EngineError, MenuraError
from menura.synths.plugins.folders import Location, plugins, short_name
from menura.synths.plugins.host import host_version
from menura.synths.plugins.worker import isolated

SECONDS = 30.0
"""How long one plug-in may take to load and play two notes."""
_FILE = "scan.json"


@dataclass(frozen=True, slots=True)
class Scanned:
    """One line of a scan."""

    name: str
    """What menura takes after ``plugin:``."""
    format: str
    place: str
    file: str
    kind: str
    """instrument, effect (it plays no keys), or broken."""
    parameters: int = 0
    milliseconds: float = 0.0
    """To load it twice and play a note of half a second on each."""
    called: str = ""
    """What the plug-in calls itself, where that can be asked."""
    problem: str = ""
    """What happened to it, where it is broken."""
    key: str = ""
    """Of the file's content and the host, to know whether the line still holds."""

    @property
    def location(self) -> Location:
        """Where it lies."""
        return Location(self.format, self.place, self.file)  # pyright: ignore[reportArgumentType]


def scan(*, again: bool = False) -> Iterator[Scanned]:
    """Every plug-in in the folders, one after the other; what is known already is not loaded again.

    Args:
        again: True loads all of them.

    Raises:
        OutputError: the cache cannot be written.
    """
    known = {} if again else {line.key: line for line in last_scan()}
    lines: list[Scanned] = []
    for location in plugins():
        try:
            key = storage.hash_bytes(
                f"{location.place} {storage.hash_file(location.file)} {host_version(location.format)}".encode()
            )[:24]
        except (OSError, EngineError) as error:
            line = _broken(location, str(error), "")
        else:
            line = known.get(key) or _glance(location, key)
        lines.append(line)
        yield line
    storage.write_text(_place(), json.dumps([asdict(line) for line in lines], indent=1), force=True)


def last_scan() -> list[Scanned]:
    """The lines of the last scan; none where there was none or it cannot be read."""
    try:
        return [Scanned(**row) for row in json.loads(_place().read_text("utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def scanned(text: str) -> Location | None:
    """The plug-in that calls itself so, by the last scan."""
    wanted = text.casefold()
    found = (line for line in last_scan() if wanted in (line.called.casefold(), line.name.casefold()))
    return next((line.location for line in found if Path(line.file).exists()), None)


def glance(location: Location) -> dict[str, Any]:
    """What loading a plug-in and playing two notes tells. Runs foreign code: call it through `isolated`."""
    import time

    from menura.synths.plugins.host import open_plugin
    from menura.synths.plugins.probe import NOTE, RATE

    began = time.perf_counter()
    instance = open_plugin(location, RATE)
    try:
        low, high = instance.play(NOTE, RATE), open_plugin(location, RATE).play(replace(NOTE, pitch=69.0), RATE)
        # An effect may hum or hiss on its own, but not otherwise for another key.
        sounds = float(np.abs(low).max()) > 1e-5 and not np.array_equal(low, high)
        kind, problem = ("instrument" if sounds else "effect"), ""
    except MenuraError as error:
        kind, problem = "broken", str(error)
    took = 1000.0 * (time.perf_counter() - began)
    shown = {"kind": kind, "problem": problem, "milliseconds": round(took, 1), "called": instance.called}
    return {**shown, "parameters": len(instance.described())}


def _glance(location: Location, key: str) -> Scanned:
    try:
        found: dict[str, Any] = isolated("menura.synths.plugins.scan:glance", location, seconds=SECONDS)
    except EngineError as error:
        return _broken(location, str(error), key)
    return Scanned(short_name(location), location.format, location.place, location.file, key=key, **found)


def _broken(location: Location, problem: str, key: str) -> Scanned:
    return Scanned(
        short_name(location), location.format, location.place, location.file, "broken", problem=problem, key=key
    )


def _place() -> Path:
    return storage.cache_folder() / "plugins" / _FILE
