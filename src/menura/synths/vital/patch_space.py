"""Vital's space for estimators: its controls, and the stock tables and plain shapes as choices.

A preset says which table an oscillator plays by holding the table. Here that is a parameter like any other, so that one
vector says all of a patch of stock parts: the patches of the track `knobs`, and those of the priors. Knows no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from numpy.typing import ArrayLike

from menura.preset import Preset
from menura.space import Parameter, ParameterSpace, Vector
from menura.synths.patches import PatchSpace
from menura.synths.vital.init import initial, with_settings
from menura.synths.vital.shapes import plain_shape, shape_names
from menura.synths.vital.sounding import part_of
from menura.synths.vital.space import vital_space
from menura.synths.vital.stock import stock_table, table_names

SLOTS = 16
"""Modulation slots of the space: of the patches that the human prior draws, one in a hundred has more routes."""
INIT_TABLE = "Init"
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "osc": tuple(f"osc_{number}" for number in range(1, 4)),
    # The first envelope is wired to the level of every voice.
    "env": tuple(f"env_{number}" for number in range(2, 7)),
    "lfo": tuple(f"lfo_{number}" for number in range(1, 9)),
    "macro_control": tuple(f"macro_control_{number}" for number in range(1, 5)),
}
_TABLES = tuple(f"osc_{number}_table" for number in range(1, 4))
_SHAPES = tuple(f"lfo_{number}_shape" for number in range(1, 9))


@cache
def vital_patch_space() -> PatchSpace:
    """The space with its parts and families."""
    plain = vital_space(SLOTS).lock("random_lfos").parameters
    tables = [_choice(name, "oscillators", _table_choices()) for name in _TABLES]
    shapes = [_choice(name, "lfos", tuple(shape_names())) for name in _SHAPES]
    return PatchSpace(VitalPatchSpace("vital", [*plain, *tables, *shapes]), part_of, FAMILIES)


class VitalPatchSpace(ParameterSpace):
    """A `ParameterSpace` of which some parameters are blocks.

    A table or shape that is none of the choices counts as the first one, the initial patch's, and stays as it is as
    long as the vector says nothing else: all laws of the space hold for presets of stock parts.
    """

    def encode(self, preset: Preset) -> Vector:
        """As `ParameterSpace.encode`."""
        return super().encode(preset if preset.synth != self.synth else _with_places(preset))

    def decode(self, vector: ArrayLike, onto: Preset) -> Preset:
        """As `ParameterSpace.decode`."""
        if onto.synth != self.synth:
            return super().decode(vector, onto)
        before = _with_places(onto)
        found = super().decode(vector, before)
        if found is before:
            return onto
        values = {name: value for name, value in found.values.items() if name not in _names()}
        changed = {name: round(found.values[name]) for name in _names() if found.values[name] != before.values[name]}
        decoded = replace(found, values=values)
        if not changed:
            return decoded
        settings: Mapping[str, Any] = onto.blocks["settings"]
        tables, lines = list(settings["wavetables"]), list(settings["lfos"])
        for number, name in enumerate(_TABLES):
            if name in changed:
                tables[number] = _table(_table_choices()[changed[name]])
        for number, name in enumerate(_SHAPES):
            if name in changed:
                lines[number] = plain_shape(shape_names()[changed[name]])
        return with_settings(decoded, wavetables=tables, lfos=lines)

    def _with(self, parameters: Iterable[Parameter]) -> ParameterSpace:
        return VitalPatchSpace(self.synth, parameters, slots=self.slots)


@cache
def _names() -> tuple[str, ...]:
    return (*_TABLES, *_SHAPES)


@cache
def _table_choices() -> tuple[str, ...]:
    return (INIT_TABLE, *table_names())


@cache
def _table(name: str) -> dict[str, Any]:
    return initial().blocks["settings"]["wavetables"][0] if name == INIT_TABLE else stock_table(name).block()


def _choice(name: str, group: str, names: tuple[str, ...]) -> Parameter:
    return Parameter(name, group, "choice", 0.0, len(names) - 1.0, 0.0, "indexed", names)


def _with_places(preset: Preset) -> Preset:
    """The preset with the places of its tables and shapes among its values."""
    settings: Mapping[str, Any] = preset.blocks["settings"]
    known_tables = {name: place for place, name in enumerate(_table_choices())}
    known_shapes = {str(plain_shape(name)["name"]): place for place, name in enumerate(shape_names())}
    tables = (str(block.get("name", "")) for block in settings["wavetables"])
    shapes = (str(block.get("name", "")) for block in settings["lfos"])
    found = {
        **dict(zip(_TABLES, (float(known_tables.get(name, 0)) for name in tables), strict=False)),
        **dict(zip(_SHAPES, (float(known_shapes.get(name, 0)) for name in shapes), strict=False)),
    }
    return replace(preset, values={**preset.values, **found})
