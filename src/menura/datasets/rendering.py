"""Rendered corpora: a plan, its shards, and the manifest when all are there. Knows no model.

A shard is a pure function of the plan and its number (`render_shard`); who calls it for which number changes nothing.
`local_rendering` calls it in processes of this machine, `ray_rendering` in those of a cluster. Shards appear whole, so
a run that ended in any way goes on where it was.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from menura.datasets.drawing import draw_preset, sampler_of
from menura.datasets.listening import Listener, Sounding
from menura.datasets.places import Place, place_of, read
from menura.datasets.plan import RenderPlan, fingerprints_here, read_plan
from menura.datasets.shards import (
    FOLDER,
    Rejected,
    Shard,
    ShardFacts,
    ShardItem,
    encode_shard,
    shard_facts,
    shard_name,
)
from menura.datasets.synthetic import MOST_DRAWS
from menura.errors import CorpusError, EngineError, InputError, PresetError, WorkError
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

PLAN, MANIFEST = "plan.json", "manifest.json"
_TRIES = 3
"""A render that failed is tried again before the draw is blamed: its worker may have been killed by someone else."""
_SECONDS = 30.0
"""That one render may take."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a corpus is."""

    items: int
    """Done, those of earlier runs included."""
    rendered: int
    """Done by this run."""
    shards: int
    """Written, those of earlier runs included."""


@dataclass(frozen=True, slots=True)
class Partly:
    """How far a shard is."""

    number: int
    items: int


Tell = Callable[[Progress], None]
Steps = Iterator["Partly | ShardFacts"]


def render_corpus(
    plan: RenderPlan, out: str, *, workers: int | None = None, ray: str | None = None, tell: Tell | None = None
) -> dict[str, Any]:
    """Renders what is missing of a corpus, and writes its manifest.

    The bytes of every file depend on the plan alone.

    Args:
        plan: what is rendered.
        out: a folder, or an fsspec address; made where it is missing.
        workers: shards at a time; None takes one for each core.
        ray: None renders on this machine; ``"local"``, ``"auto"`` or an address on a Ray cluster.
        tell: called as items are done.

    Returns:
        The manifest.

    Raises:
        CorpusError: the folder holds a corpus of another plan, or a damaged one.
        InputError: a number is out of range, or a package is missing.
        OutputError: the place cannot be written.
        EngineError: the engine is missing, or another one than the plan's.
        WorkError: an item cannot be drawn, or a shard cannot be rendered.
    """
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers; give 1 or more, or none for one a core")
    place = place_of(out)
    settle(plan, place)
    facts = dict(_finished(plan, place))
    missing = [number for number in range(plan.shards) if number not in facts]
    if not missing and place.exists(MANIFEST):
        return read_manifest(place)
    before = sum(len(plan.items(number)) for number in facts)
    partly = dict.fromkeys(missing, 0)

    def told() -> None:
        if tell:
            rendered = sum(partly.values())
            tell(Progress(before + rendered, rendered, len(facts)))

    told()
    with closing(_executor(plan, place, missing, workers, ray)) as steps:
        for step in steps:
            if isinstance(step, Partly):
                partly[step.number] = step.items
            else:
                number = _number(step.name)
                facts[number], partly[number] = step, step.items
            told()
    known = [facts[number] or _facts(place, shard_name(number)) for number in range(plan.shards)]
    manifest = _manifest(plan, known)
    place.write(MANIFEST, _json(manifest))
    place.tidy(FOLDER)
    place.tidy(".")
    return manifest


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
        return _facts(place, name)
    studio = _studio(plan)
    items: list[ShardItem] = []
    rejected: list[Rejected] = []
    for index in plan.items(number):
        items.append(studio.item(index, rejected))
        if tell:
            tell(len(items))
    data = encode_shard(plan, number, items, rejected)
    place.write(name, data)
    return shard_facts(place, name, data)


def settle(plan: RenderPlan, place: Place) -> None:
    """Writes the plan into a new corpus; refuses a corpus of another one.

    Raises:
        CorpusError: with what differs.
        OutputError: the place cannot be written.
    """
    if place.exists(PLAN):
        differences = known_plan(place).differences(plan)
        if differences:
            raise CorpusError(
                f"{place.address} holds a corpus of another plan ({'; '.join(differences)}); "
                "give what it was begun with, or another folder"
            )
        return
    if place.names(FOLDER):
        raise CorpusError(f"{place.address} holds shards but no {PLAN}; give another folder, or put {PLAN} back")
    place.write(PLAN, _json(plan.record()))


def known_plan(place: Place) -> RenderPlan:
    """The plan of a corpus. Raises CorpusError."""
    where = f"{place.address}/{PLAN}"
    if not place.exists(PLAN):
        raise CorpusError(f"{place.address} is not a corpus (it has no {PLAN}); name a folder of menura dataset render")
    return read_plan(_object(read(place, PLAN), where), where)


