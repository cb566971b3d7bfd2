"""The first stage where words alone are given: patches that may be what they say. Owns the way into the pool."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from menura.events import Event, Proposed, Started, Warned
from menura.features.contour import BANDS, contour_qualities
from menura.library.library import Library
from menura.matching.budget import Account
from menura.matching.idiom import Start
from menura.matching.pool import Pool
from menura.matching.words.ears import lacking

SHARE = 0.6
"""Share of the renders left that proposals take."""
MOST = 400
BY_CHANCE = 0.3
"""Share of the proposals that are drawn by chance: what a library has not heard of its patches may be what is asked."""


class Recall:
    """Proposes patches of a library that stand where the words want them, and some by chance.

    A library that heard its patches by `contour` is asked for brightness, attack, decay and length; the audition tells
    the rest. Without a library, patches are drawn as people set them, where that is known of the synth, else at random.

    Args:
        library: of the synth that answers; None draws.
        share: Share of the renders left that its proposals take.
    """

    name = "words"

    def __init__(self, library: Library | None = None, share: float = SHARE) -> None:
        self.library = library
        self.share = share

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose; where the user wants to stay near a preset, its neighbours.

        Raises:
            InputError: the library holds patches of another synth, or none.
        """
        yield Started(self.name, account.left)
        n = int(np.clip(round(self.share * account.left), min(1, account.left), MOST))
        if pool.task.constraints.near:
            from menura.matching.starts import neighbours

            yield Proposed(self.name, pool.propose((preset, ("start:near",)) for preset in neighbours(pool, n)))
            return pool
        if self.library is None:
            synth = pool.task.synth.name
            yield Warned(
                f"there is no library of {synth}; patches are drawn. Make one: menura library build --synth {synth}"
            )
        yield Proposed(self.name, pool.propose(self._found(pool, n)))
        return pool

    def _found(self, pool: Pool, n: int) -> list[Start]:
        task, library = pool.task, self.library
        if library is None:
            return _drawn(pool, n)
        library.require(task.synth.name)
        numbers = self._numbers(library, pool, n)
        return [(task.synth.freeze(library.preset(number)), (f"library:{number}",)) for number in numbers]

    @staticmethod
    def _numbers(library: Library, pool: Pool, n: int) -> list[int]:
        """The patches that miss least, then some by chance; each once."""
        words = pool.task.target.words
        _, heard = library.heard_at(pool.task.target.note.pitch)
        chance = [int(number) for number in pool.rng.permutation(len(library))]
        if words is None or not words.wishes or library.card.ear.close != "contour":
            return chance[:n]
        shares = {
            name: _shares(values) for name, values in contour_qualities(heard.reshape(len(heard), -1, BANDS)).items()
        }
        missing = np.zeros(len(library))
        for wish in words.wishes:
            if wish.quantity in shares:
                low, high = shares[wish.quantity]
                missing += [wish.strength * lacking(wish, *both) for both in zip(low, high, strict=True)]
        # Many miss nothing; among them chance decides, not their place in the library.
        best = sorted(chance, key=lambda number: missing[number])[: n - round(BY_CHANCE * n)]
        return [*best, *[number for number in chance if number not in set(best)][: n - len(best)]]


def _shares(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each patch the share of all that have less, and that have no more."""
    ordered = np.sort(values)
    return np.searchsorted(ordered, values, "left") / len(values), np.searchsorted(ordered, values, "right") / len(
        values
    )


def _drawn(pool: Pool, n: int) -> list[Start]:
    from menura.datasets.sampling import draw_preset, sampler_of, samplers_of

    task = pool.task
    if "human" not in samplers_of(task.synth):
        return [(preset, ("start:random",)) for preset in task.idiom.random(task, pool.rng, n)]
    sampler, seed = sampler_of("human", task.synth), int(pool.rng.integers(2**31))
    return [(task.synth.freeze(draw_preset(sampler, task.synth, seed, index)), ("start:drawn",)) for index in range(n)]
