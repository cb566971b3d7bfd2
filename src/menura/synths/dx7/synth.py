"""The Yamaha DX7 as a `Synth`: reads, writes, freezes and renders its voices; hexter plays them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import EngineError, PresetError
from menura.note import Note
from menura.preset import Preset
from menura.space import Parameter, ParameterSpace
from menura.synths.dx7.controls import NAME_SIZE, SAMPLE_AND_HOLD, WAVES, Control, controls
from menura.synths.dx7.format import (
    VOICE_SIZE,
    check_voice,
    initial_voice,
    name_bytes,
    name_of,
    read_dumps,
    write_bank,
    write_voice,
)
from menura.synths.dx7.hexter import hexter

_NOTE = Note()
_GROUPS = (*(f"operator_{number}" for number in range(1, 7)), "pitch_envelope", "lfo", "voice")
_NAMES = tuple(control.name for control in controls())
_DEFAULTS = {control.name: float(control.default) for control in controls()}
_HIGHEST = {control.name: control.high for control in controls()}
_LIMITS = np.array(list(_HIGHEST.values()), np.float64)
_PLACE = re.compile(r"(?P<file>.+)#(?P<number>\d+)")


class Dx7:
    """The six-operator FM synth DX7, its voices played by the emulation hexter."""

    name = "dx7"
    suffix = ".syx"

    @cached_property
    def version(self) -> str:
        """Name and version of the engine; what to install where it is absent."""
        try:
            return hexter().version
        except EngineError:
            return "hexter absent (apt install hexter)"

    def check(self) -> None:
        """Raises EngineError where the engine is missing; voices can be read and written all the same."""
        hexter()

    @cached_property
    def space(self) -> ParameterSpace:
        """All 145 controls: the six operators, the pitch envelope, the LFO, and what the voice shares."""
        order = {group: place for place, group in enumerate(_GROUPS)}
        wanted = sorted(controls(), key=lambda control: order[control.group])
        return ParameterSpace(self.name, [_parameter(control) for control in wanted], slots=0)

    def init(self) -> Preset:
        """The instrument's INIT VOICE: operator 1 alone, a sine."""
        return preset_of(initial_voice())

    def render(self, preset: Preset, note: Note = _NOTE, *, sample_rate: int = 44_100) -> Audio:
        """The sound of a voice on an engine that never played, shape (2, round(note.total * sample_rate)).

        The instrument has one channel; both are alike.

        Raises:
            PresetError: the voice is broken or of another synth.
            RenderError: the engine gave no finite sound.
            EngineError: the engine is missing.
        """
        sound = hexter().play(voice_of(preset), note, sample_rate)
        return Audio(np.stack([sound, sound]), sample_rate)

    def player(self, mode: str) -> Dx7Player:
        """What a worker of the pool renders with; both modes are alike, since a fresh engine costs next to nothing."""
        return Dx7Player(mode)

    def freeze(self, preset: Preset) -> Preset:
        """The same voice without chance.

        A sample-and-hold LFO, which draws random numbers, becomes a square one of the same speed, and oscillators that
        run on between notes begin with the note.
        """
        if preset.values.get("lfo_wave") == SAMPLE_AND_HOLD:
            preset = preset.with_values(lfo_wave=float(WAVES.index("square")))
        return preset if preset.values.get("oscillator_sync", 1.0) else preset.with_values(oscillator_sync=1.0)

    def read(self, source: Path | bytes) -> Preset:
        """A voice from its file or bytes: the first one of a bank, or the n-th of a path that ends in ``#n``.

        Raises:
            PresetError: it cannot be read, holds no voice, or one with values out of range.
        """
        if isinstance(source, bytes):
            return self._first(source, 1)
        path, number = Path(source), 1
        found = _PLACE.fullmatch(path.name)
        if found and not path.exists():
            path, number = path.with_name(found["file"]), int(found["number"])
        try:
            preset = self._first(_bytes_of(path), number)
        except PresetError as error:
            raise PresetError(f"{path}: {error}") from error
        return replace(preset, origin={**preset.origin, "file": path.name})

    def read_bank(self, source: Path | bytes) -> list[Preset]:
        """All voices of a file that are in range, in its order; `origin["voice"]` is the place in the file, from 1.

        Raises:
            PresetError: it cannot be read, or no voice of it can be used.
        """
        data = source if isinstance(source, bytes) else _bytes_of(Path(source))
        found: list[Preset] = []
        broken = ""
        for number, (voice, faults) in enumerate(_voices(data), 1):
            try:
                found.append(preset_of(voice, number, faults))
            except PresetError as error:
                broken = broken or str(error)
        if not found:
            raise PresetError(f"no voice of the file can be used; the first: {broken}")
        return found

    def write(self, preset: Preset) -> bytes:
        """The voice as a message of 163 bytes, which the instrument and Dexed open. Raises PresetError."""
        return write_voice(voice_of(preset))

    def write_bank(self, presets: list[Preset]) -> bytes:
        """Up to 32 voices as a bank of 4104 bytes, filled up with the initial voice. Raises PresetError."""
        return write_bank([voice_of(preset) for preset in presets])

    def _first(self, data: bytes, number: int) -> Preset:
        found = _voices(data)
        if not 1 <= number <= len(found):
            raise PresetError(f"there is no voice {number}; the file holds {len(found)}")
        return preset_of(found[number - 1][0], number if len(found) > 1 else 0, found[number - 1][1])


