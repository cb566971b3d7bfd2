"""A small synth in NumPy for tests and teaching: one oscillator, noise, a low-pass, an envelope, two routes.

Everything that a large synth has, once: continuous controls, a toggle, a choice, modulation slots, a block
that is no scalar (the harmonics of its "drawn" wave) and chance that can be frozen. It is quick (about
10 ms for a second) and needs no engine.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import PresetError, RenderError
from menura.note import Note
from menura.preset import Preset, Route, place_routes
from menura.space import Field, Kind, Parameter, ParameterSpace

SLOTS = 2
"""Modulation slots."""
WAVES = ("sine", "saw", "square", "drawn")
SOURCES = ("envelope", "wobble", "velocity")
DESTINATIONS = ("pitch", "cutoff", "level")
_NOTE = Note()
_FORMAT = "menura-toy-1"
_PLAIN: tuple[tuple[str, str, Kind, float, float, float, str, tuple[str, ...], str], ...] = (
    ("wave", "oscillators", "choice", 0, 3, 1, "indexed", WAVES, ""),
    ("level", "oscillators", "continuous", 0, 1, 0.7, "quadratic", (), ""),
    ("transpose", "oscillators", "continuous", -24, 24, 0, "indexed", (), "semitones"),
    ("tune", "oscillators", "continuous", -1, 1, 0, "linear", (), "semitones"),
    ("phase_random", "oscillators", "toggle", 0, 1, 1, "indexed", (), ""),
    ("noise_level", "noise", "continuous", 0, 1, 0, "quadratic", (), ""),
    ("filter_on", "filters", "toggle", 0, 1, 0, "indexed", (), ""),
    ("cutoff", "filters", "continuous", 8, 136, 80, "linear", (), "semitones"),
    ("attack", "envelopes", "continuous", -10, 2, -7, "exponential", (), "log2 s"),
    ("decay", "envelopes", "continuous", -6, 2, -1, "exponential", (), "log2 s"),
    ("sustain", "envelopes", "continuous", 0, 1, 0.8, "linear", (), ""),
    ("release", "envelopes", "continuous", -6, 2, -4, "exponential", (), "log2 s"),
    ("wobble_rate", "lfos", "continuous", -2, 5, 2, "exponential", (), "log2 Hz"),
)


class Toy:
    """The toy synth."""

    name = "toy"
    version = "toy 1"
    suffix = ".toy"

    @cached_property
    def space(self) -> ParameterSpace:
        """13 controls in 5 groups, and 2 slots of source, destination, amount and direction."""
        plain = [
            Parameter(name, group, kind, low, high, default, scale, choices, units)
            for name, group, kind, low, high, default, scale, choices, units in _PLAIN
        ]
        return ParameterSpace(self.name, [*plain, *(p for slot in (1, 2) for p in _slot(slot))], slots=SLOTS)

    def init(self) -> Preset:
        """The initial patch: a plain saw."""
        values = {parameter.name: parameter.default for parameter in self.space.parameters if not parameter.slot}
        return Preset(self.name, values, name="Init", blocks={"harmonics": [1.0, 0.5, 0.25]})

    def render(self, preset: Preset, note: Note = _NOTE, *, sample_rate: int = 44_100) -> Audio:
        """The sound of a preset, shape (2, round(note.total * sample_rate)).

        Raises:
            PresetError: the preset is broken or of another synth.
            RenderError: the preset asks for it: a block `fault` of "nan", "crash" or "hang" does what bad
                presets do to real engines, for tests of what happens then.
        """
        check_toy(preset)
        _fault(preset.blocks.get("fault"))
        value = {name: float(number) for name, number in self.init().values.items()}
        value.update({name: float(number) for name, number in preset.values.items() if name in value})
        samples = max(round(note.total * sample_rate), 1)
        times = np.arange(samples) / sample_rate
        envelope = _envelope(value, note, times)
        moved = _moved(preset, value, note, times, envelope)
        pitch = note.pitch + round(value["transpose"]) + value["tune"] + 12.0 * moved["pitch"]
        frequency = np.minimum(440.0 * 2.0 ** ((pitch - 69.0) / 12.0), 0.45 * sample_rate)
        start = np.random.default_rng().random() if value["phase_random"] >= 0.5 else 0.0
        phase = 2.0 * np.pi * (np.cumsum(frequency) / sample_rate + start)
        harmonics = _harmonics(preset, WAVES[round(value["wave"])], float(frequency.max()), sample_rate)
        cutoff_hz = 440.0 * 2.0 ** ((value["cutoff"] + 60.0 * moved["cutoff"] - 69.0) / 12.0)
        tone = np.zeros(samples)
        turn: NDArray[np.complex128] = np.cos(phase) + 1j * np.sin(phase)
        turned = np.ones_like(turn)
        for number, strength in enumerate(harmonics, 1):
            turned = turned * turn
            if strength:
                damped = _low_pass(number * frequency, cutoff_hz) if value["filter_on"] >= 0.5 else 1.0
                tone += strength * damped * np.imag(turned)
        noise = np.random.default_rng(0).standard_normal(samples) * 0.3
        level = np.clip(value["level"] + moved["level"], 0.0, 1.0) ** 2
        sound = 0.5 * envelope * note.velocity * (level * tone + value["noise_level"] ** 2 * noise)
        return Audio(np.stack([sound, sound]).astype(np.float32), sample_rate)

    def freeze(self, preset: Preset) -> Preset:
        """The same preset with its start phase at rest."""
        return preset.with_values(phase_random=0.0)

    def read(self, source: Path | bytes) -> Preset:
        """A preset from its file or bytes. Raises PresetError."""
        try:
            data: Any = json.loads(source if isinstance(source, bytes) else Path(source).read_bytes())
            if not isinstance(data, dict) or cast(dict[str, Any], data).get("format") != _FORMAT:
                raise PresetError(f"not a toy preset: it does not say format {_FORMAT!r}")
            found = cast(dict[str, Any], data)
            routes = tuple(Route(**route) for route in found["routes"])
            preset = Preset(self.name, found["values"], name=found["name"], routes=routes, blocks=found["blocks"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise PresetError(f"not a toy preset: {error!r}") from error
        check_toy(preset)
        return preset

    def write(self, preset: Preset) -> bytes:
        """The preset as JSON. Raises PresetError."""
        check_toy(preset)
        state = {
            "format": _FORMAT,
            "name": preset.name,
            "values": dict(preset.values),
            "routes": [asdict(route) for route in place_routes(preset.routes, SLOTS)],
            "blocks": dict(preset.blocks),
        }
        return json.dumps(state, sort_keys=True).encode()


def check_toy(preset: Preset) -> None:
    """Passes presets that the toy can play. Raises PresetError."""
    if preset.synth != "toy":
        raise PresetError(f"preset is of synth {preset.synth!r}, not 'toy'")
    if not isinstance(preset.values, Mapping) or not isinstance(preset.blocks, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise PresetError("toy preset has no values or no blocks")
    ranges = {name: (low, high) for name, _, _, low, high, *_ in _PLAIN}
    for name, value in preset.values.items():
        low, high = ranges.get(name, (-1e9, 1e9))
        if not isinstance(value, int | float) or not low <= value <= high:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise PresetError(f"toy control {name} is {value!r}; its range is {low:g} to {high:g}")
    for route in place_routes(preset.routes, SLOTS):
        if not isinstance(route.amount, int | float) or not -1 <= route.amount <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise PresetError(f"toy route in slot {route.slot} has amount {route.amount!r}; give -1 to 1")
    found = preset.blocks.get("harmonics", ())
    if not isinstance(found, list | tuple) or not all(
        isinstance(strength, int | float) and math.isfinite(strength) for strength in cast(Sequence[object], found)
    ):
        raise PresetError(f"toy harmonics are {found!r}; give a list of finite numbers")


def _fault(kind: object) -> None:
    if kind == "nan":
        raise RenderError("the render is not finite; the preset asks for it")
    if kind == "crash":
        os.abort()
    if kind == "hang":
        time.sleep(3600.0)


def _slot(slot: int) -> list[Parameter]:
    ends: tuple[tuple[Field, tuple[str, ...]], ...] = (("source", ("", *SOURCES)), ("destination", ("", *DESTINATIONS)))
    found = [
        Parameter(
            f"modulation_{slot}_{field}",
            "modulations",
            "choice",
            0,
            len(names) - 1,
            0,
            "indexed",
            names,
            slot=slot,
            field=field,
        )
        for field, names in ends
    ]
    amount = Parameter(f"modulation_{slot}_amount", "modulations", "continuous", -1, 1, 0, slot=slot, field="amount")
    bipolar = Parameter(
        f"modulation_{slot}_bipolar", "modulations", "toggle", 0, 1, 0, "indexed", slot=slot, field="bipolar"
    )
    return [*found, amount, bipolar]


def _envelope(value: Mapping[str, float], note: Note, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear attack, exponential decay to the sustain level, exponential release from wherever key-up finds it."""
    attack, decay, release = (math.exp2(value[name]) for name in ("attack", "decay", "release"))
    sustain = value["sustain"]

    def held(at: NDArray[np.float64]) -> NDArray[np.float64]:
        falling = sustain + (1.0 - sustain) * np.exp(-3.0 * np.maximum(at - attack, 0.0) / decay)
        level: NDArray[np.float64] = np.where(at < attack, at / attack, falling)
        return level

    level = held(np.minimum(times, note.hold))
    falling: NDArray[np.float64] = level * np.exp(-5.0 * np.maximum(times - note.hold, 0.0) / release)
    return falling


