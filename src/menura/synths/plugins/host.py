"""Plug-in hosts: the only importer of `dawdreamer` (VST2, LV2) and `pedalboard` (VST3, Audio Unit).

Surge XT's own Python module stands behind the same door, in `surge_engine`.

An instance is one loaded plug-in. Its code is foreign and may crash or hang: call this in worker processes only.
Values are raw: 0 to 1, as the host passes them to the plug-in.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from menura.errors import EngineError, RenderError
from menura.note import Note
from menura.synths.plugins.folders import Format, Location
from menura.synths.plugins.midi import SETTLE, events, midi_file
from menura.synths.plugins.process import clear_memory, seed_chance

Sound = NDArray[np.float32]
_BLOCK = 512
_MANY = 100_000
"""A number of steps above this means that there are none."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a plug-in says of one of its parameters."""

    index: int
    name: str
    units: str
    steps: int
    """How many positions it says it has; 0 where it does not say."""
    boolean: bool
    positions: tuple[float, ...] | None = None
    """Raw value of each step where the host knows them for certain, () where it glides; None has probing find out."""


class Instance(Protocol):
    """One loaded plug-in."""

    called: str
    """What it calls itself, "" where the host cannot ask."""

    def described(self) -> list[Described]:
        """Its parameters, in its own order."""
        ...

    def value(self, index: int) -> float:
        """Where a parameter stands for the host: exact in a fresh instance and after `load`."""
        ...

    def standing(self) -> list[float]:
        """Where all parameters stand for the plug-in itself, which may have dropped what the host set."""
        ...

    def set(self, index: int, raw: float) -> None:
        """Moves a parameter."""
        ...

    def text(self, index: int) -> str:
        """How the plug-in shows where a parameter stands."""
        ...

    def save(self) -> bytes:
        """All of its state, in the format's own file. Raises EngineError."""
        ...

    def load(self, data: bytes) -> None:
        """Takes a state. Raises EngineError."""
        ...

    def play(self, note: Note, sample_rate: int, bend: int = 0) -> Sound:
        """One note, shape (2, round(total * sample_rate)), with the wheel at -8192 to 8191. Raises RenderError."""
        ...


def host_version(format: Format) -> str:  # noqa: A002 - the field's word
    """The host of a format and its version, as ``'dawdreamer 0.9.0'``.

    Raises:
        EngineError: it is not installed.
    """
    package = {"lv2": "dawdreamer", "vst2": "dawdreamer", "surgepy": "surgepy"}.get(format, "pedalboard")
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        if format == "surgepy":  # on the path from where it was built; its content tells versions apart
            return package
        raise EngineError(f"the plug-in host {package} is missing; run: pip install 'menura[plugins]'") from None


def open_plugin(location: Location, sample_rate: int) -> Instance:
    """A fresh instance.

    Raises:
        EngineError: the host is missing, or the plug-in is no instrument or does not load.
    """
    host_version(location.format)
    clear_memory()
    seed_chance()
    if location.format in ("lv2", "vst2"):
        return _DawDreamer(location, sample_rate)
    if location.format == "surgepy":
        from menura.synths.plugins.surge_engine import open_surge

        return open_surge(sample_rate)
    return _Pedalboard(location)


class _DawDreamer:
    """A VST2 or LV2 plug-in. Its state is a bank file (VST2) or Turtle text (LV2)."""

    called = ""

    def __init__(self, location: Location, sample_rate: int) -> None:
        try:
            import dawdreamer  # pyright: ignore
        except ImportError as error:
            raise EngineError(
                f"the plug-in host cannot be loaded ({error}); run: pip install 'menura[plugins]', and install "
                "libgl1, libx11-6 and libglib2.0-0 where the system lacks them"
            ) from error
        host: Any = dawdreamer
        self._engine: Any = host.RenderEngine(sample_rate, _BLOCK)
        try:
            self._plugin: Any = self._engine.make_plugin_processor("plugin", location.place)
        except RuntimeError as error:
            raise EngineError(f"{location.place} does not load: {error}") from error
        self._engine.load_graph([(self._plugin, [])])
        if self._plugin.get_num_output_channels() < 1:
            raise EngineError(f"{location.place} has no sound output")
        self._rate = sample_rate
        self._format = location.format

    def described(self) -> list[Described]:
        found: list[Described] = []
        for row in self._plugin.get_parameters_description():
            steps = len(row["valueStrings"]) or row["numSteps"]
            steps = 2 if row["isBoolean"] else steps if 2 <= steps < _MANY else 0
            found.append(Described(row["index"], row["name"].strip(), row["label"].strip(), steps, row["isBoolean"]))
        return found

    def value(self, index: int) -> float:
        return float(self._plugin.get_parameter(index))

    def standing(self) -> list[float]:
        found = [float(value) for _, value in self._plugin.get_patch()]
        if self._format == "vst2":
            # The host answers with what it set; only this text is asked of the plug-in (six digits).
            for row in self._plugin.get_parameters_description():
                with contextlib.suppress(ValueError):
                    found[row["index"]] = float(row["text"])
        return found

    def set(self, index: int, raw: float) -> None:
        self._plugin.set_parameter(index, float(raw))

    def text(self, index: int) -> str:
        return str(self._plugin.get_parameter_text(index)).strip()

    def save(self) -> bytes:
        if self._format == "lv2":  # its ports learn of new values when it runs
            self._plugin.clear_midi()
            self._engine.render(2 * _BLOCK / self._rate)
        with tempfile.TemporaryDirectory(prefix="menura-") as folder:
            path = Path(folder) / "state"
            self._plugin.save_state(str(path))
            return path.read_bytes() if path.is_file() else b""

    def load(self, data: bytes) -> None:
        with tempfile.TemporaryDirectory(prefix="menura-") as folder:
            path = Path(folder) / "state.fxp"
            path.write_bytes(data)
            if not self._plugin.load_preset(str(path)):
                raise EngineError("the plug-in refused the preset file; is it one of this plug-in?")

    def play(self, note: Note, sample_rate: int, bend: int = 0) -> Sound:
        if sample_rate != self._rate:
            raise RenderError(f"this instance runs at {self._rate} Hz, not {sample_rate}; open another")
        seed_chance()
        samples, before = _lengths(note, sample_rate, self._plugin.get_latency_samples())
        messages = events(note, sample_rate, bend)
        self._plugin.clear_midi()
        if bend:
            with tempfile.NamedTemporaryFile(prefix="menura-", suffix=".mid") as file:
                file.write(midi_file(messages, sample_rate))
                file.flush()
                if not self._plugin.load_midi(file.name):
                    raise RenderError("the plug-in host refused the note; please report it")
        else:
            (start, down), (end, _) = messages
            self._plugin.add_midi_note(down[1], down[2], start / sample_rate, (end - start) / sample_rate)
        # Half a sample more, since the host cuts the product down.
        self._engine.render((before + samples + 0.5) / sample_rate)
        return stereo(self._engine.get_audio(), before, samples)


