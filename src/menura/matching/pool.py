"""The candidates of one match and what they are held against. Owns the collection; knows no stage."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.constraints import Constraints
from menura.matching.hearing import Ear
from menura.matching.idiom import Idiom, idiom_of
from menura.matching.renderer import Renderer
from menura.matching.target import Target
from menura.preset import Preset
from menura.synths.base import Synth


@dataclass(frozen=True, eq=False)
class Task:
    """What a match is about; the same for all its stages."""

    target: Target
    synth: Synth
    renderer: Renderer
    """Renders in workers; in the fast mode during the search."""
    checker: Renderer
    """Renders on pristine engines: the last word."""
    hearing: Ear
    constraints: Constraints
    top: int
    """How many answers are wanted."""
    seed: int

    @cached_property
    def idiom(self) -> Idiom:
        """What is known of the synth's patches."""
        return idiom_of(self.synth.name)

    def with_room(self, preset: Preset) -> Preset:
        """The preset below clipping, where its answer will be brought to the target's loudness."""
        return preset if self.constraints.near or not self.target.audible else self.idiom.with_room(preset)


@dataclass(eq=False)
class Pool:
    """Candidates of one match, append-only, so that no stage can lose one and a cancelled match is whole."""

    task: Task
    rng: np.random.Generator
    """The present stage's own generator."""
    _waiting: list[Candidate] = field(default_factory=list[Candidate])
    _auditioned: list[Candidate] = field(default_factory=list[Candidate])
    _best: Candidate | None = None

    @property
    def best(self) -> Candidate | None:
        """The nearest candidate so far, or None."""
        return self._best

    @property
    def waiting(self) -> Sequence[Candidate]:
        """Candidates that nobody has heard yet, in the order of their proposal."""
        return tuple(self._waiting)

    @property
    def auditioned(self) -> Sequence[Candidate]:
        """Candidates with a distance, in the order of their audition."""
        return tuple(self._auditioned)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._auditioned)

    def propose(self, presets: Iterable[tuple[Preset, tuple[str, ...]]]) -> int:
        """Add presets with their lineages; they wait for an audition, within the constraints of the task."""
        task = self.task
        fitted = [Candidate(task.constraints.apply(task.with_room(preset)), lineage) for preset, lineage in presets]
        self._waiting.extend(fitted)
        return len(fitted)

    def add(self, candidates: Iterable[Candidate]) -> Candidate | None:
        """Add auditioned candidates; answers with the best of them if it is nearer than all before."""
        improved: Candidate | None = None
        for candidate in candidates:
            self._auditioned.append(candidate)
            nearer = self._best is None or candidate.distance < self._best.distance
            if nearer and math.isfinite(candidate.distance):
                self._best = improved = candidate
        return improved

    def take_waiting(self, n: int) -> list[Candidate]:
        """The first n that wait, which wait no more: whoever takes them must `add` them."""
        taken, self._waiting = self._waiting[:n], self._waiting[n:]
        return taken

    def nearest(self, n: int) -> list[Candidate]:
        """The n nearest, nearest first; equals in the order of their audition."""
        return heapq.nsmallest(n, (c for c in self._auditioned if math.isfinite(c.distance)), key=lambda c: c.distance)
