"""A stage that draws parts of the nearest candidates anew, given the sound. Owns the plan; knows no network."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from menura.events import Event, Started, Warned
from menura.matching.audition import audition
from menura.matching.budget import Account
from menura.matching.candidate import Candidate
from menura.matching.knobs import different
from menura.matching.pool import Pool
from menura.matching.predict import LEFT_OUT, Predict, view_of

SHARE = 0.3
"""Share of the renders left that variations take."""
BATCH = 16
"""Renders between two looks at what is nearest now."""
LEADERS = 8
"""Different candidates of which variations are drawn."""
STARTS = (0.3, 0.95)
"""Least and largest time from which parts are drawn anew."""
PARTS = (0.03, 0.35)
"""Least and largest share of the parts that are."""


class Vary:
    """Lets a flow (or a diffusion) change parts of the nearest candidates: tables, switches and routes as well.

    What a search over continuous controls never changes is so drawn from what fits the sound and the rest of the patch.

    Args:
        model: as of `Predict`.
        share: Share of the renders left.
    """

    name = "vary"

    def __init__(self, model: Predict, share: float = SHARE) -> None:
        self.model = model
        self.share = share

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Draw, render, and begin anew with what is nearest now.

        Raises:
            InputError: there is no such model, or it cannot vary patches.
            SpaceError: it answers for another synth or version.
        """
        yield Started(self.name, account.left)
        if pool.task.constraints.near:
            yield Warned(LEFT_OUT)
            return pool
        renders, rng = round(self.share * account.left), pool.rng
        while renders > 0 and account.left and pool.nearest(1):
            leaders = different(pool.nearest(400), LEADERS)
            # Nearer ones have more variations.
            chosen = [leaders[int(len(leaders) * rng.random() ** 2)] for _ in range(min(BATCH, renders))]
            heard = yield from audition(pool, account, self.name, self.varied(pool, chosen))
            renders -= len(chosen)
            if not heard:
                break
        return pool

    def varied(self, pool: Pool, parents: Sequence[Candidate]) -> list[Candidate]:
        """A variation of each parent; the errors are those of `run`."""
        task, rng = pool.task, pool.rng
        estimator = self.model.estimator(pool)
        view, space = view_of(task.target, told=self.model.told), estimator.space
        vectors = space.encode_all(parent.preset for parent in parents)
        start, share = float(rng.uniform(*STARTS)), float(rng.uniform(*PARTS))
        found = estimator.variations(view, vectors, rng, start=start, share=share)
        presets = (
            task.with_room(task.synth.freeze(space.decode(vector, parent.preset)))
            for vector, parent in zip(found, parents, strict=True)
        )
        return [
            Candidate(task.constraints.apply(preset), (*parent.lineage, self.name))
            for preset, parent in zip(presets, parents, strict=True)
        ]