class _Pedalboard:
    """A VST3 plug-in or an Audio Unit. Its state is a .vstpreset file."""

    def __init__(self, location: Location) -> None:
        try:
            import pedalboard  # pyright: ignore
        except ImportError as error:
            raise EngineError(
                f"the VST3 host cannot be loaded ({error}); run: pip install 'menura[plugins]'"
            ) from error
        host: Any = pedalboard
        try:
            self._plugin: Any = host.load_plugin(location.place)
        except (ImportError, ValueError, RuntimeError) as error:
            raise EngineError(f"{location.place} does not load: {error}") from error
        if not self._plugin.is_instrument:
            raise EngineError(f"{location.place} is an effect, not an instrument")
        self.called = str(getattr(self._plugin, "name", ""))
        self._parameters: list[Any] = list(self._plugin._parameters)

    def described(self) -> list[Described]:
        found: list[Described] = []
        for index, row in enumerate(self._parameters):
            steps = 2 if row.is_boolean else row.num_steps if row.is_discrete and 2 <= row.num_steps < _MANY else 0
            found.append(Described(index, str(row.name).strip(), str(row.label or "").strip(), steps, row.is_boolean))
        return found

    def value(self, index: int) -> float:
        return float(self._parameters[index].raw_value)

    def standing(self) -> list[float]:
        return [float(row.raw_value) for row in self._parameters]

    def set(self, index: int, raw: float) -> None:
        self._parameters[index].raw_value = float(raw)

    def text(self, index: int) -> str:
        parameter = self._parameters[index]
        return str(parameter.get_text_for_raw_value(parameter.raw_value)).strip()

    def save(self) -> bytes:
        data = getattr(self._plugin, "preset_data", None)  # an Audio Unit has the raw state alone
        return bytes(data if data is not None else self._plugin.raw_state)

    def load(self, data: bytes) -> None:
        try:
            if data[:4] == b"VST3":
                self._plugin.preset_data = data
            else:
                self._plugin.raw_state = data
        except (ValueError, RuntimeError, TypeError) as error:
            raise EngineError(f"the plug-in refused the preset file: {error}") from error

    def play(self, note: Note, sample_rate: int, bend: int = 0) -> Sound:
        seed_chance()
        latency = int(getattr(self._plugin, "reported_latency_samples", 0) or 0)
        samples, before = _lengths(note, sample_rate, latency)
        messages = [(body, at / sample_rate) for at, body in events(note, sample_rate, bend)]
        seconds = (before + samples + 0.5) / sample_rate
        sound = self._plugin(messages, seconds, sample_rate, num_channels=2, buffer_size=_BLOCK, reset=False)
        return stereo(sound, before, samples)


def _lengths(note: Note, sample_rate: int, latency: int) -> tuple[int, int]:
    """Samples that are wanted, and those to drop before them."""
    return max(round(note.total * sample_rate), 1), round(SETTLE * sample_rate) + max(int(latency), 0)


def stereo(found: Any, before: int, samples: int) -> Sound:
    """The samples that were asked for, of what a host gave, shape (2, samples). Raises RenderError."""
    sound = np.array(found, dtype=np.float32, ndmin=2)[:2, before : before + samples]
    if sound.shape[0] == 1:
        sound = np.repeat(sound, 2, axis=0)
    if not bool(np.isfinite(sound).all()):
        raise RenderError("the render is not finite; the preset drives the plug-in out of its bounds")
    if sound.shape != (2, samples):
        raise RenderError(f"the render has shape {sound.shape} instead of (2, {samples}); ask for a shorter one")
    return np.ascontiguousarray(sound)
