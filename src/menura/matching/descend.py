"""A stage that moves the best candidates down the gradient of a proxy. Owns the way into the pool; knows no network."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np

from menura.errors import InputError
from menura.events import Event, Proposed, Started
from menura.features.embedders import embedder_of
from menura.matching.budget import Account
from menura.matching.knobs import different
from menura.matching.lens import active_lens
from menura.matching.pool import Pool
from menura.models.descent import ProxyDescent

LEADERS = 8
"""Different candidates that are moved, each for the price of one render."""


class Descend:
    """Proposes the nearest candidates moved to where a proxy takes them to be nearer still; hear them next.

    Args:
        proxy: Checkpoint of a proxy of the synth that answers, or one that is open.
        leaders: How many candidates are moved.
    """

    name = "descend"

    def __init__(self, proxy: Path | ProxyDescent, leaders: int = LEADERS) -> None:
        self.proxy = proxy if isinstance(proxy, ProxyDescent) else ProxyDescent(proxy)
        self.leaders = leaders

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose moved candidates, at most as many as there are renders left.

        Raises:
            InputError: the proxy is of another synth.
        """
        yield Started(self.name, account.left)
        task, space = pool.task, self.proxy.space
        if space.synth != task.synth.name:
            raise InputError(f"the proxy is of {space.synth}, not of {task.synth.name}; name one of this synth")
        leaders = different(pool.nearest(200), min(self.leaders, account.left))
        if not leaders:
            return pool
        target = embedder_of(self.proxy.embedder).embed([task.target.audio])[0]
        free = np.zeros((len(leaders), space.dim), dtype=np.bool_)
        for row, leader in enumerate(leaders):
            lens = active_lens(task.synth, leader.preset, task.constraints.locked)
            free[row, [space.index(name) for name in lens.names if name in space]] = True
        moved = self.proxy.moved(space.encode_all(leader.preset for leader in leaders), target, free)
        low, high = task.constraints.box(space)
        moved = np.where(free, np.clip(moved, low, high), moved)
        found = [
            (task.synth.freeze(space.decode(vector, leader.preset)), (*leader.lineage, "descent"))
            for vector, leader in zip(moved, leaders, strict=True)
        ]
        yield Proposed(self.name, pool.propose(found))
        return pool
