"""The tutorial as data: steps that a machine executes from the initial patch. Knows no synth's words, no sound.

A tutorial is true by construction: its steps hold the edits themselves, and `execute` arrives at the preset's state.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from menura.errors import PresetError
from menura.explain.edits import Edit, applied, of_json, to_json
from menura.note import Note
from menura.preset import Preset

FORMAT = "menura-tutorial-1"
SWITCH = "Switch"
"""Name of a change that turns its module on or off."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One quantity that a step moved."""

    quantity: str
    """As in `measuring.Sound`."""
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What a step did to the sound, measured on its render against that of the step before."""

    difference_db: float
    """Mean distance of the two spectrograms."""
    audible: bool
    """False within the noise floor: what follows builds on the step."""
    shifts: tuple[Shift, ...] = ()
    """What moved by more than one notices, the largest first."""


@dataclass(frozen=True, slots=True)
class Change:
    """One edit and how the synth itself names it."""

    edit: Edit
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is done in one go."""

    heading: str
    """Part of the tutorial, a key of `texts.HEADINGS`, or the synth's own word."""
    title: str
    changes: tuple[Change, ...]
    why: str = ""
    effect: Effect | None = None
    """None where it was not measured: the step is not heard, or could not be played."""


@dataclass(frozen=True, slots=True)
class Tutorial:
    """The way from a synth's initial patch to a preset."""

    synth: str
    version: str
    """Of the engine that was listened to."""
    name: str
    """Of the preset."""
    initial: Preset
    preset_id: str
    """What `execute` arrives at."""
    note: Note
    """What was played to measure."""
    steps: tuple[Step, ...]
    also: tuple[Step, ...] = ()
    """What is set too, and not heard with this note; by module."""
    noise_floor_db: float = 0.0
    """Differences up to it are none."""

    @property
    def all_steps(self) -> Iterator[Step]:
        """The steps, then what is set too."""
        yield from self.steps
        yield from self.also


def execute(tutorial: Tutorial) -> Preset:
    """Does every step, from the initial patch on.

    Raises:
        PresetError: the steps do not arrive at the preset that the tutorial was written for.
    """
    edits = (change.edit for step in tutorial.all_steps for change in step.changes)
    preset = replace(applied(tutorial.initial, edits), name=tutorial.name)
    if preset.id != tutorial.preset_id:
        raise PresetError("the tutorial does not arrive at its preset; it was changed, or is of another version")
    return preset


def document(tutorial: Tutorial) -> dict[str, Any]:
    """The tutorial as a JSON object, contents included."""
    return {
        "format": FORMAT,
        "synth": tutorial.synth,
        "version": tutorial.version,
        "name": tutorial.name,
        "preset_id": tutorial.preset_id,
        "initial_id": tutorial.initial.id,
        "note": asdict(tutorial.note),
        "noise_floor_db": tutorial.noise_floor_db,
        "steps": [_step_json(step) for step in tutorial.steps],
        "also": [_step_json(step) for step in tutorial.also],
    }


def tutorial_of(data: Mapping[str, Any], initial: Preset) -> Tutorial:
    """The tutorial of a JSON object.

    Args:
        data: as `document` makes it.
        initial: the synth's initial patch, which such objects only name.

    Raises:
        PresetError: it is none, or begins at another initial patch.
    """
    if data.get("format") != FORMAT:
        raise PresetError(f"not a tutorial: it does not say format {FORMAT!r}")
    if data.get("initial_id") != initial.id:
        raise PresetError(f"the tutorial begins at another initial patch of {data.get('synth')}; write it anew")
    try:
        return Tutorial(
            synth=data["synth"],
            version=data["version"],
            name=data["name"],
            initial=initial,
            preset_id=data["preset_id"],
            note=Note(**data["note"]),
            steps=tuple(map(_step_of, data["steps"])),
            also=tuple(map(_step_of, data["also"])),
            noise_floor_db=data["noise_floor_db"],
        )
    except (KeyError, TypeError) as error:
        raise PresetError(f"the tutorial is broken ({error!r}); write it anew") from error


def _step_json(step: Step) -> dict[str, Any]:
    changes = [{"name": one.name, "value": one.value, "edit": to_json(one.edit)} for one in step.changes]
    effect: dict[str, Any] | None = None
    if step.effect is not None:
        # JSON knows no infinity: the level of silence is null.
        shifts = [
            {"quantity": one.quantity, "before": _finite(one.before), "after": _finite(one.after)}
            for one in step.effect.shifts
        ]
        effect = {"difference_db": step.effect.difference_db, "audible": step.effect.audible, "shifts": shifts}
    return {"heading": step.heading, "title": step.title, "why": step.why, "changes": changes, "effect": effect}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _step_of(data: Mapping[str, Any]) -> Step:
    effect = data["effect"]
    if effect is not None:
        shifts = tuple(
            Shift(one["quantity"], *(-math.inf if one[end] is None else one[end] for end in ("before", "after")))
            for one in effect["shifts"]
        )
        effect = Effect(effect["difference_db"], effect["audible"], shifts)
    changes = tuple(Change(of_json(one["edit"]), one["name"], one["value"]) for one in data["changes"])
    return Step(data["heading"], data["title"], changes, data["why"], effect)
