"""Shards rendered, as a pure function of the plan and a number: items drawn, played and heard until worth keeping.

Owns that loop and its engine. Knows neither the process that it runs in nor the rest of the corpus.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from menura.datasets.listening import Listener, Sounding
from menura.datasets.places import place_of
from menura.datasets.plan import RenderPlan, fingerprints_here
from menura.datasets.rendered_item import Rejected, RenderedItem
from menura.datasets.sampling import draw_preset, sampler_of
from menura.datasets.shards import ShardFacts, encode_shard, read_facts, shard_name
from menura.datasets.synthetic import MOST_DRAWS
from menura.errors import EngineError, PresetError, WorkError
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

_TRIES = 3
"""A render that failed is tried again before the draw is blamed: its worker may have been killed by someone else."""
_SECONDS = 30.0
"""That one render may take."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Partly:
    """How far a shard is."""

    number: int
    items: int


class Studio:
    """Everything that a process needs to make items of one plan; item i does not depend on its neighbours."""

    def __init__(self, plan: RenderPlan) -> None:
        """Starts no engine yet.

        Raises:
            EngineError: the engine is missing, or this machine has another one, or another space, prior or embedder,
                than the plan was made with.
        """
        self._plan = plan
        self._synth = synth_of(plan.synth)
        here = fingerprints_here(plan)
        if here != dict(plan.fingerprints):
            differing = plan.differences(replace(plan, fingerprints=here))
            raise EngineError(
                f"the corpus has {'; '.join(differing)} as this machine has; install what it was begun with"
            )
        self._sampler = sampler_of(plan.prior, self._synth)
        self._listener = Listener(plan.embedders, plan.audio)
        # Notes of one preset follow each other on one worker, which then loads its tables once: "fast" gives the same
        # bits as "exact" (docs/decisions/011-engine-hygiene.md).
        self._pool = RenderPool(plan.synth, 1, mode="fast", timeout=_SECONDS, sample_rate=plan.sample_rate)

    def item(self, index: int, rejected: list[Rejected]) -> RenderedItem:
        """The first draw of an item that is to be heard at every note.

        Args:
            index: of the item.
            rejected: the draws before it are added here.

        Raises:
            EngineError: no worker could be started.
            WorkError: 50 draws in a row were silent or failed.
        """
        why = ""
        for attempt in range(MOST_DRAWS):
            try:
                preset, file = self._drawn(index, attempt)
                soundings, why = self._heard(preset)
            except PresetError as error:
                soundings, why = None, str(error)
            if soundings is not None:
                return RenderedItem(index, attempt, preset, file, soundings)
            _log.info("item %d, draw %d: %s", index, attempt, why)
            # The words of a crash may differ from run to run; the bytes of a shard may not.
            rejected.append(Rejected(index, attempt, "silent" if why == "silent" else "failed"))
        raise WorkError(
            f"item {index}: {MOST_DRAWS} draws of prior {self._plan.prior!r} in a row gave nothing to hear "
            f"(the last one: {why}); choose another prior or other notes"
        )

    def _drawn(self, index: int, attempt: int) -> tuple[Preset, bytes]:
        """The draw as it comes back from its file, so that the row holds exactly what was rendered."""
        drawn = draw_preset(self._sampler, self._synth, self._plan.seed, index, attempt)
        file = self._synth.write(drawn)
        return replace(self._synth.read(file), origin=drawn.origin), file

    def _heard(self, preset: Preset) -> tuple[tuple[Sounding, ...] | None, str]:
        found: list[Sounding] = []
        for note in self._plan.notes:
            sounding, why = self._played(preset, note)
            if sounding is None or sounding.silent:
                return None, why or "silent"
            found.append(sounding)
        return tuple(found), ""

    def _played(self, preset: Preset, note: Note) -> tuple[Sounding | None, str]:
        why = ""
        for _ in range(_TRIES):
            rendered = self._pool.render_many([(preset, note)], measure=self._listener)[0]
            if rendered.ok:
                return rendered.measured, ""
            why = rendered.error or "it gave no sound"
        return None, why


def render_shard(plan: RenderPlan, out: str, number: int, tell: Callable[[int], None] | None = None) -> ShardFacts:
    """One shard, rendered and written; one that is there is left as it is.

    Args:
        plan: of the corpus.
        out: where it lies.
        number: of the shard.
        tell: called with the number of items that are done, after each.

    Raises:
        CorpusError: the shard is there and damaged.
        OutputError: the place cannot be written.
        EngineError: the engine is missing, or another one than the plan's.
        WorkError: an item cannot be drawn.
    """
    place, name = place_of(out), shard_name(number)
    if place.exists(name):
        return read_facts(place, name)
    studio = _studio(plan)
    items: list[RenderedItem] = []
    rejected: list[Rejected] = []
    for index in plan.items(number):
        items.append(studio.item(index, rejected))
        if tell:
            tell(len(items))
    data = encode_shard(plan, number, items, rejected)
    place.write(name, data)
    return read_facts(place, name, data)


_studios: dict[str, Studio] = {}


def _studio(plan: RenderPlan) -> Studio:
    """The studio of a plan; a process keeps its last one, since starting an engine costs half a second."""
    if plan.fingerprint not in _studios:
        _studios.clear()
        _studios[plan.fingerprint] = Studio(plan)
    return _studios[plan.fingerprint]
