"""How an answer is built, as a page tells it: a tutorial's steps in words and values. Knows no HTTP and no engine."""

from __future__ import annotations

from typing import Any

from menura.explain import texts
from menura.explain.template import heading, heard, why
from menura.explain.tutorial import Step, Tutorial


def building_of(tutorial: Tutorial) -> dict[str, Any]:
    """The steps in their order, what each did to the sound, and what is set besides."""
    note, floor = tutorial.note.name, f"{tutorial.noise_floor_db:.2g}"
    return {
        "note": note,
        "steps": [
            {**_set(step), "group": heading(step), "why": why(step), "heard": heard(step)} for step in tutorial.steps
        ],
        "also": [_set(step) for step in tutorial.also],
        "also_said": texts.ALSO_INTRO.format(note=note, floor=floor) if tutorial.also else "",
    }


def _set(step: Step) -> dict[str, Any]:
    return {"title": step.title, "changes": [{"name": each.name, "value": each.value} for each in step.changes]}
