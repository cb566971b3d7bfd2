"""What is known of one synth's patches beyond its space. Owns the contract and the lookup; knows no particular synth.

Stages ask an idiom how to begin, what to vary and which controls matter. The base class answers from the space alone,
which is enough for any plug-in; a synth that is known better has a class of its own in a folder of its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

import numpy as np

from menura.preset import Preset
from menura.registry import Registry

if TYPE_CHECKING:
    from menura.matching.candidate import Candidate
    from menura.matching.forecasting import CorrectedForecast
    from menura.matching.pool import Task
    from menura.matching.target import Target

Start = tuple[Preset, tuple[str, ...]]
"""A preset to begin with, and its lineage."""
Variant = tuple[Preset, str]
"""A changed preset and the word for the change."""


class Idiom:
    """The idiom of a synth of which nothing but its space is known."""

    start_share = 0.25
    """Share of a search's renders that goes into starts."""
    picks_starts = False
    """Whether a forecast picks the starts; otherwise they are blind draws."""
    ranges: Mapping[str, tuple[float, float]] = {}
    """Useful ranges of continuous controls in the engine's units, where narrower than the whole."""

    def starts(self, task: Task, rng: np.random.Generator, n: int) -> Iterable[Start]:
        """At most n starts, the most promising first."""
        return [(preset, ("start:random",)) for preset in self.random(task, rng, n)]

    def random(self, task: Task, rng: np.random.Generator, n: int) -> Iterable[Preset]:
        """N random patches at the target's pitch, uniform over useful ranges, without chance of their own."""
        space, base = task.synth.space, task.constraints.base
        return [task.synth.freeze(space.decode(vector, base)) for vector in space.sample(rng, n)]

    def variants(self, task: Task, preset: Preset, rng: np.random.Generator, n: int) -> list[Variant]:
        """At most n variants of a preset: one choice or toggle set to another position."""
        space = task.synth.space.of_kind("choice", "toggle")
        free = [name for name in space.names if name not in task.constraints.locked]
        if not free:
            return []
        found: list[Variant] = []
        vector = space.encode(preset)
        for _ in range(n):
            name = free[int(rng.integers(len(free)))]
            changed = vector.copy()
            changed[space.index(name)] = space.sample(rng, 1)[0, space.index(name)]
            found.append((task.synth.freeze(space.decode(changed, preset)), f"choice:{name}"))
        return found

    def refit(self, target: Target) -> CorrectedForecast | None:
        """Corrected forecasts for a target; None where there is no forecast."""
        del target
        return None

    def active(self, preset: Preset) -> Set[str] | None:
        """Names of the continuous controls that matter for a preset; None where all may."""
        del preset
        return None

    def choices(self, preset: Preset) -> str:
        """What no continuous control can change, as a text: patches of equal choices are of one kind."""
        routes = [(route.source, route.destination) for route in preset.routes]
        switches = [(name, value) for name, value in preset.values.items() if name.endswith(("_on", "_model", "_type"))]
        return repr((routes, sorted(switches)))

    def tuned(self, preset: Preset, semitones: float) -> Preset:
        """The preset with all of its voices tuned by at most half a semitone or so, where the synth has a control."""
        del semitones
        return preset

    def with_room(self, preset: Preset) -> Preset:
        """The preset quiet enough that the engine does not clip it, where the synth has a control for that alone."""
        return preset

    def at_loudness(self, task: Task, candidate: Candidate) -> Preset:
        """The candidate's preset as loud as the target, where the synth has a control for that alone."""
        del task
        return candidate.preset

    def held_blocks(self, base: Preset, preset: Preset, locked: Set[str]) -> Mapping[str, Any]:
        """The blocks of a preset, with what belongs to locked controls taken from the base."""
        del base, locked
        return preset.blocks


IDIOMS: Registry[type[Idiom]] = Registry(
    "idiom",
    "menura.idioms",
    {"vital": "menura.matching.vital.idiom:VitalIdiom", "dx7": "menura.matching.dx7.idiom:Dx7Idiom"},
)
"""By the synth's name."""


def idiom_of(synth: str) -> Idiom:
    """The idiom of a synth, by its name."""
    return IDIOMS.get(synth)() if synth in IDIOMS else Idiom()
