"""What explaining asks of a synth's words: where an edit belongs, what it is called, whether it can be heard.

Owns the seam and the order of work; `vital_vocabulary`, `dx7_vocabulary` and `plain_vocabulary` are the synths'.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from menura.explain.edits import BlockPath, Edit
from menura.explain.settings import Setting
from menura.preset import Preset


@dataclass(frozen=True, slots=True)
class Place:
    """The step that an edit belongs to; edits of one place are one step."""

    order: tuple[int, ...]
    """Places are worked through in this order."""
    heading: str
    """A key of `texts.HEADINGS`, or a word of the synth's own."""
    title: str
    role: str
    """A key of `texts.WHY`: what the step is there for."""


class Vocabulary(Protocol):
    """One synth's words for one preset."""

    @property
    def containers(self) -> Collection[BlockPath]:
        """Blocks that hold contents of their own, see `edits_between`."""
        ...

    def place(self, edit: Edit) -> Place:
        """Where the edit belongs."""
        ...

    def words(self, edit: Edit) -> Setting:
        """What the synth calls it, with the value as it shows it."""
        ...

    def silent(self, edit: Edit) -> bool:
        """True where it is known that the edit cannot be heard: its part is off. A guess, verified by ear."""
        ...

    def chance(self, edit: Edit) -> bool:
        """True for what is heard through chance alone, which measuring holds still."""
        ...

    def names(self) -> Sequence[str]:
        """The names of all controls and modules that the synth has, as `words` and `place` write them."""
        ...


def vocabulary_of(initial: Preset, goal: Preset) -> Vocabulary:
    """The words for a preset, by its synth."""
    if goal.synth == "vital":
        from menura.explain.vital_vocabulary import VitalVocabulary

        return VitalVocabulary(initial, goal)
    if goal.synth == "dx7":
        from menura.explain.dx7_vocabulary import Dx7Vocabulary

        return Dx7Vocabulary(goal)
    from menura.explain.plain_vocabulary import PlainVocabulary

    return PlainVocabulary(goal)
