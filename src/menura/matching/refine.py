"""Polish of what was proposed: a search in small steps around the best. Owns its plan; knows no proposer."""

from __future__ import annotations

from collections.abc import Generator

from menura.events import Event, Started
from menura.matching.budget import Account
from menura.matching.knobs import KnobSearch, different
from menura.matching.pool import Pool

STEP = 0.0025
"""First sparse step, a share of each control's range: proposals are near already, and steps that help grow."""
SIGMA = 0.003
"""First step of CMA-ES, likewise."""
ENOUGH = 24
"""Renders below which a polish learns nothing and is left out."""


class Refine:
    """Turns the controls of the nearest candidates a little, as far as the budget goes."""

    name = "refine"

    def __init__(self) -> None:
        self._search = KnobSearch(step=STEP, sigma=SIGMA, population=12)

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Refine the best candidate, then the next different ones."""
        yield Started(self.name, account.left)
        if account.left >= ENOUGH:
            for leader in different(pool.nearest(60), 3):
                yield from self._search.refine(pool, account, leader)
                if account.left < ENOUGH:
                    break
        return pool
