"""Words for any synth, from its parameter space: groups are headings, the controls' own names are the words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from menura.explain import texts
from menura.explain.edits import BlockPath, Edit, SetBlock, SetControl, SetRoute
from menura.explain.settings import Setting, same
from menura.explain.vocabulary import Place
from menura.preset import Preset
from menura.space import Parameter, ParameterSpace
from menura.synths.registry import synth_of

_HEADINGS = {
    "oscillators": "oscillators",
    "noise": "sampler",
    "sampler": "sampler",
    "filters": "filters",
    "envelopes": "envelopes",
    "lfos": "lfos",
    "modulations": "modulation",
    "effects": "effects",
    "macros": "macros",
    "voice": "voice",
}
"""Groups of a space in the order in which they are worked through, and their headings."""
_ORDER = {group: number for number, group in enumerate(_HEADINGS)}
_LARGE = 8
"""A group with more changes is told by module."""
_MODULE = re.compile(r"^(.*?\d+)\b|^([^\W_]+)[\s_:]")


class PlainVocabulary:
    """See `vocabulary.Vocabulary`."""

    containers: Sequence[BlockPath] = ((),)

    def __init__(self, goal: Preset) -> None:
        self._goal = goal
        self._space: ParameterSpace = synth_of(goal.synth).space

    def place(self, edit: Edit) -> Place:
        """By the group of the control; a large group by module."""
        if isinstance(edit, SetRoute):
            return Place((_ORDER["modulations"], 0), "modulation", "Modulation", "modulation")
        if isinstance(edit, SetBlock):
            return Place((len(_ORDER), 0), "content", "Contents", "content")
        group = self._space[edit.control].group if edit.control in self._space else "voice"
        heading = _HEADINGS.get(group, group)
        plain = texts.HEADINGS.get(heading, _shown(group))
        title, number = plain, 0
        if self._sizes[group] > _LARGE:
            modules = self._modules[group]
            module = _module(edit.control)
            if module in modules:
                title, number = f"{plain}: {module}", 1 + modules.index(module)
        return Place((_ORDER.get(group, _ORDER["voice"]), number), heading, title, heading)

    def words(self, edit: Edit) -> Setting:
        """The control's own name; values in the units of the space."""
        match edit:
            case SetControl(control, value):
                known = control in self._space
                parameter = self._space[control] if known else None
                return Setting(_shown(control), "default" if value is None else shown_value(parameter, value))
            case SetRoute(slot, route):
                if route is None:
                    return Setting(f"Route {slot}", "none")
                extras = ["both ways"] if route.bipolar else []
                extras += ["off"] if route.bypass else []
                name = f"{_shown(route.source)} → {_shown(route.destination)}"
                return Setting(name, ", ".join([f"{route.amount:+.0%}", *extras]))
            case SetBlock():
                name = _shown(" ".join(map(str, edit.path)))
                return Setting(name, _brief(edit.content) if edit.present else "none")

    def silent(self, edit: Edit) -> bool:
        """Values that differ by a rounding alone."""
        if not isinstance(edit, SetControl) or edit.value is None or edit.control not in self._space:
            return False
        return same(edit.value, self._space[edit.control].default)

    def chance(self, edit: Edit) -> bool:  # noqa: ARG002 freezing alone tells
        """Freezing tells by itself."""
        return False

    def names(self) -> list[str]:
        """The controls' names."""
        return [_shown(name) for name in {*self._space.names, *self._goal.values}]

    @cached_property
    def _sizes(self) -> Counter[str]:
        """How many controls of each group are not at their default."""
        space = self._space
        return Counter(
            space[name].group
            for name, value in self._goal.values.items()
            if name in space and not same(value, space[name].default)
        )

    @cached_property
    def _modules(self) -> dict[str, list[str]]:
        """The modules of each group that have two controls or more, in the order of the synth."""
        found: dict[str, Counter[str]] = {}
        for parameter in self._space.parameters:
            found.setdefault(parameter.group, Counter())[_module(parameter.name)] += 1
        return {group: [name for name, size in names.items() if name and size > 1] for group, names in found.items()}


def shown_value(parameter: Parameter | None, value: float) -> str:
    """A value as the space says that it is shown: choices by name, curves in their units, else a position in %."""
    if parameter is None:
        return f"{value:.3g}"
    if parameter.kind == "toggle" and not parameter.choices:
        return "On" if value >= 0.5 else "Off"
    place = round(value - parameter.low)
    if parameter.choices and 0 <= place < len(parameter.choices) and abs(value - parameter.low - place) < 1e-6:
        return parameter.choices[place]
    if parameter.scale == "linear" and not parameter.units and (parameter.low, parameter.high) == (0.0, 1.0):
        return f"{value:.1%}".replace(".0%", "%")
    curves = {"quadratic": value**2, "quartic": value**4, "square_root": max(value, 0.0) ** 0.5}
    shown = 2.0**value if parameter.scale == "exponential" else curves.get(parameter.scale, value)
    return f"{shown:.3g} {parameter.units.removeprefix('log2 ')}".strip()


def _module(control: str) -> str:
    """``Osc 1`` of ``Osc 1 Level``; the first word where nothing is numbered; empty for a single word."""
    found = _MODULE.match(control)
    return (found[1] or found[2]).strip() if found else ""


def _shown(name: str) -> str:
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def _brief(content: object) -> str:
    if isinstance(content, list) and len(content) <= 8 and all(isinstance(one, int | float) for one in content):
        return ", ".join(f"{one:.3g}" for one in content)
    return f"{len(content)} items" if isinstance(content, list | dict) else str(content)[:40]
