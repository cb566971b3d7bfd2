"""A first stage: patches that a network says may sound like the target. Owns the way from samples into the pool."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from menura.events import Event, Proposed, Started, Warned
from menura.matching.budget import Account
from menura.matching.pool import Pool
from menura.matching.target import Target, base_frequency
from menura.models.estimator import Estimator
from menura.models.shipped import default_model, model_of
from menura.models.sound_view import SoundView
from menura.synths.patches import patch_space

SHARE = 0.25
"""Share of the renders left that samples take."""
MOST = 64
"""Samples beyond which the next ones say little new."""


LEFT_OUT = "the model is left out: its patches would not stay near the given preset"


class Predict:
    """Proposes samples of an estimator, brought to the target's pitch.

    Args:
        model: An estimator, the name or folder of one, or a kind (`flow`, `regression`, ...) of which the package's own
            is taken.
        n: How many samples; None is a share of the renders left.
        share: That share.
        told: Whether the network is told which note it hears; otherwise it infers the note. An unpitched sound's is
            never told.
        routed: Whether modulation routes are kept; without, a benchmark tells what they are worth.
    """

    name = "model"

    def __init__(
        self,
        model: Estimator | str = "flow",
        n: int | None = None,
        share: float = SHARE,
        *,
        told: bool = True,
        routed: bool = True,
    ) -> None:
        self.model = model
        self.n = n
        self.share = share
        self.told = told
        self.routed = routed
        self._opened: dict[str, Estimator] = {}

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose the samples; where the user wants to stay near a preset, there is nothing to propose.

        Raises:
            InputError: there is no such model, or it is damaged.
            SpaceError: it answers for another synth or version.
        """
        yield Started(self.name, account.left)
        task = pool.task
        if task.constraints.near:
            yield Warned(LEFT_OUT)
            return pool
        estimator = self.estimator(pool)
        n = int(np.clip(round(self.share * account.left), min(1, account.left), MOST))
        n = n if self.n is None else min(self.n, account.left)
        pitched = task.target.estimate.pitched
        view = view_of(task.target, told=self.told)
        tune = 12.0 * float(np.log2(base_frequency(task.target) / task.target.note.frequency_hz)) if pitched else 0.0
        onto = task.synth.init()
        presets = (estimator.space.decode(vector, onto) for vector in estimator.samples(view, n, pool.rng))
        if not self.routed:
            presets = (replace(preset, routes=()) for preset in presets)
        found = [
            (task.synth.freeze(task.idiom.tuned(preset, tune)), (f"model:{estimator.kind}",)) for preset in presets
        ]
        yield Proposed(self.name, pool.propose(found))
        return pool

    def estimator(self, pool: Pool) -> Estimator:
        """The model, opened for the synth that answers.

        Raises:
            InputError: there is no such model, or it is damaged.
            SpaceError: it answers for another synth or version.
        """
        synth = pool.task.synth
        if isinstance(self.model, Estimator):
            return self.model.fitting(patch_space(synth).space)
        if synth.name not in self._opened:
            from menura.models.estimator_kinds import KINDS

            named = str(default_model(synth.name, self.model)) if self.model in KINDS else self.model
            self._opened[synth.name] = model_of(named, patch_space(synth))
        return self._opened[synth.name]


@lru_cache(maxsize=2)
def view_of(target: Target, *, told: bool = True) -> SoundView:
    """What a model hears of a target; with its note, where it is told and there is one."""
    return SoundView.of(target.audio, target.note if told and target.estimate.pitched else None)
