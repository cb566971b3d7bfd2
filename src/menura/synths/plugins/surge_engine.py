"""Surge XT through its own Python module: the only importer of `surgepy`. An instance is one synth, as of a plug-in.

The module is built from Surge's source and in no package index. It is loaded in worker processes only; `find_surgepy`
says where it lies without loading it. Values are raw, 0 to 1, on the scale that Surge's plug-ins show their hosts, so
that both roads have the same controls. The engine calculates blocks of 32 samples; keys move at their boundaries.

Source: surge-synthesizer/surge, src/surge-python/surgepy.cpp (what the module has), src/common/Parameter.h
(intScaledToFloat: whole numbers from 0.005 to 0.995), src/common/dsp/SurgeVoice.cpp (range of the pitch wheel).
"""

from __future__ import annotations

import importlib.util
import math
import tempfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np

from menura.errors import EngineError, RenderError
from menura.note import Note
from menura.synths.plugins.folders import Location
from menura.synths.plugins.host import Described, Instance, Sound, stereo
from menura.synths.plugins.midi import SETTLE, struck
from menura.synths.plugins.player import wheel
from menura.synths.plugins.process import seed_chance

MODULE = "surgepy"
_GROUPS = ("cg_GLOBAL", "cg_OSC", "cg_MIX", "cg_FILTER", "cg_ENV", "cg_LFO", "cg_FX")
_LEAST, _SPAN = 0.005, 0.99
"""Where a control of whole numbers has its first position, and how far its last is from it."""
_CENTS = 24
"""Semitones, the highest bend range; a number above it is in cents (the range is extended)."""


def find_surgepy() -> Location | None:
    """The module's binary, or None where it is not importable. Nothing is imported."""
    try:
        found = importlib.util.find_spec(MODULE)
    except (ImportError, ValueError):
        return None
    if found is None:
        return None
    # A package with the binary `_surgepy` in it where pip built it, the binary itself where CMake did.
    folders = [Path(folder) for folder in found.submodule_search_locations or ()]
    inside = [path for folder in folders for path in sorted(folder.glob("_surgepy*"))]
    files = [path for path in inside if path.name.endswith(tuple(EXTENSION_SUFFIXES))]
    file = Path(files[0] if files else found.origin or "")
    return Location("surgepy", str(file), str(file)) if file.is_file() else None


def surge_version() -> str:
    """What the engine calls its version. Loads it: call this through `worker.isolated`. Raises EngineError."""
    return str(_module().getVersion())


def open_surge(sample_rate: int) -> Instance:
    """A fresh Surge XT with its initial patch, at 120 beats a minute; its state is an .fxp patch.

    Raises:
        EngineError: the module does not load, or has not what it is known for.
    """
    return _Surge(sample_rate)


