"""Is a corpus whole, and what is in it? Reads every byte once; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.datasets.corpus import Corpus
from menura.datasets.places import read
from menura.datasets.shards import Shard, shard_name
from menura.errors import CorpusError, MenuraError
from menura.storage import hash_bytes
from menura.synths.registry import synth_of

_SHOWN = 4000
"""Rows whose embedding is kept for the picture."""
_MEASURES = ("peak", "rms_dbfs", "duration")
_PLAIN = ("index", "play", "attempt", "preset_id", *_MEASURES)


@dataclass(slots=True, eq=False)
class Findings:
    """What a check found."""

    shards: int = 0
    """Whole ones."""
    missing: list[str] = field(default_factory=list[str])
    """Shards that are not there."""
    damaged: dict[str, str] = field(default_factory=dict[str, str])
    """Shard to what is wrong with it."""
    items: int = 0
    rows: int = 0
    size: int = 0
    """Bytes."""
    rejected: dict[str, int] = field(default_factory=dict[str, int])
    """Reason to number of draws that were replaced."""
    duplicates: int = 0
    """Items whose preset equals that of an earlier one."""
    play: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    """Which of the plan's notes each row is, shape (rows,)."""
    measures: dict[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    """Name to what was measured of each row, shape (rows,)."""
    shown: NDArray[np.float16] = field(default_factory=lambda: np.empty((0, 0), np.float16))
    """The first embedder's vectors of some thousand rows, evenly taken, shape (n, dim)."""
    shown_play: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    """Which of the plan's notes those are, shape (n,)."""

    def statistics(self) -> dict[str, dict[str, float]]:
        """Of each measure the 5th, 50th and 95th percentile over the rows."""
        return {
            name: {f"p{share:02d}": float(np.percentile(values, share)) for share in (5, 50, 95)}
            for name, values in self.measures.items()
            if values.size
        }


def check_corpus(corpus: Corpus, tell: Callable[[int], None] | None = None) -> Findings:
    """Reads all of a corpus.

    Of every shard: its bytes are those of the manifest, where there is one; every page has its checksum; rows are
    those of the plan, in order; vectors lie in the space; the first preset comes back as it was.

    Args:
        corpus: finished or not; of one that is not, missing shards are no damage.
        tell: called with the number of shards that are read.

    Raises:
        CorpusError: the place cannot be reached.
    """
    hashes = {shard["name"]: shard["sha256"] for shard in (corpus.manifest or {}).get("shards", [])}
    there = set(corpus.names)
    found = Findings()
    gathered: dict[str, list[NDArray[Any]]] = {name: [] for name in ("play", "shown", "shown_play", *_MEASURES)}
    step = max(corpus.plan.count * len(corpus.plan.notes) // _SHOWN, 1)
    seen: list[NDArray[np.uint64]] = []
    for number in range(corpus.plan.shards):
        name = shard_name(number)
        if name not in there:
            found.missing.append(name)
            if corpus.manifest:
                found.damaged[name] = "it is missing; run the same menura dataset render again"
            continue
        try:
            data = read(corpus.place, name)
            if name in hashes and hash_bytes(data) != hashes[name]:
                raise CorpusError(_mend("its bytes are not those of the manifest"))
            shard = Shard(corpus.place, name, data)
            columns = _checked(corpus, shard, number)
        except CorpusError as error:
            found.damaged[name] = str(error)
        else:
            _gather(gathered, shard, columns, step)
            items = np.unique(columns["index"], return_index=True)[1]
            seen.append(np.array([int(columns["preset_id"][row][:16], 16) for row in items], np.uint64))
            found.shards += 1
            found.items += len(items)
            found.rows += shard.rows
            found.size += len(data)
            for draw in shard.rejected:
                found.rejected[draw.why] = found.rejected.get(draw.why, 0) + 1
        if tell:
            tell(number + 1)
    ids = np.concatenate(seen) if seen else np.empty(0, np.uint64)
    found.duplicates = int(ids.size - np.unique(ids).size)
    found.rejected = dict(sorted(found.rejected.items()))
    for name, parts in gathered.items():
        if parts and name in _MEASURES:
            found.measures[name] = np.concatenate(parts)
        elif parts:
            setattr(found, name, np.concatenate(parts))
    return found


def _checked(corpus: Corpus, shard: Shard, number: int) -> Mapping[str, Any]:
    """The plain columns of a shard that is as it must be. Raises CorpusError."""
    plan = corpus.plan
    if shard.plan.fingerprint != plan.fingerprint or shard.number != number:
        raise CorpusError(_mend("it is of another corpus or another place in it"))
    table = shard.table()  # all pages, so that every checksum is looked at
    columns = {name: table.column(name).to_numpy() for name in _PLAIN}
    notes = len(plan.notes)
    if not np.array_equal(columns["index"], np.repeat(list(plan.items(number)), notes)):
        raise CorpusError(_mend("its items are not those of the plan"))
    if not np.array_equal(columns["play"], np.tile(np.arange(notes), shard.rows // notes)):
        raise CorpusError(_mend("its notes are not those of the plan"))
    vectors = shard.matrix("vector")
    if not (np.isfinite(vectors).all() and vectors.min() >= 0.0 and vectors.max() <= 1.0):
        raise CorpusError(_mend("its vectors leave the space"))
    try:
        preset, space = shard.preset(0), synth_of(plan.synth).space
        if space.fingerprint == plan.fingerprints["space"] and not np.array_equal(space.encode(preset), vectors[0]):
            raise CorpusError(_mend("its first preset has another vector"))
    except MenuraError as error:
        raise CorpusError(str(error)) from error
    if preset.id != columns["preset_id"][0]:
        raise CorpusError(_mend("its first preset is not the one that was rendered"))
    return columns


def _gather(gathered: dict[str, list[NDArray[Any]]], shard: Shard, columns: Mapping[str, Any], step: int) -> None:
    for name in ("play", *_MEASURES):
        gathered[name].append(columns[name])
    if shard.plan.embedders:
        gathered["shown"].append(shard.matrix(f"embedding {shard.plan.embedders[0]}")[::step])
        gathered["shown_play"].append(columns["play"][::step])


def _mend(what: str) -> str:
    return f"{what}; delete it and run the same menura dataset render again"


def as_record(found: Findings, corpus: Corpus) -> dict[str, Any]:
    """The findings as JSON values, without the arrays."""
    return {
        "corpus": corpus.place.address,
        "whole": not found.damaged and not found.missing,
        "shards": found.shards,
        "items": found.items,
        "rows": found.rows,
        "size": found.size,
        "missing": found.missing,
        "damaged": found.damaged,
        "rejected": found.rejected,
        "duplicates": found.duplicates,
        "statistics": found.statistics(),
    }
