"""A matched preset with macros turned and controls set, as a listener asks for it. Knows no HTTP and no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from menura.errors import InputError
from menura.preset import Preset
from menura.synths.base import Synth
from menura.synths.macros import macros_of, turned


def varied(synth: Synth, path: Path, macros: Mapping[str, float], controls: Mapping[str, float]) -> Preset:
    """The preset of a file, macros turned first, then single controls set.

    Args:
        synth: reads it.
        path: its file.
        macros: macro to amount, -1 to 1.
        controls: control to its place in its range, 0 to 1.

    Raises:
        InputError: a macro or a control is unknown, or its amount out of range.
    """
    preset = turned(synth.read(path.read_bytes()), macros)
    space = synth.space
    for name, place in controls.items():
        if name not in space:
            raise InputError(f"{synth.name} has no control called {name!r}; see the controls of this match")
        if not 0.0 <= place <= 1.0:
            raise InputError(f"control {name} is {place}; give 0 to 1")
    if not controls:
        return preset
    vector = space.encode(preset).copy()
    for name, place in controls.items():
        vector[space.index(name)] = place
    return space.decode(vector, preset)


def as_file(
    synth: Synth, preset: Preset, path: Path, macros: Mapping[str, float], controls: Mapping[str, float]
) -> bytes:
    """The preset's file: the matched one as it is, a varied one with a comment that says how."""
    if not macros and not controls:
        return path.read_bytes()
    turns = [f"{name} {amount:+.2f}" for name, amount in macros.items() if amount]
    turns += [f"{name} at {place:.3f}" for name, place in controls.items()]
    if synth.name == "vital":
        comment = f"{preset.blocks.get('comments', '')} Turned by hand: {', '.join(turns)}.".strip()
        preset = replace(preset, name=f"{preset.name} turned", blocks={**preset.blocks, "comments": comment})
    return synth.write(preset)


def macro_rows(synth: str) -> list[dict[str, str]]:
    """What a page says of each macro of a synth."""
    return [{"name": m.name, "more": m.more, "less": m.less, "hint": m.hint} for m in macros_of(synth)]


def control_rows(synth: Synth, preset: Preset) -> list[dict[str, Any]]:
    """Every control of a preset that is no modulation slot: its range, its place in it, and what the synth shows."""
    from menura.explain.settings import shown_control

    initial = synth.space.encode(synth.init())
    rows: list[dict[str, Any]] = []
    for number, row in enumerate(synth.space.describe(preset)):
        if row["slot"]:
            continue
        parameter = synth.space.parameters[number]
        value = parameter.low + row["coordinate"] * (parameter.high - parameter.low)
        label, text = shown_control(synth.name, parameter, value)
        rows.append(
            {
                "name": parameter.name,
                "label": label,
                "group": parameter.group,
                "kind": parameter.kind,
                "steps": parameter.steps,
                "choices": list(parameter.choices),
                "place": row["coordinate"],
                "initial": float(initial[number]),
                "text": text,
            }
        )
    return rows
