"""The knob search: choices by trial, then CMA-ES on the controls that matter. Owns the plan; knows no engine."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from menura.events import Event, Started
from menura.matching.audition import audition
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.lens import active_lens
from menura.matching.pool import Pool, Task
from menura.matching.variants import variants
from menura.matching.vital_refit import Refit
from menura.preset import Preset
from menura.search import CmaEs
from menura.space import ParameterSpace

CHOICE_SHARE = 0.4
"""Share of the renders left that goes into other choices (tables, filters, routes) and corrected forecasts."""
LEADERS = 4
"""Different patches that are followed at the same time while choices are open."""
POPULATION = 16
"""Renders of one generation: a multiple of usual worker counts, and enough to learn from."""
SIGMA = 0.07
"""First step of the refinement, a share of each control's range; the starts are good already."""
PATIENCE = 12
"""Generations without an improvement after which the next best start is tried."""


class KnobSearch:
    """Turns the synth's own controls until the budget ends.

    First the best starts' choices (which table, which filter, which routes) are varied one at a time and what helps
    is kept; then CMA-ES refines the continuous controls that the patch really uses. When it stands still, it goes
    on from the next different start.
    """

    name = "knobs"

    def __init__(self, *, choice_share: float = CHOICE_SHARE, sigma: float = SIGMA, population: int = POPULATION):
        self.choice_share = choice_share
        self.sigma = sigma
        self.population = population

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Search from the best candidates of the pool."""
        yield Started(self.name, account.left)
        if not pool.nearest(1):
            return pool
        yield from self._choices(pool, account, int(self.choice_share * account.left))
        sigma = self.sigma
        tried: set[str] = set()
        while account.left:
            ahead = [c for c in different(pool.nearest(400), 4) if structure(c.preset) not in tried]
            if not ahead:
                tried.clear()
                sigma *= 0.6
                continue
            tried.add(structure(ahead[0].preset))
            yield from self.refine(pool, account, ahead[0], sigma)
        return pool

    def _choices(self, pool: Pool, account: Account, renders: int) -> Generator[Event, None, None]:
        """Vary the choices of the best and, where a forecast helps, move all their knobs; keep what is nearer."""
        task = pool.task
        refit = _refit(task)
        step = 0.08
        until = account.spent + renders
        while account.spent < until and account.left:
            leaders = different(pool.nearest(60), LEADERS)
            batch: list[Candidate] = []
            if refit is not None:
                for leader in leaders:
                    if refit.understands(leader):
                        moved = refit.steps(leader, pool.rng, step=step, shares=(1.0, 0.5))
                        batch += [Candidate(task.constraints.apply(p), (*leader.lineage, "refit")) for p in moved]
            if not task.constraints.near:
                for leader in leaders[:2]:
                    changed = variants(task, leader.preset, pool.rng, max(2, (self.population - len(batch)) // 2))
                    batch += [Candidate(task.constraints.apply(p), (*leader.lineage, word)) for p, word in changed]
            if not batch:
                return
            best = pool.best
            yield from audition(pool, account, self.name, batch)
            if pool.best is best:
                step = max(0.02, 0.7 * step)

    def refine(
        self, pool: Pool, account: Account, start: Candidate, sigma: float | None = None
    ) -> Generator[Event, None, None]:
        """CMA-ES on the active controls of one candidate, until it stands still or the budget ends."""
        task = pool.task
        lens = active_lens(task.synth, start.preset, task.constraints.locked)
        low, high = task.constraints.box(lens)
        low, high = _useful(lens, low, high)
        search = CmaEs(
            np.asarray(lens.encode(start.preset), dtype=np.float64),
            pool.rng,
            sigma=sigma or self.sigma,
            population=self.population,
            scales=np.maximum(high - low, 1e-3),
            low=low,
            high=high,
            diagonal=True,
        )
        best, since = start.distance, 0
        while account.left and since < PATIENCE:
            vectors = search.ask(self.population)
            if not len(vectors):
                return
            batch = [Candidate(lens.decode(vector, start.preset), (*start.lineage, "cma-es")) for vector in vectors]
            heard = yield from audition(pool, account, self.name, batch)
            if not heard:
                return
            losses = np.array([candidate.distance for candidate in heard])
            search.tell(vectors[: len(heard)], losses)
            nearest = float(losses.min())
            since = 0 if nearest < best - 0.005 else since + 1
            best = min(best, nearest)


def _refit(task: Task) -> Refit | None:
    """The corrected forecast, where there is one for this synth and the user has not asked to stay near a preset."""
    return Refit(task.target) if task.synth.name == "vital" and not task.constraints.near else None


def different(candidates: Sequence[Candidate], n: int) -> list[Candidate]:
    """The first n that differ in their choices."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        found.setdefault(structure(candidate.preset), candidate)
        if len(found) == n:
            break
    return list(found.values())


def structure(preset: Preset) -> str:
    """What no continuous control can change: tables, switches, routes' ends."""
    settings = preset.blocks.get("settings", {})
    tables = [table.get("name", "") for table in settings.get("wavetables", [])]
    routes = [(route.source, route.destination) for route in preset.routes]
    switches = [(name, value) for name, value in preset.values.items() if name.endswith(("_on", "_model", "_type"))]
    return repr((tables, routes, sorted(switches)))


def _useful(
    lens: ParameterSpace, low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds narrowed to the useful ranges that a wiring knows of, where it knows any."""
    from menura.matching.vital_voice import FINE_KNOBS, KNOBS

    if lens.synth != "vital":
        return low, high
    ranges = {knob.name: (knob.low, knob.high) for knob in (*KNOBS, *FINE_KNOBS)}
    low, high = low.copy(), high.copy()
    for index, parameter in enumerate(lens.parameters):
        found = ranges.get(parameter.name)
        if found is None:
            continue
        span = parameter.high - parameter.low
        low[index] = max(low[index], (found[0] - parameter.low) / span)
        high[index] = min(high[index], (found[1] - parameter.low) / span)
        if not math.isfinite(span) or low[index] >= high[index]:
            low[index], high[index] = 0.0, 1.0
    return low, high
