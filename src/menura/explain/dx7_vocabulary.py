"""A DX7 voice in the order in which one programs it: algorithm, operators from the heard ones up, then what they share.

The words are the instrument's own, as `dx7_words` has them.
"""

from __future__ import annotations

import re
from functools import cached_property

from menura.explain.edits import BlockPath, Edit, SetControl
from menura.explain.settings import Setting
from menura.explain.vocabulary import Place
from menura.preset import Preset
from menura.synths.dx7.algorithms import Algorithm, algorithm
from menura.synths.dx7.controls import OPERATORS, control_of, controls

_TONE = ("output_level", "mode", "coarse", "fine", "detune")
_SHARED = {
    "algorithm": ((0,), "algorithm", "Algorithm", "dx7.algorithm"),
    "feedback": ((2,), "operators", "Feedback", "dx7.feedback"),
    "pitch_envelope": ((3,), "envelopes", "Pitch envelope", "dx7.pitch"),
    "lfo": ((4,), "lfos", "LFO", "dx7.lfo"),
    "voice": ((5,), "voice", "Voice", "voice"),
}


class Dx7Vocabulary:
    """See `vocabulary.Vocabulary`."""

    containers: tuple[BlockPath, ...] = ((),)

    def __init__(self, goal: Preset) -> None:
        self._goal = goal

    def place(self, edit: Edit) -> Place:
        """By operator, each split into its tone, its envelope and its keyboard and touch."""
        if not isinstance(edit, SetControl):
            return Place((9,), "content", "Contents", "content")
        if edit.control in ("algorithm", "feedback"):
            return Place(*_SHARED[edit.control])
        control = control_of(edit.control)
        if not control.name.startswith("op"):
            return Place(*_SHARED[control.group])
        number, field = int(control.name[2]), control.name[4:]
        carrier = number in self._algorithm.carriers
        part = 0 if field in _TONE else 1 if re.fullmatch(r"(rate|level)_\d", field) else 2
        title = f"{_operator(number)}{(f' ({self._job(number)})', ': envelope', ': keyboard and touch')[part]}"
        role = (f"dx7.{'carrier' if carrier else 'modulator'}", "dx7.envelope", "dx7.touch")[part]
        return Place((1, self._order.index(number), part), "operators", title, role)

    def words(self, edit: Edit) -> Setting:
        """As the display says it; ratios and fixed frequencies are told as well."""
        if not isinstance(edit, SetControl) or edit.value is None:
            return Setting("Contents", "default")
        control = control_of(edit.control)
        name = edit.control[4:] if edit.control.startswith("op") else edit.control
        switch = control.kind == "toggle"
        shown = ("Off", "On")[round(edit.value)] if switch else control.shown(edit.value)
        if name == "coarse" and self._ratio(edit.control) and edit.value < 1:
            shown += " (half the key's frequency)"
        return Setting(name.removeprefix("lfo_").replace("_", " ").capitalize(), shown)

    def silent(self, edit: Edit) -> bool:
        """Operators that are turned down."""
        if not isinstance(edit, SetControl) or edit.value is None:
            return True
        name = edit.control
        off = name.startswith("op") and self._goal.values.get(f"{name[:3]}_output_level", 0.0) <= 0.0
        return off and not name.endswith("output_level")

    def chance(self, edit: Edit) -> bool:  # noqa: ARG002 freezing alone tells
        """Freezing tells by itself."""
        return False

    def names(self) -> list[str]:
        """Operators and fields."""
        fields = {self.words(SetControl(control.name, 0.0)).name for control in controls()}
        return [*sorted(fields), *map(_operator, OPERATORS)]

    @cached_property
    def _algorithm(self) -> Algorithm:
        return algorithm(int(self._goal.values.get("algorithm", 0.0)) + 1)

    @cached_property
    def _order(self) -> list[int]:
        """Operators from the heard ones up, each followed by those that modulate it."""
        found: list[int] = []

        def add(number: int) -> None:
            if number not in found:
                found.append(number)
                for one in self._algorithm.modulators(number):
                    add(one)

        for carrier in self._algorithm.carriers:
            add(carrier)
        return found

    def _job(self, number: int) -> str:
        """What it does in this algorithm."""
        if number in self._algorithm.carriers:
            return "is heard"
        moved = [str(target) for source, target in sorted(self._algorithm.edges) if source == number]
        return f"modulates {' and '.join(moved)}"

    def _ratio(self, control: str) -> bool:
        return self._goal.values.get(f"{control[:3]}_mode", 0.0) < 0.5


def _operator(number: int) -> str:
    return f"Operator {number}"
