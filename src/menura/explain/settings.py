"""What a preset does, in words: the settings that differ from the initial patch. Knows no page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from menura.preset import Preset
from menura.space import Parameter


@dataclass(frozen=True, slots=True)
class Setting:
    """One control in readable units."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """Settings that belong together, and the contour that one of them draws."""

    title: str
    rows: tuple[Setting, ...]
    shape: Sequence[tuple[float, float]] = ()
    """Points (0 to 1, 0 to 1), 1 at the top."""


def settings_that_matter(preset: Preset, initial: Preset) -> list[SettingGroup]:
    """The preset's differences from the initial patch, grouped, in the order of the sound's way.

    Controls of a part that is switched off, and contours that move nothing, are left out.
    """
    if preset.synth == "vital":
        from menura.explain.vital_words import vital_settings

        return vital_settings(preset, initial)
    if preset.synth == "dx7":
        from menura.explain.dx7_words import dx7_settings

        return dx7_settings(preset, initial)
    rows = [
        Setting(name.replace("_", " ").capitalize(), f"{value:.3g}")
        for name, value in preset.values.items()
        if not same(value, initial.values.get(name))
    ]
    groups = [SettingGroup("Controls", tuple(rows))] if rows else []
    routes = [Setting(f"{route.source} → {route.destination}", f"{route.amount:+.0%}") for route in preset.routes]
    return [*groups, SettingGroup("Routes", tuple(routes))] if routes else groups


def shown_control(synth: str, parameter: Parameter, value: float) -> tuple[str, str]:
    """A control's name and value as people read them."""
    label = parameter.name.replace("_", " ").capitalize()
    if synth == "vital":
        from menura.explain.vital_words import readable
        from menura.synths.vital.controls import controls

        control = controls()[parameter.name]
        return control.label or label, readable(control, value)
    if synth == "dx7":
        from menura.synths.dx7.controls import control_of

        return label, control_of(parameter.name).shown(value)
    from menura.explain.plain_vocabulary import shown_value

    return label, shown_value(parameter, value)


def shown_synth(name: str) -> str:
    """A synth's name as people write it."""
    if name.startswith("plugin:"):
        return name.removeprefix("plugin:").rstrip("/").rsplit("/", 1)[-1]
    return name.upper() if name == "dx7" else name.replace("-", " ").title()


def same(value: float, other: float | None) -> bool:
    """Equal within what a file's rounding does."""
    return other is not None and abs(value - other) <= 1e-5 * max(1.0, abs(value))