def _moved(
    preset: Preset, value: Mapping[str, float], note: Note, times: NDArray[np.float64], envelope: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """How far the routes move each destination, in shares of its range."""
    sources = {
        "envelope": envelope,
        "wobble": 0.5 + 0.5 * np.sin(2.0 * np.pi * 2.0 ** value["wobble_rate"] * times),
        "velocity": np.full_like(times, note.velocity),
    }
    moved = {destination: np.zeros_like(times) for destination in DESTINATIONS}
    for route in preset.routes:
        if not route.bypass and route.source in sources and route.destination in moved:
            signal = sources[route.source]
            moved[route.destination] += route.amount * (2.0 * signal - 1.0 if route.bipolar else signal)
    return moved


def _harmonics(preset: Preset, wave: str, highest_hz: float, sample_rate: int) -> list[float]:
    """Strengths of the harmonics of a wave, as many as stay below half the sample rate; at most 24."""
    count = min(max(int(0.5 * sample_rate / max(highest_hz, 1.0)), 1), 24)
    if wave == "sine":
        return [1.0]
    if wave == "drawn":
        return [float(strength) for strength in preset.blocks.get("harmonics", ())][:count]
    if wave == "saw":
        return [0.6 / number for number in range(1, count + 1)]
    return [0.9 / number if number % 2 else 0.0 for number in range(1, count + 1)]


def _low_pass(frequency: NDArray[np.float64], cutoff_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain of a 12 dB/octave slope."""
    ratio = frequency / cutoff_hz
    gain: NDArray[np.float64] = 1.0 / (1.0 + ratio * ratio)
    return gain
