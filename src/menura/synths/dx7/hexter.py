"""The DX7 emulation hexter, a DSSI plug-in, through ctypes: the only file that touches it. Plays one checked voice.

Every note is played by an instance of its own, whose voice memory has been put in order before. hexter allocates its
voices without clearing them and sets neither the feedback nor, without oscillator sync, the phases when a note begins,
so that a note would begin with what lay in memory (docs/decisions/070-dx7.md).

Source: the DSSI specification 1.0 (dssi.h), LADSPA 1.1 (ladspa.h), ALSA's seq_event.h for the events; hexter 1.1.1.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Generator, Mapping
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_float, c_int, c_uint8, c_ulong, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.errors import EngineError, RenderError
from menura.note import Note
from menura.synths.dx7.format import initial_voice

FILE = "hexter.so"
GAIN_DB = 10.0
"""Where the plug-in's volume stands: 10 dB above its default, so that the loudest voices peak near 0.85."""
_NUGGET = 64
"""Samples between two control calculations."""
_BEND_RANGE = 2.0
"""Semitones of the whole pitch wheel, as the plug-in's performance settings have it at first."""
_SEED = 1
"""Where the C library's random numbers begin for each note; sample and hold draws from them."""
_PITCH_BEND, _NOTE_ON, _NOTE_OFF = 13, 6, 7
_SEVEN_IN_SIX = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
_WEIGHTS = np.array([32, 16, 8, 4, 2, 1], np.uint8)
_STILL = initial_voice()
"""A voice with oscillator sync, without feedback and detuning: at 0 Hz nothing in it moves."""


class _Ladspa(Structure):
    _fields_ = (
        ("unique_id", c_ulong),
        ("label", c_char_p),
        ("properties", c_int),
        ("name", c_char_p),
        ("maker", c_char_p),
        ("copyright", c_char_p),
        ("port_count", c_ulong),
        ("port_descriptors", c_void_p),
        ("port_names", c_void_p),
        ("port_range_hints", c_void_p),
        ("implementation_data", c_void_p),
        ("instantiate", CFUNCTYPE(c_void_p, c_void_p, c_ulong)),
        ("connect_port", CFUNCTYPE(None, c_void_p, c_ulong, c_void_p)),
        ("activate", CFUNCTYPE(None, c_void_p)),
        ("run", c_void_p),
        ("run_adding", c_void_p),
        ("set_run_adding_gain", c_void_p),
        ("deactivate", CFUNCTYPE(None, c_void_p)),
        ("cleanup", CFUNCTYPE(None, c_void_p)),
    )


class _Dssi(Structure):
    _fields_ = (
        ("api_version", c_int),
        ("ladspa", POINTER(_Ladspa)),
        ("configure", CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_char_p)),
        ("get_program", c_void_p),
        ("select_program", CFUNCTYPE(None, c_void_p, c_ulong, c_ulong)),
        ("get_midi_controller_for_port", c_void_p),
        ("run_synth", CFUNCTYPE(None, c_void_p, c_ulong, c_void_p, c_ulong)),
    )


class _Event(Structure):
    """snd_seq_event_t with the fields of notes and controllers in the places of their union."""

    _fields_ = (
        ("type", c_uint8),
        ("flags", c_uint8 * 3),
        ("tick", ctypes.c_uint32),
        ("time", c_uint8 * 4),
        ("ends", c_uint8 * 4),
        ("channel", c_uint8),
        ("key", c_uint8),
        ("velocity", c_uint8),
        ("off_velocity", c_uint8),
        ("param", ctypes.c_uint32),
        ("value", ctypes.c_int32),
    )


