"""What is known of DX7 voices beyond their space, as stages ask for it. Owns the way to its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.dx7.loudness import at_target_loudness
from menura.matching.dx7.patch import HIGH, LOW, NAMES, active_names, choices
from menura.matching.dx7.refit import Refit
from menura.matching.dx7.starts import dx7_random, dx7_starts
from menura.matching.dx7.variants import dx7_variant
from menura.matching.idiom import Idiom, Start, Variant
from menura.matching.pool import Task
from menura.matching.target import Target
from menura.preset import Preset


class Dx7Idiom(Idiom):
    """The idiom of the DX7."""

    start_share = 0.08
    picks_starts = True
    ranges: Mapping[str, tuple[float, float]] = {
        name: (float(low), float(high)) for name, low, high in zip(NAMES, LOW, HIGH, strict=True)
    }

    def starts(self, task: Task, rng: np.random.Generator, n: int) -> Iterable[Start]:
        """Family-wise draws and the target's partials, the promising improved by a forecast."""
        return dx7_starts(task.target, task.constraints.base, rng, n)

    def random(self, task: Task, rng: np.random.Generator, n: int) -> list[Preset]:
        """Any algorithm, usual ratios, every knob uniform over its useful range."""
        return dx7_random(task.target, task.constraints.base, rng, n)

    def variants(self, task: Task, preset: Preset, rng: np.random.Generator, n: int) -> list[Variant]:
        """Another ratio, algorithm, operator, detuning or vibrato."""
        del task
        return [dx7_variant(preset, rng) for _ in range(n)]

    def refit(self, target: Target) -> Refit:
        """Corrected forecasts."""
        return Refit(target)

    def active(self, preset: Preset) -> Set[str]:
        """Those of operators that are heard or move one that is."""
        return active_names(preset)

    def choices(self, preset: Preset) -> str:
        """The algorithm and the coarse ratios."""
        return repr(choices(preset))

    def at_loudness(self, task: Task, candidate: Candidate) -> Preset:
        """By the carriers' output levels."""
        return at_target_loudness(task, candidate)
