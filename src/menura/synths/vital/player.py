"""Many renders of Vital in one process, each on an engine that has never played.

An engine keeps something of what it played, whatever is loaded into it next (see
`docs/decisions/011-engine-hygiene.md`), so no engine here plays twice: each render happens in a fork of
this process, whose own engine stays untouched. A crash ends the fork alone. Two ways, alike to the last bit:

- exact: the engine of the parent is as it was made; the fork loads the preset.
- fast, for search: the parent loads the tables, shapes and sample that many presets share, and the fork
  sets the controls that differ.

Where there is no fork (Windows), both take a new engine for each render.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
import pickle
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.errors import MenuraError, RenderError
from menura.note import Note
from menura.preset import Preset, place_routes
from menura.synths.vital.check import check_blocks, check_routes, check_values
from menura.synths.vital.controls import SLOT_FIELDS, SLOTS, controls
from menura.synths.vital.engine import Engine
from menura.synths.vital.format import dump_vital
from menura.synths.vital.init import with_settings

Sound = NDArray[np.float32]


class VitalPlayer:
    """Renders presets one after the other; each result is that of a fresh engine."""

    def __init__(self, mode: str) -> None:
        """Starts the engine.

        Args:
            mode: "exact" or "fast".

        Raises:
            EngineError: the engine is missing.
        """
        self._engine = Engine()
        self._fast = mode == "fast"
        self._loaded: Preset | None = None
        self._standing: Mapping[str, float] = {}
        self._checked: Any = None

    def play(self, preset: Preset, note: Note, sample_rate: int) -> tuple[Sound, float]:
        """One render and the seconds that the engine took for it, loading included.

        Raises:
            PresetError: the preset would crash the engine.
            RenderError: the engine crashed, refused, or gave no finite sound.
        """
        self._check(preset)
        tune = float(preset.values.get("voice_tune", 0.0))
        if not hasattr(os, "fork"):
            document = dump_vital(preset, for_engine=True)
            started = time.perf_counter()
            engine = Engine()
            engine.load(document)
            return engine.play(note, sample_rate, tune=tune), time.perf_counter() - started
        seconds, prepare = self._prepared(preset) if self._fast else (0.0, _loader(preset))

        def job(engine: Engine) -> Sound:
            prepare(engine)
            return engine.play(note, sample_rate, tune=tune)

        sound, spent = in_fork(self._engine, job, samples=max(round(note.total * sample_rate), 1))
        return sound, seconds + spent

    def _check(self, preset: Preset) -> None:
        check_values(preset.values)
        check_routes(preset.routes)
        # Comparing blocks with the last good ones is much cheaper than decoding them again.
        if preset.blocks is not self._checked and preset.blocks != self._checked:
            self._checked = None
            check_blocks(preset.blocks)
        self._checked = preset.blocks

    def _prepared(self, preset: Preset) -> tuple[float, Callable[[Engine], None]]:
        """Makes the parent's engine hold the preset's blocks and routes; what the fork has still to set."""
        seconds = 0.0
        known = self._loaded is not None and self._loaded.blocks == preset.blocks
        if self._loaded is None or not known or _only_loaded(self._loaded) != _only_loaded(preset):
            # Tables and shapes that the engine holds already are left out: drawing them is most of a load.
            light = with_settings(preset, wavetables=[], lfos=[]) if known else preset
            document = dump_vital(light, for_engine=True)
            started = time.perf_counter()
            self._loaded = None
            self._engine.load(document)
            seconds = time.perf_counter() - started
            self._loaded, self._standing = preset, _scalars(preset)
        wanted = _scalars(preset)
        changes = {name: value for name, value in wanted.items() if self._standing.get(name) != value}

        def prepare(engine: Engine) -> None:
            engine.set(changes)

        return seconds, prepare


def _loader(preset: Preset) -> Callable[[Engine], None]:
    document = dump_vital(preset, for_engine=True)

    def prepare(engine: Engine) -> None:
        engine.load(document)

    return prepare


def _only_loaded(preset: Preset) -> tuple[float, list[tuple[int, str, str]]]:
    """What an engine takes from a preset that it loads, and from no control: where the wheel rests, routes' ends."""
    ends = [(route.slot, route.source, route.destination) for route in place_routes(preset.routes, SLOTS)]
    return preset.values.get("mod_wheel", 0.0), ends


def _scalars(preset: Preset) -> dict[str, float]:
    """Every scalar control of the engine as this preset sets it, those of the slots included."""
    found = {name: preset.values.get(name, control.default) for name, control in controls().items()}
    for route in place_routes(preset.routes, SLOTS):
        for field in SLOT_FIELDS:
            found[f"modulation_{route.slot}_{field}"] = float(getattr(route, field))
    return found


def in_fork(engine: Engine, job: Callable[[Engine], Sound], *, samples: int) -> tuple[Sound, float]:
    """Does the job in a child process that starts as a copy of this one, its untouched engine included."""
    with mmap.mmap(-1, 8 * samples) as shared:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _child(engine, job, shared, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as answers:
            answer = answers.read()
        _, status = os.waitpid(child, 0)
        if status or not answer:
            end = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {status >> 8}"
            raise RenderError(f"the Vital engine crashed on this preset ({end})")
        found = pickle.loads(answer)
        if isinstance(found, BaseException):
            raise found
        sound = np.frombuffer(shared[:], dtype=np.float32).reshape(2, samples)
    return sound, float(found)


def _child(engine: Engine, job: Callable[[Engine], Sound], shared: mmap.mmap, writer: int) -> None:
    """The whole life of a fork; never returns into the code of its parent."""
    # A crash here is expected, counted and told; a handler inherited from the caller would print it as well.
    faulthandler.disable()
    status = 1
    try:
        started = time.perf_counter()
        try:
            sound = job(engine)
            answer: object = time.perf_counter() - started
            shared[:] = np.ascontiguousarray(sound).tobytes()
        except MenuraError as error:
            answer = error
        with os.fdopen(writer, "wb") as answers:
            answers.write(pickle.dumps(answer))
        status = 0
    finally:
        os._exit(status)
