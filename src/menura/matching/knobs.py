"""The knob search: choices by trial, sparse steps, CMA-ES on what matters. Owns the plan; knows no engine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import numpy as np

from menura.events import Event, Started
from menura.matching.audition import audition
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.forecasting import CorrectedForecast
from menura.matching.idiom import idiom_of
from menura.matching.lens import active_lens, useful_bounds
from menura.matching.pool import Pool, Task
from menura.preset import Preset
from menura.search import CmaEs, Minimiser, SparseSteps
from menura.space import ParameterSpace

CHOICE_SHARE = 0.35
"""Share of the renders left that goes into other choices (tables, filters, routes) and corrected forecasts."""
STEP_SHARE = 0.5
"""Share of the renders then left that goes into sparse steps, the rest into CMA-ES."""
LEADERS = 4
"""Different patches that are followed at the same time while choices are open."""
POPULATION = 16
"""Renders of one generation: a multiple of usual worker counts, and enough to learn from."""
STEP = 0.1
"""First sparse step, a share of each control's useful range."""
SIGMA = 0.02
"""First step of CMA-ES, likewise; the patch is good already."""
LENS = 28
"""Controls that CMA-ES turns: those to which the distance was most sensitive."""
PATIENCE = 8
"""Generations without an improvement after which a search is ended."""


Varied = Callable[[Pool, Sequence[Candidate]], list[Candidate]]
"""A variation of each of some candidates."""


class KnobSearch:
    """Turns the synth's own controls until the budget ends.

    First the best starts' choices (which table, which filter, which routes) are varied and what helps is kept, in turn
    with corrected forecasts; then sparse steps move a few controls of the best patch at a time, which also shows which
    of them matter; then CMA-ES refines those together. When it stands still, it goes on from the next different patch.

    Args:
        choice_share: Share of the renders for choices.
        step: First sparse step.
        sigma: First step of CMA-ES.
        population: Renders of one generation.
        varied: Answers with a variation of each of some candidates, such as `Vary.varied`: half of what is tried as
            other choices then comes from there.
    """

    name = "knobs"

    def __init__(
        self,
        *,
        choice_share: float = CHOICE_SHARE,
        step: float = STEP,
        sigma: float = SIGMA,
        population: int = POPULATION,
        varied: Varied | None = None,
    ) -> None:
        self.choice_share = choice_share
        self.step = step
        self.sigma = sigma
        self.population = population
        self.varied = varied

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Search from the best candidates of the pool."""
        yield Started(self.name, account.left)
        if not pool.nearest(1):
            return pool
        yield from self._choices(pool, account, int(self.choice_share * account.left))
        tried: set[str] = set()
        while account.left:
            ahead = [c for c in different(pool.nearest(400), 4) if choices_of(c.preset) not in tried]
            if not ahead:
                tried.clear()
                continue
            tried.add(choices_of(ahead[0].preset))
            yield from self.refine(pool, account, ahead[0])
        return pool

    def _choices(self, pool: Pool, account: Account, renders: int) -> Generator[Event, None, None]:
        """Vary the choices of the best and, where a forecast helps, move all their knobs; keep what is nearer."""
        task = pool.task
        refit = forecast_of(task)
        step = 0.08
        until = account.spent + renders
        while account.spent < until and account.left:
            leaders = different(pool.nearest(60), LEADERS)
            batch: list[Candidate] = []
            if refit is not None:
                for leader in leaders:
                    if (way := refit.way(leader, pool.rng, step)) is not None:
                        moved = (way.at(1.0), way.at(0.5))
                        batch += [Candidate(task.constraints.apply(p), (*leader.lineage, "refit")) for p in moved]
            if not task.constraints.near:
                for leader in leaders[:2]:
                    n = max(2, (self.population - len(batch)) // 2)
                    if self.varied is not None:
                        batch += self.varied(pool, [leader] * (n // 2))
                        n -= n // 2
                    changed = task.idiom.variants(task, leader.preset, pool.rng, n)
                    batch += [Candidate(task.constraints.apply(p), (*leader.lineage, word)) for p, word in changed]
            if not batch:
                return
            best = pool.best
            yield from audition(pool, account, self.name, batch)
            if pool.best is best:
                step = max(0.02, 0.7 * step)

    def refine(self, pool: Pool, account: Account, start: Candidate) -> Generator[Event, None, None]:
        """Sparse steps, then CMA-ES, on the active controls of one candidate, until both stand still."""
        constraints = pool.task.constraints
        lens = active_lens(pool.task.synth, start.preset, constraints.locked)
        low, high = useful_bounds(lens, *constraints.box(lens))
        steps = SparseSteps(lens.encode(start.preset), start.distance, pool.rng, sigma=self.step, low=low, high=high)
        until = account.spent + max(self.population, int(STEP_SHARE * account.left))
        best = yield from self._minimise(pool, account, steps, lens, start, until)
        if not account.left:
            return
        chosen = sorted(int(index) for index in np.argsort(-steps.sensitivity, kind="stable")[:LENS])
        narrow = lens.subset(*(lens.names[index] for index in chosen))
        search = CmaEs(
            np.asarray(narrow.encode(best.preset), dtype=np.float64),
            pool.rng,
            sigma=self.sigma,
            population=self.population,
            scales=np.maximum(high - low, 1e-3)[chosen],
            low=low[chosen],
            high=high[chosen],
            diagonal=True,
        )
        yield from self._minimise(pool, account, search, narrow, best, account.spent + account.left)

    def _minimise(
        self, pool: Pool, account: Account, search: Minimiser, lens: ParameterSpace, start: Candidate, until: int
    ) -> Generator[Event, None, Candidate]:
        """Ask, hear and tell; answers with the best candidate, the start included."""
        word = "cma-es" if isinstance(search, CmaEs) else "steps"
        best, since = start, 0
        while account.left and account.spent < until and since < PATIENCE:
            vectors = search.ask(self.population)
            if not len(vectors):
                break
            batch = [Candidate(lens.decode(vector, start.preset), (*start.lineage, word)) for vector in vectors]
            heard = yield from audition(pool, account, self.name, batch)
            if not heard:
                break
            search.tell(vectors[: len(heard)], np.array([candidate.distance for candidate in heard]))
            nearest = min(heard, key=lambda candidate: candidate.distance)
            since = 0 if nearest.distance < best.distance - 0.002 else since + 1
            if nearest.distance < best.distance:
                best = nearest
        return best


def forecast_of(task: Task) -> CorrectedForecast | None:
    """The corrected forecast, where the synth has one, there is a sound, and nobody has asked to stay near a preset."""
    return None if task.constraints.near or not task.target.audible else task.idiom.refit(task.target)


def different(candidates: Sequence[Candidate], n: int) -> list[Candidate]:
    """The first n that differ in their choices."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        found.setdefault(choices_of(candidate.preset), candidate)
        if len(found) == n:
            break
    return list(found.values())


def choices_of(preset: Preset) -> str:
    """What no continuous control can change."""
    return idiom_of(preset.synth).choices(preset)