def read_manifest(place: Place) -> dict[str, Any]:
    """The manifest of a whole corpus. Raises CorpusError."""
    return _object(read(place, MANIFEST), f"{place.address}/{MANIFEST}")


class _Studio:
    """Everything that a process needs to make items of one plan."""

    def __init__(self, plan: RenderPlan) -> None:
        self._plan = plan
        self._synth = synth_of(plan.synth)
        here = fingerprints_here(plan)
        if here != dict(plan.fingerprints):
            differing = [f"{key} {here.get(key)}, not {value}" for key, value in plan.fingerprints.items()]
            differing = [line for line, key in zip(differing, plan.fingerprints, strict=True) if here.get(key) != plan.fingerprints[key]]
            raise EngineError(f"this machine has {'; '.join(differing)}; install what the plan was made with")
        self._sampler = sampler_of(plan.prior, self._synth)
        self._listener = Listener(plan.embedders, plan.audio)
        # Notes of one preset follow each other on one worker, which then loads its tables once: "fast" gives the same
        # bits as "exact" (docs/decisions/011-engine-hygiene.md).
        self._pool = RenderPool(plan.synth, 1, mode="fast", timeout=_SECONDS, sample_rate=plan.sample_rate)

    def item(self, index: int, rejected: list[Rejected]) -> ShardItem:
        """The first draw of an item that is to be heard at every note; the draws before it go to `rejected`."""
        why = ""
        for attempt in range(MOST_DRAWS):
            try:
                preset, file = self._drawn(index, attempt)
                soundings, why = self._heard(preset)
            except PresetError as error:
                soundings, why = None, str(error)
            if soundings is not None:
                return ShardItem(index, attempt, preset, file, soundings)
            _log.info("item %d, draw %d: %s", index, attempt, why)
            # The words of a crash may differ from run to run; the bytes of a shard may not.
            rejected.append(Rejected(index, attempt, "silent" if why == "silent" else "failed"))
        raise WorkError(
            f"item {index}: {MOST_DRAWS} draws of prior {self._plan.prior!r} in a row gave nothing to hear "
            f"(the last one: {why}); choose another prior or other notes"
        )

    def _drawn(self, index: int, attempt: int) -> tuple[Preset, bytes]:
        """The draw as it comes back from its file, so that the row holds exactly what was rendered."""
        from dataclasses import replace

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


_studios: dict[str, _Studio] = {}


def _studio(plan: RenderPlan) -> _Studio:
    """The studio of a plan; a process keeps its last one, since starting an engine costs half a second."""
    if plan.fingerprint not in _studios:
        _studios.clear()
        _studios[plan.fingerprint] = _Studio(plan)
    return _studios[plan.fingerprint]


def _executor(plan: RenderPlan, place: Place, missing: list[int], workers: int | None, ray: str | None) -> Any:
    if ray is not None and missing:
        from menura.datasets.ray_rendering import render_on_ray

        return render_on_ray(plan, place.address, missing, ray, workers)
    from menura.datasets.local_rendering import render_here

    return render_here(plan, place.address, missing, workers)


def _finished(plan: RenderPlan, place: Place) -> Iterator[tuple[int, ShardFacts | None]]:
    """Numbers of the shards that are there and whole, judged by their footers."""
    for name in place.names(FOLDER):
        number = _number(name)
        if number is None or number >= plan.shards or name != shard_name(number):
            raise CorpusError(f"{place.address}/{name} is no shard of this corpus; move it away")
        shard = Shard(place, name)
        shard.close()
        if shard.plan.fingerprint != plan.fingerprint or shard.number != number:
            raise CorpusError(f"{place.address}/{name} is of another corpus; delete it and run the same command again")
        yield number, None


def _facts(place: Place, name: str) -> ShardFacts:
    return shard_facts(place, name, read(place, name))


def _manifest(plan: RenderPlan, facts: list[ShardFacts]) -> dict[str, Any]:
    rejected: dict[str, int] = {}
    for shard in facts:
        for why, count in shard.rejected.items():
            rejected[why] = rejected.get(why, 0) + count
    return {
        "plan": plan.record(),
        "fingerprint": plan.fingerprint,
        "items": sum(shard.items for shard in facts),
        "rows": sum(shard.rows for shard in facts),
        "size": sum(shard.size for shard in facts),
        "rejected": dict(sorted(rejected.items())),
        "shards": [asdict(shard) for shard in facts],
    }


def _number(name: str) -> int | None:
    stem = name.removeprefix(f"{FOLDER}/").removesuffix(".parquet")
    return int(stem) if stem.isdigit() else None


def _json(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, indent=1, sort_keys=True) + "\n").encode()


def _object(data: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
        if not isinstance(found, dict):
            raise TypeError("it holds no object")
    except (ValueError, TypeError) as error:
        raise CorpusError(f"{where} is damaged ({error}); put it back, or render into a new folder") from error
    return found
