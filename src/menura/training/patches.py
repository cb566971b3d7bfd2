"""Rendered corpora as what estimators are trained on: patches as vectors, and how each sounds at its notes.

Owns the reading; knows no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.datasets.corpus import Corpus
from menura.errors import CorpusError, MenuraError
from menura.features import contour as contours_of
from menura.features.semitones import BANDS, FRAMES
from menura.models.sound_view import SoundView, note_row
from menura.storage import atomic_path, hash_bytes
from menura.synths.patches import PatchSpace
from menura.training.pictures import EMBEDDER, as_decibels, as_levels

SLOTS = len(contours_of.SLOTS) - 1
CONTOUR = "contour"


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Patches with what is kept of their sounds."""

    vectors: NDArray[np.float32]
    """Of the patches' space, shape (patches, dim)."""
    levels: NDArray[np.uint8]
    """Pictures as `menura.training.pictures` keeps them, shape (patches, plays, FRAMES, BANDS)."""
    contours: NDArray[np.float16]
    """dB, shape (patches, plays, SLOTS, bands)."""
    notes: NDArray[np.float32]
    """As `menura.models.sound_view.note_row` has them, shape (patches, plays, 4)."""
    fingerprint: str
    """Of the corpora and the space."""

    def __len__(self) -> int:
        return len(self.vectors)

    def view(self, patch: int, play: int) -> SoundView:
        """One sound as an estimator is shown it."""
        picture = as_decibels(self.levels[patch, play])
        return SoundView(picture, self.contours[patch, play].astype(np.float32), self.notes[patch, play])


def read_patches(corpora: Sequence[str], patches: PatchSpace, cache: Path | None = None) -> Patches:
    """The patches of whole corpora, one after the other.

    Args:
        corpora: folders or addresses; each played at as many notes as the others.
        patches: space of the vectors.
        cache: folder in which what was read is kept, since reading presets takes 20 ms each.

    Raises:
        CorpusError: one is unfinished or damaged, keeps no pictures or contours, or is of another synth.
    """
    opened = [Corpus(address) for address in corpora]
    if not opened or len({len(corpus.plan.notes) for corpus in opened}) > 1:
        raise CorpusError("the corpora play their patches at different numbers of notes; give some of one recipe")
    for corpus in opened:
        if corpus.plan.synth != patches.space.synth:
            raise CorpusError(f"{corpus.place.address} is of {corpus.plan.synth}, not of {patches.space.synth}")
        if corpus.manifest is None:
            raise CorpusError(f"{corpus.place.address} is unfinished; run the command that renders it again")
    plays = len(opened[0].plan.notes)
    parts = [_part(corpus, patches, plays, cache) for corpus in opened]
    told = "".join([patches.space.fingerprint, *(corpus.plan.fingerprint for corpus in opened)])
    vectors, levels, contours, notes = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Patches(vectors, levels, contours, notes, hash_bytes(told.encode()))


def data_of(corpora: Sequence[str]) -> dict[str, Any]:
    """What corpora are, for a model's card. Raises CorpusError."""
    plans = [Corpus(address).plan for address in corpora]
    return {
        "prior": plans[0].prior,
        "patches": sum(plan.count for plan in plans),
        "seeds": [plan.seed for plan in plans],
        "notes_of_a_patch": len(plans[0].notes),
        "fingerprints": dict(plans[0].fingerprints),
    }


_Columns = tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float16], NDArray[np.float32]]
"""As `Patches` has them."""


def _part(corpus: Corpus, patches: PatchSpace, plays: int, cache: Path | None) -> _Columns:
    name = f"patches-{hash_bytes(f'{corpus.plan.fingerprint} {patches.space.fingerprint}'.encode())[:16]}.npz"
    path = None if cache is None else cache / name
    if path is not None and path.is_file():
        with np.load(path) as found:
            return found["arr_0"], found["arr_1"], found["arr_2"], found["arr_3"]
    vectors, levels, contours = list[NDArray[np.float32]](), list[NDArray[np.uint8]](), list[NDArray[np.float16]]()
    for shard in corpus.shards():
        try:
            vectors += [patches.space.encode(shard.preset(row)) for row in range(0, shard.rows, plays)]
        except MenuraError as error:
            raise CorpusError(f"{corpus.place.address}: {error}") from error
        pictures = shard.matrix(f"embedding {EMBEDDER}").reshape(-1, plays, FRAMES, BANDS)
        levels.append(as_levels(pictures))
        contours.append(shard.matrix(f"embedding {CONTOUR}").reshape(-1, plays, SLOTS, contours_of.BANDS))
    notes = np.stack([note_row(note) for note in corpus.plan.notes])
    found = (
        np.stack(vectors),
        np.concatenate(levels),
        np.concatenate(contours).astype(np.float16),
        np.tile(notes, (len(vectors), 1, 1)),
    )
    if path is not None:
        with atomic_path(path, force=True) as partial, partial.open("wb") as file:
            np.savez_compressed(file, *found)
    return found
