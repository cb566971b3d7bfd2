"""What a user can find out about an installed plug-in before trusting it: the same checks for each, as a table.

Everything runs in workers. `menura synths verify NAME` shows the lines; they are made to be sent with a report.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from menura.audio import Audio
from menura.errors import MenuraError
from menura.note import Note
from menura.preset import Preset
from menura.synths.plugins.document import split_tail
from menura.synths.plugins.plugin import Plugin
from menura.synths.plugins.worker import isolated
from menura.synths.pool import Mode, Rendered, RenderPool

PRESETS = 16
"""Settings drawn at random, on which each check is made."""
_NOTE = Note(57.0, 0.8, 1.0, 2.0)
_LONG = 1800.0
_ROUNDED = 0.005
"""How far a control may be from its place after the plug-in wrote and read it: some write few digits."""


@dataclass(frozen=True, slots=True)
class Line:
    """One check."""

    check: str
    verdict: str
    """ok, note (works, and something is to be known) or FAILED."""
    found: str


def verify(plugin: Plugin, *, seed: int = 0) -> Iterator[Line]:
    """Yields one line for each check, as they are made. Raises EngineError where no worker can be started."""
    probe = plugin.probe
    rng = np.random.default_rng(seed)
    init = plugin.freeze(plugin.init())
    drawn = plugin.space.decode_all(plugin.space.sample(rng, PRESETS - 1), init)
    presets = [init, *(plugin.freeze(preset) for preset in drawn)]
    kinds = [parameter.kind for parameter in plugin.space.parameters]
    left = len(probe.controls) - plugin.space.dim
    yield Line("plug-in", "ok", f"{plugin.name}, {probe.format}, {plugin.version}, id {probe.uid}")
    yield Line(
        "controls",
        "ok" if kinds else "FAILED",
        f"{len(probe.controls)}: {kinds.count('continuous')} continuous, {kinds.count('toggle')} toggles, "
        f"{kinds.count('choice')} choices are searched; {left} are left alone",
    )
    first = _rendered(plugin, presets, "exact", 1)
    yield _sounds(first)
    second = _rendered(plugin, list(reversed(presets)), "exact", 2)[::-1]
    yield _alike("fresh instances", first, second)
    if probe.reusable:
        yield _alike("used instances", first, _rendered(plugin, presets, "fast", 1))
    else:
        yield Line("used instances", "note", "one that has played sounds otherwise; each render takes a fresh one")
    yield _moves(plugin)
    yield _files(plugin, presets, first)
    if probe.chunk:
        yield _own_files(plugin, presets, first)
    bend = f"the wheel reaches {probe.bend:g} semitones" if probe.bend else "the wheel moves no pitch: whole keys alone"
    yield Line("between keys", "ok" if probe.bend else "note", bend)
    yield _speed(plugin, init)


def _rendered(plugin: Plugin, presets: Sequence[Preset], mode: Mode, workers: int) -> list[Rendered]:
    with RenderPool(plugin.name, workers=workers, mode=mode, timeout=60.0) as pool:
        return pool.render_many([(preset, _NOTE) for preset in presets])


def _sounds(rendered: Sequence[Rendered]) -> Line:
    failed = [one.error for one in rendered if one.error]
    silent = sum(one.audio is not None and _peak(one.audio) < 1e-5 for one in rendered)
    found = f"{len(rendered)} presets: {len(failed)} failed, {silent} are silent" + (f"; {failed[0]}" if failed else "")
    first = rendered[0].audio
    dead = first is None or _peak(first) < 1e-5
    return Line("sound", "FAILED" if dead else "note" if failed else "ok", found)


def _alike(check: str, first: Sequence[Rendered], second: Sequence[Rendered]) -> Line:
    pairs = [(a.audio, b.audio) for a, b in zip(first, second, strict=True)]
    gaps = [_gap(a, b) for a, b in pairs if a is not None and b is not None]
    differ = sum(gap > 1e-6 for gap in gaps)
    lost = len(pairs) - len(gaps)
    found = f"{len(gaps) - differ} of {len(pairs)} presets repeat, largest difference {max(gaps, default=0.0):.2g}"
    found += f"; {lost} did not render" if lost else ""
    return Line(check, "FAILED" if differ else "ok" if gaps else "note", found)


def _moves(plugin: Plugin) -> Line:
    """Which controls move nothing; where probing had no time to listen, it is done now."""
    probe = plugin.probe
    if not probe.heard:
        try:
            data: dict[str, Any] = isolated("menura.synths.plugins.probe:probe", plugin.location, True, seconds=_LONG)
        except MenuraError as error:
            return Line("every control moves the sound", "note", f"not found out: {error}")
        probe = replace(probe, inert=tuple(data["inert"]), heard=bool(data["heard"]))
    if not probe.heard:
        return Line("every control moves the sound", "note", "not found out: the plug-in is silent or does not repeat")
    if not probe.inert:
        return Line("every control moves the sound", "ok", f"all {plugin.space.dim}")
    return Line("every control moves the sound", "note", f"{len(probe.inert)} moved nothing: {', '.join(probe.inert)}")


def _files(plugin: Plugin, presets: Sequence[Preset], first: Sequence[Rendered]) -> Line:
    check, size = f"{plugin.suffix} files", 0
    try:
        for number, preset in enumerate(presets):
            data = plugin.write(preset)
            size = max(size, len(data))
            if plugin.read(data) != preset:
                return Line(check, "FAILED", f"preset {number} comes back another")
    except MenuraError as error:
        return Line(check, "FAILED", str(error))
    heard = sum(one.ok for one in first)
    return Line(check, "ok", f"{len(presets)} presets come back equal, {heard} of them rendered; {size} bytes at most")


def _own_files(plugin: Plugin, presets: Sequence[Preset], first: Sequence[Rendered]) -> Line:
    """The plug-in's own part of a file alone: what it makes of it must sound the same."""
    check, few = "the plug-in's own state", presets[:4]
    try:
        back = [plugin.read(split_tail(plugin.write(preset))[0]) for preset in few]
    except MenuraError as error:
        return Line(check, "note", str(error))
    far = max(abs(a.values[name] - b.values[name]) for a, b in zip(few, back, strict=True) for name in a.values)
    alike = _alike(check, first[:4], _rendered(plugin, back, "exact", 1))
    verdict = "FAILED" if far > _ROUNDED else "ok" if alike.verdict == "ok" else "note"
    return Line(check, verdict, f"controls come back within {far:.2g}; {alike.found}")


def _speed(plugin: Plugin, preset: Preset) -> Line:
    with RenderPool(plugin.name, workers=1, mode="fast", timeout=60.0) as pool:
        pool.render_many([(preset, _NOTE)])
        began = time.perf_counter()
        done = pool.render_many([(preset, _NOTE)] * 10)
        wall = (time.perf_counter() - began) / 10
    inside = min(one.engine_seconds for one in done)
    return Line(
        "speed", "ok", f"{1000 * inside:.0f} ms for 2 s of sound, {1000 * wall:.0f} ms with its way to the caller"
    )


def _peak(audio: Audio) -> float:
    return float(np.abs(audio.samples).max())


def _gap(first: Audio, second: Audio) -> float:
    return float(np.abs(first.samples - second.samples).max())
