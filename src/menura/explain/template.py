"""The tutorial as Markdown, written by a template; or with paragraphs that were written elsewhere and checked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from menura.explain import texts
from menura.explain.edits import SetBlock
from menura.explain.settings import shown_synth
from menura.explain.tutorial import Effect, Shift, Step, Tutorial, document


def to_markdown(tutorial: Tutorial, paragraphs: Mapping[int, str] | None = None) -> str:
    """The whole tutorial.

    Args:
        tutorial: what is told.
        paragraphs: by number of the step, from 0, what stands in place of the template's words.
    """
    return "\n".join(_lines(tutorial, paragraphs or {})).rstrip() + "\n"


def tutorial_files(tutorial: Tutorial, stem: str) -> dict[str, str]:
    """Name to content of the two files that lie beside a preset: to read, and to execute."""
    machine = json.dumps(document(tutorial), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    return {f"{stem}.tutorial.md": to_markdown(tutorial), f"{stem}.tutorial.json": machine}


def why(step: Step) -> str:
    """What the step is there for, as a sentence; empty where nothing is known."""
    return texts.WHY.get(step.why, "")


def heard(step: Step) -> str:
    """What the step did to the sound, as a sentence."""
    if step.effect is None:
        return texts.CHANCE
    if not step.effect.audible:
        return f"{texts.HEARD}: {texts.NOT_YET}"
    return f"{texts.HEARD}: {', '.join(_phrases(step.effect))}."


def heading(step: Step) -> str:
    """The heading that the step stands under."""
    return texts.HEADINGS.get(step.heading, step.heading.replace("_", " ").capitalize())


def shown(quantity: str, value: float) -> str:
    """A measured value in its units."""
    match quantity:
        case "brightness":
            return f"{value:.0f} Hz" if value < 1000.0 else f"{value / 1000.0:.1f} kHz"
        case "attack" | "length":
            return f"{1000.0 * value:.0f} ms" if value < 1.0 else f"{value:.2f} s"
        case "width" | "tone":
            return f"{value:.0%}"
        case "pitch":
            return f"{value:.1f} semitones"
        case "pitch_swing":
            return f"{100.0 * value:.0f} cents"
        case "colour_swing":
            return f"{value:.2f} octaves"
    return f"{value:.1f} dB"


def _lines(tutorial: Tutorial, paragraphs: Mapping[int, str]) -> Iterator[str]:
    name = _plain(tutorial.name or texts.UNNAMED)
    note = tutorial.note
    count = len(tutorial.steps)
    steps = texts.STEPS[min(count, 2)].format(count=count)
    yield f"# {texts.TITLE.format(name=name, synth=shown_synth(tutorial.synth))}\n"
    velocity, hold = round(127 * note.velocity), f"{note.hold:g}"
    yield texts.INTRO.format(name=name, steps=steps, note=note.name, velocity=velocity, hold=hold)
    if any(isinstance(change.edit, SetBlock) for step in tutorial.steps for change in step.changes):
        yield f"\n{texts.LOADED}"
    under, told = "", set[str]()
    for number, step in enumerate(tutorial.steps):
        if heading(step) != under:
            under = heading(step)
            yield f"\n## {_plain(under)}"
        yield f"\n### {number + 1}. {_plain(step.title)}\n"
        if number in paragraphs:
            yield _plain(paragraphs[number])
            continue
        if why(step) and step.why not in told:  # a reader who does six operators needs it once
            told.add(step.why)
            yield f"{why(step)}\n"
        for change in step.changes:
            yield f"- {_plain(change.name)}: **{_plain(change.value)}**"
        yield f"\n*{heard(step)}*"
    if tutorial.steps:
        yield f"\n{texts.DONE.format(name=name)}"
    if tutorial.also:
        yield f"\n## {texts.ALSO}\n"
        yield f"{texts.ALSO_INTRO.format(note=note.name, floor=f'{tutorial.noise_floor_db:.2g}')}\n"
        for step in tutorial.also:
            rows = "; ".join(f"{_plain(change.name)}: {_plain(change.value)}" for change in step.changes)
            yield f"- {_plain(step.title)} – {rows}"


def _phrases(effect: Effect) -> Iterator[str]:
    if not effect.shifts:
        yield texts.COLOUR.format(difference=f"{effect.difference_db:.1f}")
    for shift in effect.shifts:
        yield _phrase(shift)


def _phrase(shift: Shift) -> str:
    if math.isinf(shift.before):
        return texts.APPEARS
    if math.isinf(shift.after):
        return texts.DISAPPEARS
    before, after = shown(shift.quantity, shift.before), shown(shift.quantity, shift.after)
    words = texts.SHIFTS[shift.quantity][0 if shift.after > shift.before else 1]
    change = shown(shift.quantity, abs(shift.after - shift.before))
    both = texts.BOTH.format(before=before, after=after)
    return words.format(before=before, after=after, change=change, both=both)


def _plain(text: str) -> str:
    """Text of a preset that must not become Markdown: one line, marks escaped."""
    line = " ".join(text.split())
    return "".join(f"\\{mark}" if mark in "\\`*_[]<>#|" else mark for mark in line)
