"""Rendered corpora: a plan, its shards, and the manifest when all are there. Knows no model.

A shard is a pure function of the plan and its number (`studio`); who calls it for which number changes nothing.
`local_rendering` calls it in processes of this machine, `ray_rendering` in those of a cluster. Shards appear whole, so
a run that ended in any way goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from menura.datasets.corpus import MANIFEST, PLAN, known_plan, read_manifest
from menura.datasets.local_rendering import render_here
from menura.datasets.places import Place, place_of
from menura.datasets.plan import RenderPlan
from menura.datasets.shards import FOLDER, Shard, ShardFacts, read_facts, shard_name
from menura.datasets.studio import Partly
from menura.errors import CorpusError, InputError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a corpus is."""

    items: int
    """Done, those of earlier runs included."""
    rendered: int
    """Done by this run."""
    shards: int
    """Written, those of earlier runs included."""


Tell = Callable[[Progress], None]


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
    _settle(plan, place)
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
                facts[step.number], partly[step.number] = step, step.items
            told()
    known = [facts[number] or read_facts(place, shard_name(number)) for number in range(plan.shards)]
    manifest = _manifest(plan, known)
    place.write(MANIFEST, _json(manifest))
    place.tidy(FOLDER)
    place.tidy(".")
    return manifest


def _settle(plan: RenderPlan, place: Place) -> None:
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


def _executor(
    plan: RenderPlan, place: Place, missing: list[int], workers: int | None, ray: str | None
) -> Generator[Partly | ShardFacts]:
    if ray is not None and missing:
        from menura.datasets.ray_rendering import render_on_ray

        return render_on_ray(plan, place.address, missing, ray, workers)
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
