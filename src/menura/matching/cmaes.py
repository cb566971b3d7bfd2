"""Plain CMA-ES on the knobs of the best candidate: a baseline for every other search. Knows no engine."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from menura.events import Event, Started
from menura.matching.audition import audition
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.knobs import different
from menura.matching.lens import active_lens, useful_bounds
from menura.matching.pool import Pool
from menura.search import CmaEs

SIGMA = 0.15
"""First step, a share of each control's useful range."""
SHRINK = 0.4
"""What the first step of the next run is of the one before it."""
LEAST = 0.005
"""A first step below this moves nothing that is heard."""
PATIENCE = 4
"""Generations without an improvement after which a run is ended."""
POPULATION = 16
"""Renders of one generation."""
LEADERS = 12
"""Different patches from which it begins anew before it begins with the first again."""


class CmaEsSearch:
    """CMA-ES over all active continuous controls of the best candidate until the budget ends.

    Where a run improves nothing, the next one begins at the best with smaller steps; after the smallest it begins with
    the next different candidate. Switches, tables and routes stay as the candidate has them. The covariance stays
    diagonal: a full one of 50 to 70 controls is not learnt in 600 renders.

    Args:
        sigma: First step of the first run.
        population: Renders of one generation.
    """

    name = "cma-es"

    def __init__(self, *, sigma: float = SIGMA, population: int = POPULATION) -> None:
        self.sigma = sigma
        self.population = population

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Search from the nearest candidates."""
        yield Started(self.name, account.left)
        while account.left and pool.nearest(1):
            for start in different(pool.nearest(400), LEADERS):
                best, sigma = start, self.sigma
                while account.left and sigma >= LEAST:
                    best = yield from self._descend(pool, account, best, sigma)
                    sigma *= SHRINK
        return pool

    def _descend(
        self, pool: Pool, account: Account, start: Candidate, sigma: float
    ) -> Generator[Event, None, Candidate]:
        """One run; answers with its best candidate, the start included."""
        constraints = pool.task.constraints
        lens = active_lens(pool.task.synth, start.preset, constraints.locked)
        low, high = useful_bounds(lens, *constraints.box(lens))
        search = CmaEs(
            np.asarray(lens.encode(start.preset), dtype=np.float64),
            pool.rng,
            sigma=sigma,
            population=self.population,
            scales=np.maximum(high - low, 1e-3),
            low=low,
            high=high,
            diagonal=True,
        )
        best, since = start, 0
        while account.left and not search.done and since < PATIENCE:
            vectors = search.ask(self.population)
            lineage = start.lineage if start.lineage[-1:] == (self.name,) else (*start.lineage, self.name)
            batch = [Candidate(lens.decode(vector, start.preset), lineage) for vector in vectors]
            heard = yield from audition(pool, account, self.name, batch)
            if not heard:
                break
            search.tell(vectors[: len(heard)], np.array([candidate.distance for candidate in heard]))
            nearest = min(heard, key=lambda candidate: candidate.distance)
            since = 0 if nearest.distance < best.distance else since + 1
            best = min(best, nearest, key=lambda candidate: candidate.distance)
        return best
