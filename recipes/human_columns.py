"""Vital presets as rows of columns, for `recipes/human_prior.py`: what is counted, and what stands for the rest.

A value is absent where it changes nothing that is heard: that of a part that is off, or of an LFO that moves nothing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.datasets.exclusions import drawn_space, is_absent, is_excluded
from menura.datasets.vital_prior import AMOUNT, INIT_TABLE, stand_in_shapes, stand_in_tables
from menura.preset import Preset, Route
from menura.space import ParameterSpace
from menura.synths.vital.init import FRAME, initial
from menura.synths.vital.shapes import curve, nearest_shape
from menura.synths.vital.sounding import VOICE, part_of, sounding_parts
from menura.synths.vital.space import vital_space
from menura.synths.vital.stock import HARMONICS, POSITIONS, stock_table

_PLACES = np.linspace(0.0, POSITIONS - 1.0, 33)
"""Positions at which tables are compared."""
_EDGES = np.unique(np.round(np.geomspace(1.0, HARMONICS + 1, 33)).astype(int))
"""Bands of harmonics, narrow below, wide above."""
_AT_WORK = 0.6
"""Weight of the position at which a table is played."""


@dataclass(frozen=True, slots=True)
class Row:
    """One preset."""

    values: Mapping[str, float]
    """Column to value; what is absent is not in it."""
    parts: frozenset[str]
    """What is heard."""
    routes: Mapping[str, Route] = field(default_factory=dict[str, Route])
    """``source>destination`` to the first such route."""


@cache
def control_space() -> ParameterSpace:
    """The controls that the prior draws; no slots."""
    space = drawn_space(vital_space())
    return space.lock(*(parameter.name for parameter in space.parameters if parameter.slot))


def row_of(preset: Preset) -> Row:
    """What is counted of a preset."""
    routes: dict[str, Route] = {}
    for route in preset.routes:
        if route.connected and not route.bypass and not is_absent(route.source) and not is_excluded(route.destination):
            destination = re.sub(r"modulation_\d+_amount", AMOUNT, route.destination)
            routes.setdefault(f"{route.source}>{destination}", route)
    kept = {ends: route for ends, route in routes.items() if not route.destination.endswith("_power")}
    parts = sounding_parts(preset)
    space = control_space()
    coordinates = space.encode(preset)
    values = {
        name: float(coordinate)
        for name, coordinate in zip(space.names, coordinates, strict=True)
        if name.endswith("_on") or part_of(name) in parts
    }
    settings = preset.blocks["settings"]
    for number, table in enumerate(settings["wavetables"], 1):
        if f"osc_{number}" in parts:
            position = preset.values.get(f"osc_{number}_wave_frame", 0.0)
            values[f"table:osc_{number}"] = float(stand_in_tables().index(nearest_table(table, position)))
    for number, line in enumerate(settings["lfos"], 1):
        if f"lfo_{number}" in parts:
            values[f"shape:lfo_{number}"] = float(stand_in_shapes().index(nearest_shape(line)))
    return Row(values, frozenset(parts), kept)


def is_observed(ends: str, row: Row) -> bool:
    """True where a route of these ends would be heard: its destination is."""
    part = part_of(ends.partition(">")[2])
    return part in (VOICE, "modulation") or part in row.parts


def nearest_table(table: Mapping[str, Any], position: float) -> str:
    """The stock table that sounds most like a wavetable, above all where that is played."""
    found = _bands(_spectra(table, np.array([position, *_PLACES[::8]])))
    place = int(np.argmin(np.abs(_PLACES - position)))
    rows = [place, *range(0, len(_PLACES), 8)]
    weights = np.array([_AT_WORK, *([(1.0 - _AT_WORK) / (len(rows) - 1)] * (len(rows) - 1))])

    def distance(name: str) -> float:
        return float(weights @ np.abs(_stand_in(name)[rows] - found).mean(axis=1))

    return min(stand_in_tables(), key=distance)


@cache
def _stand_in(name: str) -> NDArray[np.float64]:
    if name == INIT_TABLE:
        return _bands(_spectra(initial().blocks["settings"]["wavetables"][0], _PLACES))
    spectra = stock_table(name).spectra
    return _bands(_between(spectra, np.linspace(0.0, POSITIONS - 1.0, len(spectra)), _PLACES))


def _bands(spectra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power in bands of harmonics, dB below the strongest, no lower than -60; shape (n, bands)."""
    power = np.add.reduceat(spectra**2, _EDGES[:-1] - 1, axis=1)
    level = 10.0 * np.log10(power + 1e-12)
    return np.maximum(level - level.max(axis=1, keepdims=True), -60.0)


def _spectra(table: Mapping[str, Any], positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Amplitudes of the harmonics of a table's first source at these positions, shape (n, HARMONICS).

    What further components do to it (warp, fold, filter) is left out: a stand-in is near at best.
    """
    component = table["groups"][0]["components"][0]
    frames = sorted(((int(frame["position"]), frame) for frame in component["keyframes"]), key=lambda pair: pair[0])
    at = np.array([position for position, _ in frames], dtype=np.float64)
    waves = np.stack([_wave(component, frame) for _, frame in frames])
    spectra = np.abs(np.fft.rfft(waves, axis=1))[:, 1 : HARMONICS + 1] * (2.0 / FRAME)
    return _between(spectra, at, positions)


def _between(
    spectra: NDArray[np.float64], at: NDArray[np.float64], positions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Spectra of keyframes, shape (n, HARMONICS), at other positions."""
    return np.stack([np.interp(positions, at, column) for column in spectra.T], axis=1)


def _wave(component: Mapping[str, Any], frame: Mapping[str, Any]) -> NDArray[np.float64]:
    """One cycle, shape (FRAME,)."""
    if "wave_data" in frame:
        return np.frombuffer(base64.b64decode(frame["wave_data"]), "<f4").astype(np.float64)
    if "line" in frame:
        return curve(frame["line"], FRAME) * 2.0 - 1.0
    if "audio_file" in component:
        sound = np.frombuffer(base64.b64decode(component["audio_file"]), "<i2") / 32_768.0
        size, start = max(2.0, float(frame["window_size"])), float(frame["start_position"])
        return np.interp(start + np.arange(FRAME) * (size / FRAME), np.arange(len(sound)), sound)
    return np.sin(2.0 * np.pi * np.arange(FRAME) / FRAME)
