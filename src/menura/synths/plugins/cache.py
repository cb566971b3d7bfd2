"""What probing found, kept by the content of the plug-in's file, the host and the way of probing."""

from __future__ import annotations

import json
import logging
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from menura import storage
from menura.errors import EngineError, OutputError
from menura.synths.plugins.controls import Probe
from menura.synths.plugins.folders import Location, short_name
from menura.synths.plugins.host import host_version
from menura.synths.plugins.names import FILE
from menura.synths.plugins.worker import isolated

_SECONDS = 600.0
_log = logging.getLogger(__name__)


def probed(location: Location, *, again: bool = False) -> Probe:
    """What is known of a plug-in; it is probed in a process of its own where nothing is.

    Args:
        location: the plug-in.
        again: True probes it though something is known.

    Raises:
        EngineError: the host is missing, or the plug-in crashed, hung, or is no instrument.
    """
    path = _place(location)
    if not again:
        try:
            return Probe.of_json(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            pass  # nothing is known, or what is there is of another version: it is found out anew
    found = Probe.of_json(_asked("menura.synths.plugins.probe:probe", location, seconds=_SECONDS))
    try:
        storage.write_text(path, json.dumps(found.to_json()), force=True)
    except OutputError as error:
        _log.warning("what was found out about %s cannot be kept: %s", location.place, error)
    return found


def _asked(task: str, location: Location, seconds: float) -> Any:
    try:
        return isolated(task, location, seconds=seconds)
    except EngineError as error:
        raise EngineError(f"plug-in {location.place} cannot be used: {error}") from error


def _place(location: Location) -> Path:
    """Where the answer lies: the name holds everything that it depends on."""
    try:
        content = storage.hash_file(location.file)
    except OSError as error:
        raise EngineError(f"{location.file} cannot be read ({error.strerror}); check its permissions") from error
    own = storage.config_folder() / FILE
    lists = own.read_bytes() if own.is_file() else b""
    parts = [location.format, short_name(location), content, host_version(location.format), _way()]
    key = storage.hash_bytes("\n".join(parts).encode() + lists)
    return storage.cache_folder() / "plugins" / f"{location.stem}-{key[:24]}.json"


@cache
def _way() -> str:
    """Hash of the code and the lists that decide what probing finds."""
    package = files("menura.synths.plugins")
    parts = ("probe", "ear", "controls", "host", "midi", "process", "surge_engine")
    names = [*(f"{part}.py" for part in parts), "names.toml"]
    return storage.hash_bytes(b"\n".join(package.joinpath(name).read_bytes() for name in names))
