"""Vital as a `Synth`: reads, writes, freezes and renders its presets; each render on a fresh engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from menura.audio import Audio
from menura.errors import PresetError
from menura.note import Note
from menura.preset import Preset, Route
from menura.space import ParameterSpace
from menura.synths.vital.controls import controls, engine_version
from menura.synths.vital.engine import Engine
from menura.synths.vital.format import read_vital, write_vital
from menura.synths.vital.init import initial
from menura.synths.vital.sounding import sounding_names

if TYPE_CHECKING:
    from menura.synths.vital.player import VitalPlayer

_CHANCE = frozenset({"random", "random_1", "random_2", "random_3", "random_4"})
_PHASES = tuple(f"osc_{number}_random_phase" for number in (1, 2, 3))
_BLOCKS = {"lfos": "lfos", "sample": "sampler", "wavetables": "oscillators"}
"""Of the file's blocks: the group of controls that each goes with."""
_NOTE = Note()
_SILENT = Note(pitch=60.0, velocity=0.8, hold=0.001, total=0.4)
_LONGEST_DELAY = controls()["env_1_delay"].high


class Vital:
    """The spectral warping wavetable synth Vital, played by its headless engine."""

    name = "vital"
    version = engine_version()
    suffix = ".vital"

    @cached_property
    def space(self) -> ParameterSpace:
        """Every control that can be predicted or searched, see `space`."""
        from menura.synths.vital.space import vital_space

        return vital_space()

    def init(self) -> Preset:
        """The initial patch: one saw."""
        return initial()

    def render(self, preset: Preset, note: Note = _NOTE, *, sample_rate: int = 44_100, settled: bool = False) -> Audio:
        """The sound of a preset on a fresh engine, shape (2, round(note.total * sample_rate)).

        Args:
            preset: what is played.
            note: how it is played.
            sample_rate: Hz.
            settled: let the engine run before the note until its controls have glided from their defaults
                to the preset's, as they have in a plug-in that is open for a second. A fresh engine glides
                for a quarter of a second while the note sounds already (docs/decisions/011-engine-hygiene.md).

        Raises:
            PresetError: the preset would crash the engine.
            RenderError: the engine refused or gave no finite sound.
            EngineError: the engine is missing.
        """
        document = write_vital(preset, for_engine=True)
        engine = Engine()
        if settled:
            engine.load(write_vital(preset.with_values(env_1_delay=_LONGEST_DELAY), for_engine=True))
            # Two notes, so that the one that counts is played by the same lane of voices as on a fresh engine.
            for _ in range(2):
                engine.play(_SILENT, sample_rate, tune=0.0)
        engine.load(document)
        sound = engine.play(note, sample_rate, tune=float(preset.values.get("voice_tune", 0.0)))
        return Audio(sound, sample_rate)

    def player(self, mode: str) -> VitalPlayer:
        """What a worker of the pool renders with; `mode` is "exact" or "fast"."""
        from menura.synths.vital.player import VitalPlayer

        return VitalPlayer(mode)

    def sounding(self, preset: Preset, names: Iterable[str]) -> list[str]:
        """Of these controls, those whose part takes part in the preset's sound, in their order."""
        return sounding_names(preset, names)

    def with_blocks(self, preset: Preset, other: Preset, groups: Iterable[str]) -> Preset:
        """The preset with what another one loads in these groups: wavetables, shapes of LFOs, the sampler's sound."""
        theirs = {block: other.blocks["settings"][block] for block, group in _BLOCKS.items() if group in set(groups)}
        return replace(preset, blocks={**preset.blocks, "settings": {**preset.blocks["settings"], **theirs}})

    def freeze(self, preset: Preset) -> Preset:
        """The same preset without chance, so that every render is alike.

        Random start phases of oscillators and sampler are off, routes from random sources and into
        random phases are bypassed, and audio-file tables without a seed of their own get one.
        """
        values = {**preset.values, **dict.fromkeys(_PHASES, 0.0), "sample_random_phase": 0.0}
        routes = tuple(replace(route, bypass=True) if _is_chance(route) else route for route in preset.routes)
        return replace(preset, values=values, routes=routes, blocks=_seeded(preset.blocks))

    def read(self, source: Path | bytes) -> Preset:
        """A preset from its file or bytes.

        Raises:
            PresetError: it cannot be read, is broken, or would crash the engine.
        """
        if isinstance(source, bytes):
            return read_vital(source)
        path = Path(source)
        try:
            preset = read_vital(path.read_bytes())
        except OSError as error:
            raise PresetError(f"{path} cannot be read ({error.strerror or error}); give a .vital file") from error
        except PresetError as error:
            raise PresetError(f"{path}: {error}") from error
        return replace(preset, origin={"file": path.name})

    def write(self, preset: Preset) -> bytes:
        """The preset as a `.vital` file that Vital opens. Raises PresetError."""
        return write_vital(preset)


def _is_chance(route: Route) -> bool:
    return route.source in _CHANCE or route.destination in _PHASES


def _seeded(blocks: Mapping[str, Any]) -> Mapping[str, Any]:
    """The blocks with a `random_seed` in every audio-file component that has none; the same object if all do."""

    def bare(component: Mapping[str, Any]) -> bool:
        return component.get("type") == "Audio File Source" and "random_seed" not in component

    settings = blocks.get("settings", {})
    tables = settings.get("wavetables", [])
    if not any(bare(part) for table in tables for group in table["groups"] for part in group["components"]):
        return blocks
    seeded = [
        {
            **table,
            "groups": [
                {
                    **group,
                    "components": [{**part, "random_seed": 0} if bare(part) else part for part in group["components"]],
                }
                for group in table["groups"]
            ],
        }
        for table in tables
    ]
    return {**blocks, "settings": {**settings, "wavetables": seeded}}
