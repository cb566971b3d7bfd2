"""The contract of an arm: one way to answer a sound, under a name. Knows no particular arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from menura.datasets.item import Item
from menura.errors import WorkError
from menura.evaluation.answer import Answer
from menura.matching.budget import Budget
from menura.matching.target import Target
from menura.synths.base import Synth
from menura.synths.pool import RenderPool

TableTrack = Literal["knobs", "any", "reference"]
"""`knobs` turns the synth's own controls; `any` also takes tables and contours from the target; `reference` is no
matcher: floors, ceilings and answers that other tools made."""


class NotApplicableError(WorkError):
    """The arm has nothing to say on this item (no preset is known, no pair ...): a dash in the table, no failure."""


@dataclass(frozen=True, eq=False)
class Case:
    """What an arm is given."""

    item: Item
    target: Target
    """What is heard, with the note that is told or estimated."""
    synth: Synth
    pools: tuple[RenderPool, RenderPool]
    """One that renders fast, as for a search, and one that renders exactly; the arm may use both."""
    budget: Budget
    seed: int
    """The same for every arm of an item."""
    top: int
    """How many answers are wanted."""


class Arm(Protocol):
    """One way to answer a sound."""

    @property
    def name(self) -> str:
        """In tables and options."""
        ...

    @property
    def what(self) -> str:
        """One line for the table's legend."""
        ...

    @property
    def track(self) -> TableTrack:
        """What it may use."""
        ...

    @property
    def optimised(self) -> tuple[str, ...]:
        """Metrics that it minimises while it works: marked in the table, judge it by the others."""
        ...

    def answer(self, case: Case) -> Answer:
        """Answer one item.

        Raises:
            NotApplicableError: it has nothing to say on this item.
            MenuraError: the work failed; the row says so and the run goes on.
        """
        ...
