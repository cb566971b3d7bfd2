"""Vital's parameter space: every control that makes sound, in groups, from the engine's own table.

Left out, each for a reason (`LEFT_OUT`): what is only drawn, what a player moves, what has no order
that a vector could follow, and what would only make a render slower.
"""

from __future__ import annotations

import re
from functools import cache

from menura.space import Field, Kind, Parameter, ParameterSpace
from menura.synths.vital.controls import SLOT_FIELDS, SLOTS, Control, controls, destinations, sources

GROUPS = (
    "oscillators",
    "sampler",
    "filters",
    "envelopes",
    "lfos",
    "random_lfos",
    "modulations",
    "effects",
    "macros",
    "voice",
)
"""The groups, in the order of the coordinates."""

LEFT_OUT = {
    r"osc_\d_view_2d|view_spectrogram": "only drawn: how a picture is shown",
    r"oversampling": "a quality setting: it changes the cost more than the sound",
    r"mpe_enabled": "how a controller is read",
    r"mod_wheel|pitch_wheel": "moved by the player; a note has them at rest",
    r"bypass": "switches the whole synth off",
    r"effect_chain_order": "one number for each of 362,880 orders: neighbours share nothing",
    r".*_transpose_quantize": "a bit mask of keys: neighbours share nothing",
}
"""Controls outside of the space: a pattern of names, and why."""

_GROUP_OF = (
    (r"osc_\d_", "oscillators"),
    (r"sample_", "sampler"),
    (r"filter_\d_", "filters"),
    (r"env_\d_", "envelopes"),
    (r"lfo_\d_", "lfos"),
    (r"random_\d_", "random_lfos"),
    (r"modulation_\d+_", "modulations"),
    (r"(chorus|compressor|delay|distortion|eq|filter_fx|flanger|phaser|reverb)_", "effects"),
    (r"macro_control_\d", "macros"),
)


@cache
def vital_space(slots: int = SLOTS) -> ParameterSpace:
    """The space of Vital's presets.

    Args:
        slots: how many of the 64 modulation slots are in it, from the first.

    Raises:
        SpaceError: never for the packaged table; a test holds it to the engine's.
    """
    plain = [_parameter(control) for control in controls().values() if _wanted(control.name)]
    routes = [parameter for slot in range(1, slots + 1) for parameter in _slot(slot)]
    order = {group: number for number, group in enumerate(GROUPS)}
    return ParameterSpace("vital", sorted([*plain, *routes], key=lambda parameter: order[parameter.group]), slots=SLOTS)


def group_of(name: str) -> str:
    """The group of a control by its name; what is none of the others belongs to the voice."""
    return next((group for pattern, group in _GROUP_OF if re.match(pattern, name)), "voice")


def _wanted(name: str) -> bool:
    return not name.startswith("modulation_") and not any(re.fullmatch(pattern, name) for pattern in LEFT_OUT)


def _parameter(control: Control) -> Parameter:
    count = round(control.high - control.low) + 1
    named = len(control.choices) == count
    # An engine's name list that is too short leaves the last positions without names.
    choices = control.choices if named else (*control.choices, *(str(n) for n in range(len(control.choices), count)))
    kind: Kind = "continuous"
    if control.indexed and count == 2:
        kind = "toggle"
    elif control.indexed and control.choices and not _ordered(control.name):
        kind = "choice"
    return Parameter(
        control.name,
        group_of(control.name),
        kind,
        control.low,
        control.high,
        control.default,
        control.scale,
        choices if control.indexed and (named or kind == "choice") else (),
        control.units,
    )


def _ordered(name: str) -> bool:
    """True for named positions that are a scale: tempos run from slow to fast."""
    return name.endswith("_tempo")


def _slot(slot: int) -> list[Parameter]:
    ends: tuple[tuple[Field, tuple[str, ...]], ...] = (
        ("source", ("", *sources())),
        ("destination", ("", *destinations())),
    )
    found = [
        Parameter(
            f"modulation_{slot}_{field}",
            "modulations",
            "choice",
            0.0,
            len(names) - 1.0,
            0.0,
            "indexed",
            names,
            slot=slot,
            field=field,
        )
        for field, names in ends
    ]
    for field in SLOT_FIELDS:
        control = controls()[f"modulation_{slot}_{field}"]
        kind: Kind = "toggle" if control.indexed else "continuous"
        found.append(
            Parameter(
                control.name,
                "modulations",
                kind,
                control.low,
                control.high,
                control.default,
                control.scale,
                slot=slot,
                field=field,
            )
        )
    return found
