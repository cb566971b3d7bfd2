"""Patches of rendered corpora into a library: what was heard when they were rendered is not rendered again.

Owns what of a corpus is what of a library. Renders nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from menura.datasets.corpus import Corpus
from menura.datasets.shards import Shard
from menura.errors import CorpusError
from menura.features.embedders.timbre import PictureNetwork
from menura.features.semitones import BANDS
from menura.library.library import Library
from menura.library.packing import Parts, pack
from menura.library.segment import Row

PICTURES = "semitones/flat"
"""The embedding of a corpus from which `timbre` follows."""


def gather(
    library: Library,
    corpora: Sequence[Corpus],
    network: PictureNetwork,
    tell: Callable[[int], None] | None = None,
) -> int:
    """Adds all patches of some corpora, but for the corpora that the library has.

    Args:
        library: whose notes are among each corpus' own; its embedders are `timbre` or some that the corpora keep and
            that ignore gain and what is before the onset.
        corpora: whole.
        network: of `timbre`.
        tell: called with the number of patches, after each corpus.

    Returns:
        How many patches the library has.

    Raises:
        CorpusError: a corpus is unfinished or damaged, of another synth or space, or lacks a note or an embedding.
        OutputError: the disk refuses; what was written stays.
    """
    parts, base = Parts(library.folder / "parts"), library.synth.init()
    for corpus in corpora:
        source = f"corpus {corpus.plan.fingerprint[:16]}"
        if library.sources.get(source, 0) == corpus.plan.count:
            continue
        plays = _plays(library, corpus)
        rows: list[Row] = []
        for shard in corpus.shards():
            count = len(corpus.plan.notes)
            fast, close = (
                _heard(shard, name, network).reshape(shard.rows // count, count, -1)[:, plays].astype(np.float16)
                for name in (library.card.ear.fast, library.card.ear.close)
            )
            for place in range(len(fast)):
                packed = pack(shard.preset(place * count), base, parts)
                rows.append(Row(packed, "", fast[place], close[place]))
        library.append(rows, source, corpus.plan.count)
        if tell:
            tell(len(library))
    return len(library)


def _plays(library: Library, corpus: Corpus) -> list[int]:
    """Places of the library's notes among the corpus' own."""
    where = corpus.place.address
    if corpus.manifest is None:
        raise CorpusError(f"{where} is unfinished; run the command that renders it again")
    corpus.require(library.synth.space)
    # Of equal pitches the first: a corpus for libraries has their notes before all others.
    pitches = [note.pitch for note in corpus.plan.notes]
    missing = [pitch for pitch in library.card.notes if pitch not in pitches]
    if missing:
        raise CorpusError(f"{where} plays {pitches}, not {missing}; give corpora that play the library's notes")
    for name, fingerprint in zip(
        (library.card.ear.fast, library.card.ear.close), library.card.fingerprints, strict=True
    ):
        kept = corpus.plan.fingerprints.get(f"embedder {PICTURES if _from_pictures(name) else name}")
        if kept is None or (not _from_pictures(name) and kept != fingerprint):
            raise CorpusError(f"{where} keeps no {name} as this menura hears it; render it again with --embedders")
    return [pitches.index(pitch) for pitch in library.card.notes]


def _heard(shard: Shard, name: str, network: PictureNetwork) -> NDArray[np.float32]:
    """An embedding of all rows, shape (rows, dim)."""
    if not _from_pictures(name):
        return shard.matrix(f"embedding {name}").astype(np.float32)
    pictures = shard.matrix(f"embedding {PICTURES}").astype(np.float32)
    return network(pictures.reshape(shard.rows, -1, BANDS))


def _from_pictures(name: str) -> bool:
    return name.partition("=")[0] == "timbre"