class Hexter:
    """The loaded plug-in.

    Args:
        path: the plug-in's file.

    Raises:
        EngineError: it cannot be loaded, or is something else.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._library = ctypes.CDLL(str(path))
            describe = self._library.dssi_descriptor
        except (OSError, AttributeError) as error:
            raise EngineError(f"{path} cannot be loaded as a DSSI plug-in ({error}); reinstall hexter") from error
        describe.restype = POINTER(_Dssi)
        describe.argtypes = (c_ulong,)
        found = describe(0)
        if not found or found.contents.ladspa.contents.label != b"hexter":
            raise EngineError(f"{path} holds no hexter; name hexter.so in MENURA_HEXTER")
        self._dssi: Any = found.contents
        self._ladspa: Any = self._dssi.ladspa.contents
        name = (self._ladspa.name or b"").decode("ascii", "replace")
        self.version = f"hexter {name.rpartition('(v')[2].rstrip(')') or 'of unknown version'}"
        """Name and version, as the plug-in says them."""
        # The engine keeps numbers of a voice in static memory and random numbers in the C library: one note at a time.
        self._lock = threading.Lock()
        self._chance = _Chance()

    def play(self, voice: bytes, note: Note, sample_rate: int, *, seed: int = _SEED) -> NDArray[np.float32]:
        """One note, shape (round(total * sample_rate),), one channel.

        The plug-in plays whole keys; the rest of the pitch is on the pitch wheel, in steps of 0.025 cents. As on the
        instrument, the wheel leaves operators of fixed frequency alone.

        Args:
            voice: 155 bytes, checked: the plug-in clips what is out of range and says nothing.
            note: what is played.
            sample_rate: Hz.
            seed: of the sample-and-hold LFO's chance.

        Raises:
            EngineError: the plug-in has no memory left.
            RenderError: the sound is not finite.
        """
        samples = max(round(note.total * sample_rate), 1)
        sound = np.empty(samples, np.float32)
        with self._lock, self._chance.seeded(seed):
            handle = self._ladspa.instantiate(ctypes.addressof(self._ladspa), sample_rate)
            if not handle:
                raise EngineError("hexter has no memory for another voice; close other programs")
            try:
                self._play(handle, voice, note, sample_rate, sound)
            finally:
                self._ladspa.cleanup(handle)
        if not bool(np.isfinite(sound).all()):
            raise RenderError("the render is not finite; the voice passed our checks: please report it")
        return sound

    def _play(self, handle: int, voice: bytes, note: Note, sample_rate: int, sound: NDArray[np.float32]) -> None:
        tuning, volume = c_float(0.0), c_float(GAIN_DB)
        connect = self._ladspa.connect_port
        connect(handle, 1, ctypes.addressof(tuning))
        connect(handle, 2, ctypes.addressof(volume))
        self._settle(handle)
        tuning.value = 440.0
        connect(handle, 0, sound.ctypes.data)
        self._ladspa.activate(handle)
        self._load(handle, voice)
        key = min(max(int(np.floor(note.pitch + 0.5)), 0), 127)
        loudness = min(max(round(note.velocity * 127), 1), 127)
        bend = round((note.pitch - key) / _BEND_RANGE * 8192)
        events = [_Event(type=_PITCH_BEND, value=bend)] if bend else []
        events.append(_Event(type=_NOTE_ON, key=key, velocity=loudness))
        release = max(round(note.hold * sample_rate), 1)
        if release < sound.size:
            events.append(_Event(type=_NOTE_OFF, key=key, tick=release, velocity=64))
        self._run(handle, sound.size, events)

    def _settle(self, handle: int) -> None:
        """Puts the first voice's memory in order: all phases and the feedback at 0.

        A note that is tuned to 0 Hz, with oscillator sync and without feedback, sets the one and computes the other;
        one nugget later it is cut off.
        """
        scratch = np.empty(_NUGGET, np.float32)
        self._ladspa.connect_port(handle, 0, scratch.ctypes.data)
        self._ladspa.activate(handle)
        self._load(handle, _STILL)
        self._run(handle, _NUGGET, [_Event(type=_NOTE_ON, key=60, velocity=64)])

    def _load(self, handle: int, voice: bytes) -> None:
        self._dssi.select_program(handle, 0, 0)
        refused = self._dssi.configure(handle, b"edit_buffer", _edit_buffer(voice))
        if refused:
            raise EngineError(f"hexter refused a voice: {ctypes.string_at(refused).decode('ascii', 'replace')}")

    def _run(self, handle: int, samples: int, events: list[_Event]) -> None:
        array = (_Event * len(events))(*events)
        self._dssi.run_synth(handle, samples, byref(array), len(events))


class _Chance:
    """The C library's random numbers, lent to the engine and given back as they were."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._seed: Any = library.srand
        self._lend: Any = getattr(library, "initstate", None)
        self._give_back: Any = getattr(library, "setstate", None)
        self._state = ctypes.create_string_buffer(128)
        if self._lend is not None:
            self._lend.restype = self._give_back.restype = c_void_p
            self._lend.argtypes = (ctypes.c_uint, c_void_p, ctypes.c_size_t)
            self._give_back.argtypes = (c_void_p,)

    @contextlib.contextmanager
    def seeded(self, seed: int) -> Generator[None]:
        """Within it, random numbers begin at the seed."""
        if self._lend is None:
            self._seed(seed)
            yield
            return
        before = self._lend(seed, ctypes.addressof(self._state), len(self._state))
        try:
            yield
        finally:
            self._give_back(before)


def _edit_buffer(voice: bytes) -> bytes:
    """The text that `configure` takes: length, a C structure of program number and voice in 6 bits a letter, sum."""
    raw = np.frombuffer(bytes(4) + voice + bytes(1), np.uint8)
    bits = np.unpackbits(raw[:, None], axis=1)[:, 1:].ravel()
    pieces = np.append(bits, np.zeros(-bits.size % 6, np.uint8)).reshape(-1, 6)
    letters = _SEVEN_IN_SIX[pieces @ _WEIGHTS].tobytes()
    return b"%d %s %d" % (raw.size, letters, int(raw.sum()))


# ---------------------------------------------------------------------- finding it


@cache
def hexter() -> Hexter:
    """The installed plug-in, loaded once.

    Raises:
        EngineError: there is none; the message says how to get it.
    """
    path = find_hexter()
    if path is None:
        raise EngineError(
            "the DX7 engine hexter is not installed (looked for hexter.so in MENURA_HEXTER, $DSSI_PATH and the usual "
            "DSSI folders); run: apt install hexter, or play .syx files with Dexed through the plug-in host"
        )
    return Hexter(path)


def find_hexter(environment: Mapping[str, str] | None = None) -> Path | None:
    """Where the plug-in is: the file that MENURA_HEXTER names, else the first found in `dssi_folders`; else None."""
    environment = os.environ if environment is None else environment
    named = environment.get("MENURA_HEXTER")
    if named:
        path = Path(named)
        path = path / FILE if path.is_dir() else path
        return path if path.is_file() else None
    return next((folder / FILE for folder in dssi_folders(environment) if (folder / FILE).is_file()), None)


def dssi_folders(environment: Mapping[str, str]) -> list[Path]:
    """Where DSSI plug-ins lie: $DSSI_PATH where it is set, else the usual folders."""
    named = environment.get("DSSI_PATH")
    if named:
        return [Path(folder) for folder in named.split(os.pathsep) if folder]
    machine = getattr(sys.implementation, "_multiarch", "")
    usual = ["/usr/lib/dssi", "/usr/local/lib/dssi", "/usr/lib64/dssi", "/opt/homebrew/lib/dssi"]
    usual += [f"/usr/lib/{machine}/dssi"] if machine else []
    home = environment.get("HOME")
    return [*(Path(folder) for folder in usual), *([Path(home) / ".dssi"] if home else [])]
