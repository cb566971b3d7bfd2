"""Other choices for a Vital patch, one at a time: tables, filters, routes. Owns what may be tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from menura.matching.idiom import Variant
from menura.preset import Preset, Route
from menura.synths.vital.init import with_settings
from menura.synths.vital.voice import OSCILLATORS, SOURCES, table_block

_OSCILLATOR_ROUTES = ("transpose", "wave_frame", "level", "tune")
_FILTER_STYLES = (0.0, 1.0)
_FILTER_MODELS = {0.0: "analog", 1.0: "dirty", 2.0: "ladder", 3.0: "digital", 4.0: "diode"}
# Spectral morphs that bend a spectrum without chance: vocode, formant, stretches, smear, low and high pass.
_MORPHS = {1.0: "vocode", 2.0: "formant", 3.0: "stretch", 4.0: "inharmonic", 5.0: "smear", 7.0: "low", 8.0: "high"}


def variants(preset: Preset, rng: np.random.Generator, n: int) -> list[Variant]:
    """At most n variants of a preset, each with one choice changed."""
    moves = [*_MOVES, *(_MOVES_TWICE * 2)]
    order = rng.permutation(len(moves))
    found: list[Variant] = []
    for index in range(n):
        move: _Move = moves[int(order[index % len(moves)])]
        variant = move(preset, rng)
        if variant is not None:
            found.append(variant)
    return found


def _another_table(preset: Preset, rng: np.random.Generator) -> Variant | None:
    number = int(rng.choice(_playing(preset)))
    name, transpose = SOURCES[int(rng.integers(len(SOURCES)))]
    tables = list(preset.blocks["settings"]["wavetables"])
    before = tables[number - 1].get("name", "")
    tables[number - 1] = table_block(name)
    tuned = _own_transpose(preset, number)
    values = {f"osc_{number}_transpose": float(np.clip(transpose + tuned, -48, 48))}
    if name != before:
        values[f"osc_{number}_wave_frame"] = float(rng.uniform(0.0, 256.0))
    return with_settings(preset, wavetables=tables).with_values(**values), f"table:{name}"


def _own_transpose(preset: Preset, number: int) -> float:
    """What an oscillator is transposed by beside its table's own octave: the tuning of an unpitched target."""
    name = preset.blocks["settings"]["wavetables"][number - 1].get("name", "")
    here = preset.values.get(f"osc_{number}_transpose", 0.0)
    usual = [transpose for table, transpose in SOURCES if table == name] or [0]
    return min((here - octave for octave in usual), key=abs)


def _another_octave(preset: Preset, rng: np.random.Generator) -> Variant | None:
    number = int(rng.choice(_playing(preset)))
    step = float(rng.choice((-12.0, 12.0, 7.0, 19.0, 24.0)))
    moved = float(np.clip(preset.values.get(f"osc_{number}_transpose", 0.0) + step, -48.0, 48.0))
    return preset.with_values(**{f"osc_{number}_transpose": moved}), f"octave:{step:+.0f}"


def _one_more(preset: Preset, rng: np.random.Generator) -> Variant | None:
    silent = [n for n in OSCILLATORS if n not in _playing(preset)]
    if not silent:
        return None
    number = silent[0]
    level = float(rng.uniform(0.15, 0.5))
    started = preset.with_values(**{f"osc_{number}_on": 1.0, f"osc_{number}_level": level})
    return _another_table_of(started, number, rng)


def _another_table_of(preset: Preset, number: int, rng: np.random.Generator) -> Variant:
    name, transpose = SOURCES[int(rng.integers(len(SOURCES)))]
    tables = list(preset.blocks["settings"]["wavetables"])
    tables[number - 1] = table_block(name)
    playing = [n for n in _playing(preset) if n != number]
    tuned = _own_transpose(preset, playing[0]) if playing else 0.0
    tune = preset.values.get(f"osc_{playing[0]}_tune", 0.0) if playing else 0.0
    values = {
        f"osc_{number}_transpose": float(np.clip(transpose + tuned, -48, 48)),
        f"osc_{number}_tune": tune,
        f"osc_{number}_wave_frame": float(rng.uniform(0.0, 256.0)),
    }
    return with_settings(preset, wavetables=tables).with_values(**values), f"oscillator:{name}"


def _one_less(preset: Preset, rng: np.random.Generator) -> Variant | None:
    playing = _playing(preset)
    if len(playing) < 2:
        return None
    number = int(rng.choice(playing))
    return preset.with_values(**{f"osc_{number}_on": 0.0}), f"oscillator {number} off"


def _filter(preset: Preset, rng: np.random.Generator) -> Variant | None:
    number = int(rng.integers(1, 3))
    model = float(rng.choice(list(_FILTER_MODELS)))
    style = float(rng.choice(_FILTER_STYLES))
    changed = {f"filter_{number}_model": model, f"filter_{number}_style": style, f"filter_{number}_on": 1.0}
    return preset.with_values(**changed), f"filter {number}:{_FILTER_MODELS[model]} {'24' if style else '12'} dB"


