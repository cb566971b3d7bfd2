"""`menura doctor`: does everything that menura needs work on this machine?"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from menura.cli import screen
from menura.cli.options import Json, Workers
from menura.errors import MenuraError, WorkError
from menura.version import __version__

if TYPE_CHECKING:
    from menura.synths.plugins.spec import Spec


def doctor(workers: Workers = None, json: Json = False) -> None:
    """Check Python, the engine, the workers, the codecs and the folders."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", _python),
        ("sound files", _codecs),
        ("vital engine", _engine),
        ("workers", lambda: _workers(workers or os.cpu_count() or 1)),
        ("cache folder", _cache),
        ("this folder", lambda: _writable(Path.cwd())),
        ("Vital's presets", _presets),
        ("plug-ins", _plugins),
    ]
    rows: list[dict[str, object]] = []
    for name, check in checks:
        try:
            rows.append({"check": name, "ok": True, "found": check()})
        except (MenuraError, OSError, ImportError) as error:
            rows.append({"check": name, "ok": False, "found": " ".join(str(error).split())})
    healthy = all(row["ok"] for row in rows)
    if json:
        screen.emit({"ok": healthy, "menura": __version__, "checks": rows})
    else:
        table = screen.table("", "", "")
        table.show_header = False
        for row in rows:
            table.add_row("ok" if row["ok"] else "FAILED", str(row["check"]), screen.verbatim(str(row["found"])))
        screen.show(table)
        screen.out("All is well." if healthy else "Something is wrong: see FAILED above.")
    if not healthy:
        raise typer.Exit(1)


def _python() -> str:
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}, menura {__version__}"


def _codecs() -> str:
    import soundfile

    wanted = ("WAV", "FLAC", "OGG", "MP3", "AIFF")
    missing = [name for name in wanted if name not in soundfile.available_formats()]
    if missing:
        raise WorkError(f"libsndfile {soundfile.__libsndfile_version__} lacks {', '.join(missing)}; update soundfile")
    return f"{', '.join(wanted)} by libsndfile {soundfile.__libsndfile_version__}; no other program is needed"


def _engine() -> str:
    """Renders A4 and measures it: an engine that loads but plays something else is found out here."""
    import numpy as np

    from menura.note import Note
    from menura.synths.registry import synth_of

    synth = synth_of("vital")
    began = time.perf_counter()
    audio = synth.render(synth.freeze(synth.init()), Note(69, hold=2.0, total=2.0))
    took = time.perf_counter() - began
    sound = audio.mono[: 2 * audio.sample_rate]
    power = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    peak = int(np.argmax(power[: power.size // 8]))
    left, middle, right = np.log(power[peak - 1 : peak + 2] + 1e-12)
    hz = (peak + 0.5 * (left - right) / (left - 2 * middle + right)) * audio.sample_rate / sound.size
    if abs(hz - 440.0) > 1.0:
        raise WorkError(f"{synth.version} plays A4 at {hz:.2f} Hz, not 440; reinstall vita")
    return f"{synth.version} plays A4 at {hz:.2f} Hz, 2 s in {took:.2f} s"


def _workers(count: int) -> str:
    from menura.note import Note
    from menura.synths.pool import RenderPool
    from menura.synths.registry import synth_of

    jobs = [(synth_of("vital").init(), Note(48 + i, hold=0.2, total=0.4)) for i in range(2 * count)]
    began = time.perf_counter()
    with RenderPool("vital", workers=count, mode="fast") as pool:
        rendered = pool.render_many(jobs)
    failed = [one.error for one in rendered if one.error]
    if failed:
        raise WorkError(f"{len(failed)} of {len(jobs)} renders failed: {failed[0]}")
    return f"{count} rendered {len(jobs)} notes in {time.perf_counter() - began:.1f} s"


def _cache() -> str:
    from menura import storage

    return _writable(storage.cache_folder())


def _writable(folder: Path) -> str:
    made = folder
    while not made.exists():
        made = made.parent
    with tempfile.NamedTemporaryFile(dir=made, prefix=".menura-"):
        pass
    return f"{folder} can be written" + ("" if made == folder else " (it does not exist yet)")


def _plugins() -> str:
    """No plug-in has to be there; what there is and where it was looked for is told."""
    from menura.errors import EngineError
    from menura.synths.plugins.folders import Format, folders, plugins
    from menura.synths.plugins.host import host_version
    from menura.synths.plugins.names import FILE
    from menura.synths.plugins.spec import INSTRUMENTS, spec_of

    hosts: list[str] = []
    formats: tuple[Format, ...] = ("vst2", "vst3")
    for one in formats:
        try:
            hosts.append(host_version(one))
        except EngineError as error:
            hosts.append(str(error))
    there = "; ".join(f"{spec_of(name).title}: {_instrument(spec_of(name))}" for name in INSTRUMENTS)
    everywhere: tuple[Format, ...] = ("lv2", "vst2", "vst3", "au")
    places = dict.fromkeys(str(folder) for one in everywhere for folder in folders(one))
    from menura import storage

    return (
        f"{', '.join(hosts)}; {len(plugins())} plug-ins (menura synths scan lists them); {there}; "
        f"looked in {', '.join(places)}; own lists of names: {storage.config_folder() / FILE}"
    )


def _instrument(spec: Spec) -> str:
    """What plays an instrument: its own Python module, a plug-in, or nothing that was looked for."""
    from menura.synths.plugins.adapters import installed
    from menura.synths.plugins.worker import isolated

    place = installed(spec)
    module = f"no Python module {spec.python}" if spec.python else ""
    if place is None:
        return f"not found ({module}, no plug-in)" if module else "not found"
    if place.format != spec.python:
        return place.place + (f" ({module})" if module else "")
    version = isolated("menura.synths.plugins.surge_engine:surge_version", seconds=60.0)
    return f"{version} by the Python module {spec.python}, {place.place}"


def _presets() -> str:
    from menura import storage

    folder = storage.vital_preset_folder()
    return f"{folder}{'' if folder.is_dir() else ' (not there yet; --install makes it)'}"