class Dx7Player:
    """Renders voices one after the other, each on an instance of its own.

    Raises:
        EngineError: the engine is missing.
    """

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._engine = hexter()

    def play(self, preset: Preset, note: Note, sample_rate: int) -> tuple[NDArray[np.float32], float]:
        """The sound, shape (1, n), and the seconds that the engine took. Raises PresetError and RenderError."""
        voice = voice_of(preset)
        started = time.perf_counter()
        sound = self._engine.play(voice, note, sample_rate)
        return sound[None], time.perf_counter() - started


def preset_of(voice: bytes, number: int = 0, faults: tuple[str, ...] = ()) -> Preset:
    """A voice of 155 bytes as a preset.

    Args:
        voice: its bytes.
        number: its place in its file, from 1; 0 where it is alone there.
        faults: what was wrong with its file.

    Raises:
        PresetError: a value is out of range.
    """
    check_voice(voice)
    origin: dict[str, object] = {"voice": number} if number else {}
    if faults:
        origin["faults"] = list(faults)
    values = dict(zip(_NAMES, map(float, voice[:-NAME_SIZE]), strict=True))
    return Preset("dx7", values, name=name_of(voice), origin=origin)


def voice_of(preset: Preset) -> bytes:
    """A preset as the 155 bytes of its voice; controls that it lacks stand at their default.

    Raises:
        PresetError: it is of another synth, or a value is no whole number in its range.
    """
    if preset.synth != "dx7":
        raise PresetError(f"preset is of synth {preset.synth!r}, not 'dx7'")
    if preset.routes or preset.blocks:
        raise PresetError("a DX7 voice has controls alone; leave out the preset's routes and blocks")
    values = preset.values if tuple(preset.values) == _NAMES else {**_DEFAULTS, **preset.values}
    if len(values) == len(_NAMES):
        voice = _coded(values) + name_bytes(preset.name)
        if len(voice) == VOICE_SIZE:
            return voice
    for name, value in values.items():
        high = _HIGHEST.get(name)
        if high is None:
            raise PresetError(f"a DX7 voice has no control {name!r}; see Dx7().space for those that there are")
        if not isinstance(value, int | float) or not 0 <= value <= high or value != int(value):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise PresetError(f"DX7 control {name} is {value!r}; give a whole number from 0 to {high}")
    raise PresetError("a DX7 voice cannot be written; its values are no numbers")


def _coded(values: Mapping[str, float]) -> bytes:
    """The values in one step; nothing where one of them is no whole number in its range."""
    try:
        found = np.fromiter(values.values(), np.float64, len(values))
    except (TypeError, ValueError):
        return b""
    if not bool(((found >= 0.0) & (found <= _LIMITS)).all()):
        return b""
    whole = found.astype(np.uint8)
    return whole.tobytes() if bool((whole == found).all()) else b""


def _parameter(control: Control) -> Parameter:
    return Parameter(
        control.name,
        control.group,
        control.kind,
        0.0,
        float(control.high),
        float(control.default),
        "indexed",
        control.choices,
        control.units,
    )


def _voices(data: bytes) -> list[tuple[bytes, tuple[str, ...]]]:
    return [(voice, dump.faults) for dump in read_dumps(data) for voice in dump.voices]


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PresetError(f"{path} cannot be read ({error.strerror or error}); give a .syx file") from error