def _through(preset: Preset, rng: np.random.Generator) -> Variant | None:
    """Lead an oscillator or the sampler elsewhere: filter 1, filter 2, or past both."""
    part = str(rng.choice([*(f"osc_{n}" for n in _playing(preset)), "sample"]))
    place = float(rng.choice((0.0, 1.0, 3.0)))
    return preset.with_values(**{f"{part}_destination": place}), f"{part} to {int(place)}"


def _unison(preset: Preset, rng: np.random.Generator) -> Variant | None:
    number = int(rng.choice(_playing(preset)))
    voices = float(rng.integers(2, 5))
    changed = {
        f"osc_{number}_unison_voices": voices,
        f"osc_{number}_unison_detune": float(rng.uniform(0.5, 4.0)),
        f"osc_{number}_stereo_spread": 0.0,
    }
    return preset.with_values(**changed), f"unison:{voices:.0f}"


def _morph(preset: Preset, rng: np.random.Generator) -> Variant | None:
    number = int(rng.choice(_playing(preset)))
    kind = float(rng.choice(list(_MORPHS)))
    changed = {
        f"osc_{number}_spectral_morph_type": kind,
        f"osc_{number}_spectral_morph_amount": float(np.clip(rng.normal(0.5, 0.15), 0.0, 1.0)),
    }
    return preset.with_values(**changed), f"morph:{_MORPHS[kind]}"


def _route(preset: Preset, rng: np.random.Generator) -> Variant | None:
    """A new route from a free envelope or LFO to something that sounds."""
    if len(preset.routes) >= 12:
        return None
    number = int(rng.choice(_playing(preset)))
    ends = [f"osc_{number}_{what}" for what in _OSCILLATOR_ROUTES]
    ends += ["filter_1_cutoff", "filter_2_cutoff", "filter_2_blend", "sample_level"]
    destination = str(rng.choice(ends))
    source = str(rng.choice(("env_6", "env_2", "env_3", "env_4", "env_5", "lfo_1")))
    if any((route.source, route.destination) == (source, destination) for route in preset.routes):
        return None
    scale = 0.06 if destination.endswith(("transpose", "tune")) else 0.25
    values: dict[str, float] = {}
    if source == "env_6" and not _used(preset, source):
        values = {
            "env_6_attack": 0.0,
            "env_6_decay": float(rng.uniform(0.25, 1.0)),
            "env_6_decay_power": float(rng.uniform(-12.0, -2.0)),
            "env_6_sustain": 0.0,
        }
    if source == "lfo_1" and not _used(preset, source):
        # A free rate in Hz as a power of two, restarted by each note: 3 to 8 Hz.
        values = {"lfo_1_sync": 0.0, "lfo_1_sync_type": 0.0, "lfo_1_frequency": float(rng.uniform(1.6, 3.0))}
    amount = float(np.clip(rng.normal(0.0, scale), -1.0, 1.0))
    if destination.endswith("tune"):
        amount *= 2.0
    added = Route(source, destination, amount, _free_slot(preset), bipolar=source == "lfo_1")
    return replace(preset.with_values(**values), routes=(*preset.routes, added)), f"route:{source}>{destination}"


def _pitch_drop(preset: Preset, rng: np.random.Generator) -> Variant | None:
    """All oscillators fall onto their pitch: drums, slaps, hard plucks."""
    if _used(preset, "env_6"):
        return None
    amount = float(rng.choice((-1.0, 1.0, 1.0)) * rng.uniform(0.01, 0.2))
    values = {
        "env_6_attack": 0.0,
        "env_6_decay": float(rng.uniform(0.2, 0.7)),
        "env_6_decay_power": float(rng.uniform(-12.0, -2.0)),
        "env_6_sustain": 0.0,
    }
    routes = list(preset.routes)
    changed = preset.with_values(**values)
    for number in _playing(preset):
        changed = replace(changed, routes=tuple(routes))
        routes.append(Route("env_6", f"osc_{number}_transpose", amount, _free_slot(changed)))
    return replace(changed, routes=tuple(routes)), "pitch envelope"


def _used(preset: Preset, source: str) -> bool:
    return any(route.source == source for route in preset.routes)


def _free_slot(preset: Preset) -> int:
    taken = {route.slot for route in preset.routes}
    return next(slot for slot in range(1, 65) if slot not in taken)


def _playing(preset: Preset) -> list[int]:
    """Oscillators that are on; the first where none is."""
    found = [n for n in OSCILLATORS if preset.values.get(f"osc_{n}_on", 0.0) >= 0.5]
    return found or [1]


_Move = Callable[[Preset, np.random.Generator], Variant | None]
_MOVES: tuple[_Move, ...] = (_another_octave, _one_less, _through, _unison, _morph, _pitch_drop, _one_more)
_MOVES_TWICE: tuple[_Move, ...] = (_another_table, _filter, _route)
