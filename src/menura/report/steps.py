"""The tutorial of an answer as HTML, folded until somebody asks. Knows the tutorial's words, no sound."""

from __future__ import annotations

from html import escape
from itertools import groupby

from menura.explain import texts
from menura.explain.template import heading, heard, why
from menura.explain.tutorial import Step, Tutorial


def steps_html(tutorial: Tutorial | None) -> str:
    """How the preset is built, step by step; empty where it was not explained."""
    if tutorial is None:
        return ""
    blocks, number = "", 1
    for title, steps in groupby(tutorial.steps, key=heading):
        found = list(steps)
        items = "".join(map(_step, found))
        blocks += f'<h3>{escape(title)}</h3><ol start="{number}">{items}</ol>'
        number += len(found)
    note = tutorial.note
    also = "".join(f"<li>{escape(step.title)} <small>{_rows(step)}</small></li>" for step in tutorial.also)
    if also:
        said = texts.ALSO_INTRO.format(note=note.name, floor=f"{tutorial.noise_floor_db:.2g}")
        blocks += f'<h3>{texts.ALSO}</h3><p class="hint">{escape(said)}</p><ul>{also}</ul>'
    count = len(tutorial.steps)
    return (
        f"<details><summary>{texts.REPORT_TITLE} <small>{texts.REPORT_STEPS.format(count=count)}</small></summary>"
        f'<div class="steps">{blocks}</div></details>'
    )


def _step(step: Step) -> str:
    hint = f" <small>{escape(why(step))}</small>" if why(step) else ""
    rows = "".join(
        f"<div><dt>{escape(change.name)}</dt><dd>{escape(change.value)}</dd></div>" for change in step.changes
    )
    return (
        f'<li><strong>{escape(step.title)}</strong>{hint}<dl>{rows}</dl><p class="heard">{escape(heard(step))}</p></li>'
    )


def _rows(step: Step) -> str:
    return escape("; ".join(f"{change.name}: {change.value}" for change in step.changes))