class _Surge:
    def __init__(self, sample_rate: int) -> None:
        module = _module()
        self._rate = sample_rate
        try:
            self._synth: Any = module.createSurge(float(sample_rate))
            self.called = f"Surge XT {module.getVersion()}"
            self._block = int(self._synth.getBlockSize())
            self._single = int(module.constants.sm_single)
            parameters = {
                int(parameter.getId().getSynthSideId()): parameter
                for group in _GROUPS
                for entry in self._synth.getControlGroup(getattr(module.constants, group)).getEntries()
                for parameter in entry.getParams()
            }
        except (AttributeError, TypeError, RuntimeError, IndexError) as error:
            raise EngineError(
                f"menura does not know this version of the Python module {MODULE} ({error}); take that of Surge XT 1.3"
            ) from error
        self._parameters: list[Any] = [parameters[number] for number in sorted(parameters)]

    def described(self) -> list[Described]:
        found: list[Described] = []
        for index, parameter in enumerate(self._parameters):
            kind, low, high = self._told(index)
            last = round(high - low)
            positions = (0.0, 1.0) if kind == "bool" else ()
            if kind == "int" and last > 0:
                positions = tuple(_LEAST + _SPAN * step / last for step in range(last + 1))
            name = str(self._synth.getParameterName(parameter.getId())).strip()
            found.append(Described(index, name, "", len(positions), kind == "bool", positions))
        return found

    def value(self, index: int) -> float:
        kind, low, high = self._told(index)
        if high <= low:
            return 0.0
        share = (float(self._synth.getParamVal(self._parameters[index])) - low) / (high - low)
        return float(np.float32(_LEAST + _SPAN * share if kind == "int" else share))

    def standing(self) -> list[float]:
        return [self.value(index) for index in range(len(self._parameters))]

    def set(self, index: int, raw: float) -> None:
        kind, low, high = self._told(index)
        # The module divides by the range again, for whole numbers too: what arrives is the raw value itself.
        self._synth.setParamVal(self._parameters[index], low + (high - low) * float(raw))
        if kind != "float":
            # A new type of oscillator or effect takes its place when the engine runs, and moves its other controls.
            for _ in range(2):
                self._synth.process()

    def text(self, index: int) -> str:
        return str(self._synth.getParamDisplay(self._parameters[index])).strip()

    def save(self) -> bytes:
        with tempfile.TemporaryDirectory(prefix="menura-") as folder:
            path = Path(folder) / "menura.fxp"
            self._synth.savePatch(str(path))
            if not path.is_file():
                raise EngineError("Surge XT wrote no patch; is there room in the folder for temporary files?")
            return path.read_bytes()

    def load(self, data: bytes) -> None:
        with tempfile.TemporaryDirectory(prefix="menura-") as folder:
            path = Path(folder) / "menura.fxp"
            path.write_bytes(data)
            try:
                # Older versions answer with nothing.
                refused = self._synth.loadPatch(str(path)) is False
            except (ValueError, RuntimeError) as error:
                raise EngineError(f"Surge XT refused the patch: {error}") from error
        if refused:
            raise EngineError("Surge XT refused the patch; is it one of Surge's?")

    def play(self, note: Note, sample_rate: int, bend: int = 0) -> Sound:
        if sample_rate != self._rate:
            raise RenderError(f"this instance runs at {self._rate} Hz, not {sample_rate}; open another")
        seed_chance()
        key, velocity = struck(note)
        samples = max(round(note.total * sample_rate), 1)
        before, sounding = math.ceil(SETTLE * sample_rate / self._block), math.ceil(samples / self._block)
        held = min(max(round(note.hold * sample_rate / self._block), 1), sounding)
        if note.pitch != key:  # the wheel moves by as much as this patch's own range asks for
            bend = wheel(note.pitch, self._bend_range(up=note.pitch > key))
        if bend:
            self._synth.pitchBend(0, bend)
        sound = self._synth.createMultiBlock(before + sounding)
        self._synth.processMultiBlock(sound, 0, before)
        self._synth.playNote(0, key, velocity, 0)
        self._synth.processMultiBlock(sound, before, held)
        if sounding > held:
            self._synth.releaseNote(0, key, 0)
            self._synth.processMultiBlock(sound, before + held, sounding - held)
        return stereo(sound, before * self._block, samples)

    def _told(self, index: int) -> tuple[str, float, float]:
        """Kind (float, int, bool), least and greatest value of a parameter, in Surge's own units and as it is now.

        Those of an oscillator and of an effect change with its type.
        """
        parameter = self._parameters[index]
        low, high = self._synth.getParamMin(parameter), self._synth.getParamMax(parameter)
        return str(self._synth.getParamValType(parameter)), float(low), float(high)

    def _bend_range(self, *, up: bool) -> float:
        """Semitones that the wheel moves the scene that sounds; scene A where both do."""
        patch = self._synth.getPatch()
        single = round(self._synth.getParamVal(patch["scenemode"])) == self._single
        scene = patch["scene"][round(self._synth.getParamVal(patch["scene_active"])) if single else 0]
        found = float(self._synth.getParamVal(scene["pbrange_up" if up else "pbrange_dn"]))
        return found / 100.0 if found > _CENTS else found


def _module() -> Any:
    try:
        import surgepy  # pyright: ignore
    except (ImportError, OSError) as error:
        raise EngineError(
            f"the Python module {MODULE} is there and does not load ({error}); build it again for this Python, or "
            "take it away: then the installed plug-in is played"
        ) from error
    return surgepy
