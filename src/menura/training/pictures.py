"""Pictures of rendered corpora as one array: what `timbre` is trained and judged on. Knows no network.

A corpus holds them as the embedding `EMBEDDER`; a patch has one for each note at which it was played.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.datasets.corpus import Corpus
from menura.errors import CorpusError
from menura.features.semitones import BANDS, FRAMES, RANGE_DB, STEP_DB
from menura.storage import hash_bytes

EMBEDDER = "semitones/flat"
"""What a corpus must keep of its sounds."""
_PAIRS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pictures of patches, each played several times."""

    levels: NDArray[np.uint8]
    """Steps of `STEP_DB` above the floor, shape (patches, plays, FRAMES, BANDS)."""
    pitches: NDArray[np.float32]
    """MIDI, shape (patches, plays)."""
    fingerprint: str
    """Of the corpora they come from."""

    def __len__(self) -> int:
        return len(self.levels)

    def decibels(self, patches: NDArray[np.int64], play: int) -> NDArray[np.float32]:
        """The pictures of some patches at one of their notes, shape (n, FRAMES, BANDS)."""
        return as_decibels(self.levels[patches, play])

    def part(self, start: int, stop: int) -> Pictures:
        """Those of some patches that follow each other; no copy."""
        told = f"{self.fingerprint} {start} {stop}".encode()
        return Pictures(self.levels[start:stop], self.pitches[start:stop], hash_bytes(told))


def as_decibels(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Decibels from -80 to 0 of the steps above the floor; any shape."""
    return levels.astype(np.float32) * np.float32(STEP_DB) - np.float32(RANGE_DB)


def as_levels(decibels: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Steps above the floor; any shape."""
    return np.rint((np.asarray(decibels, dtype=np.float32) + RANGE_DB) / STEP_DB).astype(np.uint8)


def read_pictures(corpora: Sequence[str]) -> Pictures:
    """The pictures of whole corpora, one after the other.

    Args:
        corpora: folders or addresses; each played at as many notes as the others.

    Raises:
        CorpusError: one is unfinished or damaged, keeps no pictures, or has other numbers of notes.
    """
    opened = [Corpus(address) for address in corpora]
    if not opened or len({len(corpus.plan.notes) for corpus in opened}) > 1:
        raise CorpusError("the corpora play their patches at different numbers of notes; give some of one recipe")
    plays = len(opened[0].plan.notes)
    levels = np.empty((sum(corpus.plan.count for corpus in opened), plays, FRAMES, BANDS), dtype=np.uint8)
    pitches = np.empty(levels.shape[:2], dtype=np.float32)
    place = 0
    for corpus in opened:
        if corpus.manifest is None:
            raise CorpusError(f"{corpus.place.address} is unfinished; run the command that renders it again")
        for shard in corpus.shards():
            found = shard.matrix(f"embedding {EMBEDDER}").reshape(-1, plays, FRAMES, BANDS)
            levels[place : place + len(found)] = as_levels(found)
            pitches[place : place + len(found)] = [note.pitch for note in corpus.plan.notes]
            place += len(found)
    return Pictures(levels, pitches, hash_bytes("".join(corpus.plan.fingerprint for corpus in opened).encode()))


def twin_groups(pictures: Pictures, play: int, within: float) -> NDArray[np.int64]:
    """Which patches can hardly be told apart: equal numbers are twins, or twins of twins; shape (patches,).

    Two patches are twins where the mean absolute difference of their pictures at one note is less than `within`. No
    mean over time differs by more than the pictures do, so that those of most pairs need not be compared.

    Args:
        pictures: of the patches.
        play: the note, by its place; the same for all patches.
        within: dB.
    """
    means = np.stack([as_decibels(picture[play]).mean(axis=0) for picture in pictures.levels])
    levels = means.mean(axis=1)
    # In the order of their levels, so that each is held against its neighbours alone.
    order = np.argsort(levels, kind="stable")
    means, levels = means[order], levels[order]
    groups = np.arange(len(means))
    for start in range(0, len(means), _PAIRS_AT_ONCE):
        stop = min(start + _PAIRS_AT_ONCE, len(means))
        last = int(np.searchsorted(levels, levels[stop - 1] + within, side="right"))
        near = np.zeros((stop - start, last - start), dtype=np.float32)
        for band in range(BANDS):
            near += np.abs(means[start:stop, band, None] - means[None, start:last, band])
        for first, second in order[np.argwhere(near < within * BANDS) + start]:
            if groups[first] != groups[second]:
                one, other = (pictures.levels[place, play].astype(np.int16) for place in (first, second))
                if STEP_DB * np.abs(one - other).mean() < within:
                    groups[groups == groups[second]] = groups[first]
    return groups
