"""Rows of rendered corpora as arrays: coordinates, notes and embeddings of patches, without their sound.

Owns how shards become arrays, and how they are kept beside a run. Knows no network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.datasets.corpus import Corpus
from menura.datasets.shards import Shard
from menura.datasets.splits import SHARES, split_of
from menura.errors import CorpusError
from menura.features.embedders import embedder_of
from menura.features.embedders.timbre import PictureNetwork, timbre_network
from menura.features.semitones import BANDS
from menura.preset import Preset
from menura.space import ParameterSpace
from menura.storage import atomic_path, hash_bytes, write_text

PICTURES = "semitones/flat"
"""The embedding of a corpus from which `timbre` follows, where a corpus keeps no `timbre`."""
_NOTE = ("pitch", "velocity", "hold", "total")
_ARRAYS = ("vectors", "further", "notes", "embeddings")
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Further:
    """Numbers of a preset that its space lacks, such as which stock table an oscillator plays."""

    space: ParameterSpace
    """What they are."""
    of: Callable[[Preset], NDArray[np.float32]]
    """Their coordinates, shape (space.dim,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Patches, each played once or more."""

    vectors: NDArray[np.float32]
    """Coordinates of the synth's space, shape (patches, dim)."""
    further: NDArray[np.float32]
    """Coordinates of what `Further` adds, shape (patches, further dim)."""
    notes: NDArray[np.float32]
    """Pitch, velocity, hold and total of each play, shape (patches, plays, 4)."""
    embeddings: NDArray[np.float16] | NDArray[np.float32]
    """Shape (patches, plays, embedding dim)."""
    lineages: tuple[str, ...]
    """What must not straddle a split, one a patch."""
    facts: Mapping[str, Any]
    """`space`: fingerprint; `embedder`: name and fingerprint; `fingerprint` of all of it; `engine`."""

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def fingerprint(self) -> str:
        """Of the rows."""
        return str(self.facts["fingerprint"])

    def first(self, count: int) -> Rows:
        """The first patches; no copy. Raises CorpusError where there are fewer."""
        if not 0 < count <= len(self):
            raise CorpusError(f"{count} patches of {len(self)}; render more, or ask for fewer")
        return self._taken(slice(0, count), f"first {count}")

    def of_part(self, part: str, shares: Mapping[str, float] = SHARES, seed: int = 0) -> Rows:
        """The patches of one part of a split by lineage, `menura.datasets.splits`. Raises InputError."""
        return self._taken(self.places_of(part, shares, seed), f"{part} {sorted(shares.items())} {seed}")

    def places_of(self, part: str, shares: Mapping[str, float] = SHARES, seed: int = 0) -> NDArray[np.int64]:
        """Which patches `of_part` takes, in their order. Raises InputError."""
        kept = [place for place, each in enumerate(self.lineages) if split_of(each, shares, seed) == part]
        return np.array(kept, dtype=np.int64)

    def played(self, *plays: int) -> Rows:
        """The same patches at some of their notes only."""
        chosen = list(plays)
        facts = {**self.facts, "fingerprint": hash_bytes(f"{self.fingerprint} played {chosen}".encode())}
        return replace(self, notes=self.notes[:, chosen], embeddings=self.embeddings[:, chosen], facts=facts)

    def _taken(self, places: Any, told: str) -> Rows:
        facts = {**self.facts, "fingerprint": hash_bytes(f"{self.fingerprint} {told}".encode())}
        lineages = self.lineages[places] if isinstance(places, slice) else tuple(self.lineages[at] for at in places)
        arrays = {name: getattr(self, name)[places] for name in _ARRAYS}
        return Rows(**arrays, lineages=lineages, facts=facts)


def read_rows(
    corpora: Sequence[str],
    embedder: str,
    *,
    keep: Path | None = None,
    further: Further | None = None,
    tell: Callable[[int], None] | None = None,
) -> Rows:
    """The rows of whole corpora, one after the other.

    Args:
        corpora: folders or addresses, of one synth, each played at as many notes as the others.
        embedder: whose vectors; `timbre` is also made from a corpus' pictures.
        keep: a folder in which arrays are kept; they are then mapped into memory, and not read again.
        further: what to take from the presets beside their coordinates.
        tell: called with the number of patches, as they are read.

    Raises:
        CorpusError: one is unfinished or damaged, keeps no such vectors, or is of another space, engine or embedder
            than the first.
        OutputError: the arrays cannot be kept.
    """
    opened = [Corpus(address) for address in corpora]
    facts = _facts(opened, embedder, further)
    if keep is not None and (kept := _kept(keep, facts)) is not None:
        return kept
    network = timbre_network()[0] if facts["pictures"] else None
    parts: list[tuple[NDArray[Any], ...]] = []
    lineages: list[str] = []
    done = 0
    for corpus in opened:
        for shard in corpus.shards():
            part, names = _read(shard, embedder, network, further)
            parts.append(part)
            lineages += names
            done += len(names)
            if tell:
                tell(done)
    arrays = {name: np.concatenate([part[place] for part in parts]) for place, name in enumerate(_ARRAYS)}
    rows = Rows(**arrays, lineages=tuple(lineages), facts=facts)
    if keep is None:
        return rows
    keep_rows(rows, keep)
    return _kept(keep, facts) or rows


def keep_rows(rows: Rows, folder: Path) -> None:
    """Writes arrays and facts, the facts last. Raises OutputError."""
    (folder / "rows.json").unlink(missing_ok=True)
    for name in _ARRAYS:
        with atomic_path(folder / f"{name}.npy", force=True) as partial:
            np.save(partial, getattr(rows, name), allow_pickle=False)
    record = {"format": _FORMAT, "facts": dict(rows.facts), "lineages": list(rows.lineages)}
    write_text(folder / "rows.json", json.dumps(record) + "\n", force=True)


def kept_rows(folder: Path) -> Rows | None:
    """Rows that were kept, mapped into memory; None where there are none. Raises CorpusError where they are damaged."""
    path = folder / "rows.json"
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != _FORMAT:
            return None
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS}
        return Rows(**arrays, lineages=tuple(record["lineages"]), facts=record["facts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{folder} holds damaged rows ({error}); delete it and run the same command again") from error


def _kept(folder: Path, facts: Mapping[str, Any]) -> Rows | None:
    found = kept_rows(folder)
    return found if found is not None and found.fingerprint == facts["fingerprint"] else None


def _facts(corpora: Sequence[Corpus], embedder: str, further: Further | None) -> dict[str, Any]:
    """What the rows are. Raises CorpusError where the corpora do not belong together."""
    if not corpora:
        raise CorpusError("no corpus to read; name folders of menura dataset render")
    pictures = embedder == "timbre" and "timbre" not in corpora[0].plan.embedders
    column = f"embedder {PICTURES if pictures else embedder}"
    found: dict[tuple[Any, ...], str] = {}
    for corpus in corpora:
        where, plan = corpus.place.address, corpus.plan
        if corpus.manifest is None:
            raise CorpusError(f"{where} is unfinished; run the command that renders it again")
        if column not in plan.fingerprints:
            raise CorpusError(
                f"{where} keeps no {embedder}, but {', '.join(plan.embedders)}; render it with --embedders {embedder}"
            )
        told = (plan.fingerprints["space"], plan.fingerprints["engine"], plan.fingerprints[column], len(plan.notes))
        found.setdefault(told, where)
        if len(found) > 1:
            one, other = list(found.values())
            raise CorpusError(
                f"{one} and {other} differ in space, engine, {embedder} or number of notes; give one kind"
            )
    space, engine, heard, _ = next(iter(found))
    if pictures:
        if heard != embedder_of(PICTURES).fingerprint:
            raise CorpusError(f"{corpora[0].place.address} keeps pictures of another menura; render it again")
        heard = embedder_of(embedder).fingerprint
    words = [
        embedder,
        heard,
        further.space.fingerprint if further else "",
        *(each.plan.fingerprint for each in corpora),
    ]
    return {
        "synth": corpora[0].plan.synth,
        "space": space,
        "engine": engine,
        "embedder": {"name": embedder, "fingerprint": heard},
        "pictures": pictures,
        "fingerprint": hash_bytes("\x1f".join(words).encode()),
    }


def _read(
    shard: Shard, embedder: str, network: PictureNetwork | None, further: Further | None
) -> tuple[tuple[NDArray[Any], ...], list[str]]:
    """The arrays of a shard, in the order of `_ARRAYS`, and its lineages."""
    plays = len(shard.plan.notes)
    count = shard.rows // plays
    vectors = np.ascontiguousarray(shard.matrix("vector")[::plays], dtype=np.float32)
    table = shard.table([*_NOTE, "origin", "preset_id"])
    notes = np.stack([table.column(name).to_numpy() for name in _NOTE], axis=1).astype(np.float32)
    origins = [json.loads(text) for text in table.column("origin").to_pylist()[::plays]]
    ids = table.column("preset_id").to_pylist()[::plays]
    if network is None:
        found = shard.matrix(f"embedding {embedder}").astype(np.float16)
    else:
        pictures = shard.matrix(f"embedding {PICTURES}").astype(np.float32)
        found = network(pictures.reshape(shard.rows, -1, BANDS)).astype(np.float16)
    more = np.zeros((count, 0), dtype=np.float32)
    if further is not None:
        more = np.stack([further.of(shard.preset(row * plays)) for row in range(count)]).astype(np.float32)
    arrays = (vectors, more, notes.reshape(count, plays, 4), found.reshape(count, plays, -1))
    return arrays, [str(origin.get("lineage", known)) for origin, known in zip(origins, ids, strict=True)]
