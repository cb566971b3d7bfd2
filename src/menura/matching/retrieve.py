"""A first stage: patches of a library that sound like the target. Owns the way from hits into the pool."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from menura.audio import Audio
from menura.events import Event, Proposed, Started, Warned
from menura.features.contour import contour_distance, outline_distance
from menura.library.card import Hit
from menura.library.library import Library
from menura.matching.budget import Account
from menura.matching.pool import Pool
from menura.matching.target import base_frequency

SHARE = 0.25
"""Share of the renders left that hits take."""
MOST = 64
"""Hits beyond which the next ones are further away than what a search finds."""
COMPARED = 32_768
"""Patches that are put in order by their contours; of a larger library those that the fast embedding finds first."""


class Retrieve:
    """Proposes the nearest patches of a library, brought to the target's pitch.

    Args:
        library: of the synth that answers.
        share: Share of the renders left that its hits take.
    """

    name = "library"

    def __init__(self, library: Library, share: float = SHARE) -> None:
        self.library = library
        self.share = share

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose the hits; where the user wants to stay near a preset, there is nothing to propose.

        Raises:
            InputError: the library holds patches of another synth, or none.
        """
        yield Started(self.name, account.left)
        task = pool.task
        self.library.require(task.synth.name)
        if task.constraints.near:
            yield Warned("the library is left out: its patches would not stay near the given preset")
            return pool
        n = int(np.clip(round(self.share * account.left), min(1, account.left), MOST))
        estimate = task.target.estimate
        hits = self._hits(task.target.audio, float(estimate.pitch) if estimate.pitched else None, n)
        tune = 12.0 * float(np.log2(base_frequency(task.target) / task.target.note.frequency_hz))
        found = [
            (task.synth.freeze(task.idiom.tuned(self.library.preset(hit.number), tune)), (f"library:{hit.number}",))
            for hit in hits
        ]
        yield Proposed(self.name, pool.propose(found))
        return pool

    def _hits(self, sound: Audio, pitch: float | None, n: int) -> list[Hit]:
        """The nearest as they are and those that could be brought nearest, by turns: `Fit` may follow."""
        if self.library.card.ear.close != "contour":
            return self.library.search(sound, pitch, n)
        orders = (contour_distance, outline_distance)
        return self.library.search(sound, pitch, n, candidates=COMPARED, distances=orders)
