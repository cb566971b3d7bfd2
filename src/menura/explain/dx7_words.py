"""A DX7 voice in the instrument's own words: operator by operator, as its display says it. Knows no page."""

from __future__ import annotations

from menura.explain.settings import Setting, SettingGroup, same
from menura.preset import Preset
from menura.synths.dx7.algorithms import algorithm
from menura.synths.dx7.controls import OPERATORS, control_of


def dx7_settings(preset: Preset, initial: Preset) -> list[SettingGroup]:
    """What differs from the initial voice: the voice's own settings, then the operators that are turned up."""
    carriers = algorithm(int(preset.values["algorithm"]) + 1).carriers
    differing = {name: value for name, value in preset.values.items() if not same(value, initial.values.get(name))}
    voice = [name for name in differing if not name.startswith("op")]
    groups = [SettingGroup("Voice", tuple(_row(name, differing[name], "") for name in voice))] if voice else []
    for number in OPERATORS:
        prefix = f"op{number}_"
        if preset.values.get(f"{prefix}output_level", 0.0) <= 0.0:
            continue
        rows = tuple(_row(name, value, prefix) for name, value in differing.items() if name.startswith(prefix))
        role = "is heard" if number in carriers else "modulates"
        groups.append(SettingGroup(f"Operator {number} ({role})", rows))
    return groups


def _row(name: str, value: float, prefix: str) -> Setting:
    shown = control_of(name).shown(value)
    return Setting(name.removeprefix(prefix).replace("_", " ").capitalize(), shown)
