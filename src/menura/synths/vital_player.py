"""Many renders of Vital in one process, with the engine's memory kept out of the results.

Two ways, see `docs/decisions/012-engine-hygiene.md`:

- exact: each render happens in a fork of this process, whose engine has never played; where there is no
  fork, on a new engine. A crash of the engine ends the fork alone.
- fast: one engine is used again and again. Loading a preset again clears voices, filters, envelopes, EQ,
  compressor and phaser to the last bit; it does not clear `STATEFUL`, so presets that switch one of
  those on are rendered the exact way.
"""

from __future__ import annotations

import mmap
import os
import pickle
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.errors import MenuraError, RenderError
from menura.note import Note
from menura.preset import Preset
from menura.synths.vital_check import check_blocks, check_routes, check_values
from menura.synths.vital_engine import Engine
from menura.synths.vital_format import dump_vital
from menura.synths.vital_init import with_settings

STATEFUL = ("chorus_on", "delay_on", "distortion_on", "filter_fx_on", "flanger_on", "reverb_on")
"""Switches of the effects that carry something from one render into the next."""
_HEAVY = ("wavetables", "lfos", "sample")
_SHORT_SAMPLE: Mapping[str, Any] = {"length": 4, "name": "", "sample_rate": 44_100, "samples": "AAAAAAAAAAA="}
_FLUSH = Note(pitch=60.0, velocity=0.8, hold=0.001, total=0.01)


class VitalPlayer:
    """Renders presets one after the other; each result is that of a fresh engine."""

    def __init__(self, mode: str) -> None:
        """Starts the engines.

        Args:
            mode: "exact" or "fast".

        Raises:
            EngineError: the engine is missing.
        """
        self._pristine = Engine()
        self._used = Engine() if mode == "fast" else None
        self._loaded: dict[str, Any] = {}
        self._checked: Any = None
        self._played = False

    def play(self, preset: Preset, note: Note, sample_rate: int) -> tuple[NDArray[np.float32], float]:
        """One render and the seconds that the engine took for it, loading included.

        Raises:
            PresetError: the preset would crash the engine.
            RenderError: the engine crashed, refused, or gave no finite sound.
        """
        self._check(preset)
        tune = float(preset.values.get("voice_tune", 0.0))
        if self._used is not None and not any(preset.values.get(name, 0.0) >= 0.5 for name in STATEFUL):
            return self._again(self._used, preset, note, sample_rate, tune)
        document = dump_vital(preset, for_engine=True)
        if hasattr(os, "fork"):
            return _in_fork(self._pristine, document, note, sample_rate, tune)
        started = time.perf_counter()
        sound = _load_and_play(Engine(), document, note, sample_rate, tune)
        return sound, time.perf_counter() - started

    def _check(self, preset: Preset) -> None:
        check_values(preset.values)
        check_routes(preset.routes)
        # Comparing blocks with the last good ones is much cheaper than decoding them again.
        if preset.blocks is not self._checked and preset.blocks != self._checked:
            self._checked = None
            check_blocks(preset.blocks)
        self._checked = preset.blocks

    def _again(
        self, engine: Engine, preset: Preset, note: Note, sample_rate: int, tune: float
    ) -> tuple[NDArray[np.float32], float]:
        document = dump_vital(self._light(preset), for_engine=True)
        started = time.perf_counter()
        if self._played:
            # The engine gives notes to its lanes in turn, and lanes differ in the last bit: a short note
            # between two renders puts every render on the first lane, as on a fresh engine.
            engine.play(Note(note.pitch, _FLUSH.velocity, _FLUSH.hold, _FLUSH.total), sample_rate, tune=0.0)
        self._played = True
        engine.load(document)
        sound = engine.play(note, sample_rate, tune=tune)
        return sound, time.perf_counter() - started

    def _light(self, preset: Preset) -> Preset:
        """The preset without the tables, shapes and sample that the engine holds already."""
        settings: Mapping[str, Any] = preset.blocks["settings"]
        light: dict[str, Any] = {}
        for key in _HEAVY:
            if key == "sample":
                # The engine cannot keep its sample over a load; a silent sampler gets the shortest there is.
                if preset.values.get("sample_on", 0.0) < 0.5:
                    light[key] = _SHORT_SAMPLE
            elif self._loaded.get(key) == settings[key]:
                light[key] = []
            else:
                self._loaded[key] = settings[key]
        return with_settings(preset, **light)


def _load_and_play(engine: Engine, document: bytes, note: Note, sample_rate: int, tune: float) -> NDArray[np.float32]:
    engine.load(document)
    return engine.play(note, sample_rate, tune=tune)


def _in_fork(
    engine: Engine, document: bytes, note: Note, sample_rate: int, tune: float
) -> tuple[NDArray[np.float32], float]:
    """Renders in a child process that starts as a copy of this one, its untouched engine included."""
    samples = max(round(note.total * sample_rate), 1)
    with mmap.mmap(-1, 8 * samples) as shared:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _child(engine, document, note, sample_rate, tune, shared, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as answers:
            answer = answers.read()
        _, status = os.waitpid(child, 0)
        if status or not answer:
            signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            end = f"signal {signal}" if signal else f"exit code {os.waitstatus_to_exitcode(status)}"
            raise RenderError(f"the Vital engine crashed on this preset ({end})")
        found = pickle.loads(answer)
        if isinstance(found, BaseException):
            raise found
        sound = np.frombuffer(shared, dtype=np.float32).reshape(2, samples).copy()
    return sound, float(found)


def _child(
    engine: Engine, document: bytes, note: Note, sample_rate: int, tune: float, shared: mmap.mmap, writer: int
) -> None:
    """The whole life of a fork; never returns into the code of its parent."""
    status = 1
    try:
        started = time.perf_counter()
        try:
            sound = _load_and_play(engine, document, note, sample_rate, tune)
            shared[:] = np.ascontiguousarray(sound).tobytes()
            answer: object = time.perf_counter() - started
        except MenuraError as error:
            answer = error
        with os.fdopen(writer, "wb") as answers:
            answers.write(pickle.dumps(answer))
        status = 0
    finally:
        os._exit(status)
