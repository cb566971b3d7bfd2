"""What a proxy of Vital sees beside the knobs: the stock table nearest to each oscillator's, and each LFO's shape."""

from __future__ import annotations

from functools import cache

import numpy as np
from human_columns import nearest_table
from numpy.typing import NDArray

from menura.datasets.vital_prior import INIT_TABLE, stand_in_shapes, stand_in_tables
from menura.preset import Preset
from menura.space import Parameter, ParameterSpace
from menura.synths.vital.init import initial
from menura.synths.vital.shapes import nearest_shape
from menura.training.rows import Further

OSCILLATORS, LFOS = 3, 8


@cache
def further() -> Further:
    """Choices of the table of each oscillator and of the shape of each LFO."""
    tables, shapes = stand_in_tables(), stand_in_shapes()
    parameters = [_choice(f"osc_{number}_table", tables) for number in range(1, OSCILLATORS + 1)]
    parameters += [_choice(f"lfo_{number}_shape", shapes) for number in range(1, LFOS + 1)]
    return Further(ParameterSpace("vital", parameters), coordinates)


def coordinates(preset: Preset) -> NDArray[np.float32]:
    """Of the tables, then of the shapes, shape (OSCILLATORS + LFOS,)."""
    settings = preset.blocks["settings"]
    names, shapes = stand_in_tables(), stand_in_shapes()
    places = [preset.values.get(f"osc_{number}_wave_frame", 0.0) for number in range(1, OSCILLATORS + 1)]
    found = [
        names.index(_table(table, place)) / (len(names) - 1)
        for table, place in zip(settings["wavetables"], places, strict=True)
    ]
    return np.array(
        [*found, *(shapes.index(nearest_shape(line)) / (len(shapes) - 1) for line in settings["lfos"])],
        dtype=np.float32,
    )


def _table(table: dict[str, object], place: float) -> str:
    # Stock tables bear their names; looking at each wave of the others takes a thousand times as long.
    if table.get("author") == "menura" and table["name"] in stand_in_tables():
        return str(table["name"])
    if table == _initial():
        return INIT_TABLE
    return nearest_table(table, place)


@cache
def _initial() -> object:
    return initial().blocks["settings"]["wavetables"][0]


def _choice(name: str, choices: tuple[str, ...]) -> Parameter:
    return Parameter(name, "blocks", "choice", 0.0, len(choices) - 1.0, 0.0, "indexed", choices)
