"""Found patches fitted to the target: what a forecast can set right without a search. Owns the plan; knows no synth."""

from __future__ import annotations

from collections.abc import Generator

from menura.events import Event, Started
from menura.matching.audition import audition
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.knobs import forecast_of
from menura.matching.pool import Pool

SHARE = 0.08
"""Share of the renders left that fitted patches take."""
ROUNDS = ((0.5, 0.3), (0.25, 0.1), (0.25, 0.05))
"""Of each round the share of these renders, and the first step: the forecast is corrected by the round before."""
MOST = 64
"""Candidates of which a fit is forecast."""


class Fit:
    """Moves the nearest candidates to where a corrected forecast says that they are nearest to the target.

    Made for patches that others made, which sound like the target but for their course of level and their colour.
    Does nothing for a synth without a forecast, and where the user wants to stay near a preset.

    Args:
        share: Share of the renders left.
    """

    name = "fit"

    def __init__(self, share: float = SHARE) -> None:
        self.share = share

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Forecast the fits of all that was heard, render the most promising, and correct those again."""
        yield Started(self.name, account.left)
        task = pool.task
        forecast = forecast_of(task)
        if forecast is None:
            return pool
        renders = round(self.share * account.left)
        for number, (part, step) in enumerate(ROUNDS):
            count = max(1, round(part * renders))
            ways = [
                (way.loss, place, Candidate(task.constraints.apply(way.at(1.0)), (*candidate.lineage, self.name)))
                for place, candidate in enumerate(pool.nearest(count if number else MOST))
                if (way := forecast.way(candidate, pool.rng, step)) is not None
            ]
            fitted = [candidate for _, _, candidate in sorted(ways, key=lambda way: way[:2])]
            yield from audition(pool, account, self.name, fitted[:count])
        return pool
