"""A folder of patches that can be searched by sound, in two stages. Owns what it says of itself and the search.

First the fast embedding finds `CANDIDATES` patches at the rendered note nearest to the query's, then the perceptual
one puts them in order. Whoever wants to be sure renders the first of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import InputError, OutputError
from menura.library.card import Card, Hit
from menura.library.index import VectorIndex
from menura.library.listening import Ear
from menura.library.packing import Parts, unpack
from menura.library.segment import Row, Segment, decoded
from menura.preset import Preset
from menura.storage import cache_folder, hash_file, write_text
from menura.synths.base import Synth
from menura.synths.registry import synth_of

Distance = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float64]]
"""How far rows, shape (n, dim), are from a vector, shape (dim,)."""
CANDIDATES = 1_000
"""Patches that the second stage puts in order."""
FORMAT = 2
_CARD = "library.json"
PACKAGED = Path(__file__).parent / "packaged"
"""Of libraries that come with menura; nothing is written there but by recipes/default_library.py."""


def default_folder(synth: str) -> Path:
    """Where the user's library of a synth lies unless told otherwise. It need not exist."""
    return cache_folder() / "libraries" / re.sub(r"[^\w.-]", "_", synth)


def packaged_folder(synth: str) -> Path:
    """Where the library of a synth lies that menura brings. It need not exist."""
    return PACKAGED / re.sub(r"[^\w.-]", "_", synth)


class Library:
    """Patches, what was heard of them, and an index for each note.

    Args:
        folder: where it lies.
        card: what it is made of.
        segments: its parts, in order.
        sources: what was read so far of each source, by its name.
    """

    def __init__(
        self, folder: Path, card: Card, segments: Sequence[Segment] = (), sources: dict[str, int] | None = None
    ) -> None:
        self.folder = folder
        self.card = card
        self.segments = list(segments)
        self.sources = dict(sources or {})
        self._parts = Parts(folder / "parts")
        self._indexes: dict[int, VectorIndex] = {}

    @classmethod
    def open(cls, folder: str | Path) -> Library:
        """A library that was built before.

        Raises:
            InputError: there is none, it is damaged, or it was built with another space or other embedders.
        """
        folder = Path(folder)
        path = folder / _CARD
        try:
            known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if known["format"] != FORMAT:
                raise InputError(f"{path} has format {known['format']}, this menura reads {FORMAT}; build it again")
            card = Card(
                known["synth"],
                known["space"],
                known["engine"],
                tuple(known["notes"]),
                Ear(**known["ear"]),
                tuple(known["fingerprints"]),
            )
            segments = [Segment(folder / s["folder"], s["count"], s["sha256"]) for s in known["segments"]]
            sources: dict[str, int] = known["sources"]
        except OSError as error:
            raise InputError(f"{folder} holds no library; make one: menura library build --out {folder}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is damaged ({error}); delete the folder and build the library again") from error
        now = Card.of(synth_of(card.synth), card.notes, card.ear)
        if now.space != card.space:
            raise InputError(f"{folder} was built for another version of {card.synth}'s parameters; build it again")
        if now.fingerprints != card.fingerprints:
            raise InputError(
                f"{folder} was built with other weights of {card.ear.fast} or {card.ear.close}; build again"
            )
        return cls(folder, card, segments, sources)

    @classmethod
    def default(cls, synth: str) -> Library:
        """The library that MENURA_LIBRARY names, or the user's own of that synth, or the one that menura brings.

        Raises:
            InputError: there is none, or it cannot be used.
        """
        named, own, packaged = os.environ.get("MENURA_LIBRARY"), default_folder(synth), packaged_folder(synth)
        if not named and not (own / _CARD).exists() and (packaged / _CARD).exists():
            return cls.open(packaged)
        return cls.open(Path(named) if named else own)

    @classmethod
    def find(cls, synth: str) -> Library | None:
        """As `default`; None where there is none and MENURA_LIBRARY names none.

        Raises:
            InputError: the one that there is cannot be used.
        """
        there = any((folder / _CARD).exists() for folder in (default_folder(synth), packaged_folder(synth)))
        return cls.default(synth) if there or os.environ.get("MENURA_LIBRARY") else None

    def __len__(self) -> int:
        return sum(segment.count for segment in self.segments)

    @cached_property
    def synth(self) -> Synth:
        """Whose patches they are."""
        return synth_of(self.card.synth)

    def require(self, synth: str) -> None:
        """Raises InputError where the patches are of another synth."""
        if self.card.synth != synth:
            raise InputError(f"the library holds patches of {self.card.synth}, not of {synth}")

    def append(self, rows: Sequence[Row], source: str | None = None, read: int = 0) -> None:
        """Writes patches as a new segment, and then that it is there; killed between the two, nothing has changed.

        Args:
            rows: may be empty, where all of a source's next patches were silent.
            source: where they come from; None is not remembered.
            read: how many of the source's patches have been read by now.

        Raises:
            OutputError: the disk refuses.
        """
        if rows:
            segment = Segment.write(self.folder / "segments" / f"{len(self.segments):05d}", rows)
            self.segments.append(segment)
        if source is not None:
            self.sources[source] = read
        self._indexes.clear()
        self.save()

    def save(self) -> None:
        """Writes the card. Raises OutputError."""
        card = self.card
        content = {
            "format": FORMAT,
            "synth": card.synth,
            "space": card.space,
            "engine": card.engine,
            "notes": card.notes,
            "ear": {"fast": card.ear.fast, "close": card.ear.close},
            "fingerprints": card.fingerprints,
            "sources": self.sources,
            "segments": [
                {"folder": s.folder.relative_to(self.folder).as_posix(), "count": s.count, "sha256": s.sha256}
                for s in self.segments
            ],
        }
        write_text(self.folder / _CARD, json.dumps(content, indent=1) + "\n", force=True)

    def check(self) -> None:
        """Raises InputError where a file is missing or is not what was written."""
        for segment in self.segments:
            segment.check()

    def preset(self, number: int) -> Preset:
        """The preset of a patch.

        Raises:
            InputError: there is no such number, or the patch's file has gone or changed.
        """
        line = self._line(number)
        return unpack(line, self.synth.init(), self._parts)

    def paths(self) -> set[str]:
        """The user's own files that are in the library."""
        found = {json.loads(line)["path"] for segment in self.segments for line in segment.lines}
        return found - {""}

    def search(
        self,
        sound: Audio,
        pitch: float | None,
        n: int = 10,
        *,
        candidates: int = CANDIDATES,
        distances: Sequence[Distance] = (),
    ) -> list[Hit]:
        """The patches that sound most like a sound, nearest first.

        Args:
            sound: any rate and level.
            pitch: MIDI pitch that it plays; None for one without pitch, which is heard as it is.
            n: how many.
            candidates: patches of the first stage.
            distances: between perceptual embeddings; of several, the nearest by each come by turns. Without any, the
                root of the mean square.

        Raises:
            InputError: the library is empty or damaged.
            AudioError: the sound is silent.
        """
        place = self._place(60.0 if pitch is None else pitch)
        note = self.card.notes[place]
        heard = self.card.ear.hear(sound if pitch is None else sound.transposed(note - pitch))
        fast, close = (vector.astype(np.float32) for vector in heard)
        _, numbers = self.index(place).search(fast[None], min(max(candidates, n), len(self)))
        found = numbers[0][numbers[0] >= 0]
        rows = self._close(found, place)
        apart = [distance(rows, close) for distance in distances or (_root_mean_square,)]
        orders = np.stack([np.argsort(each, kind="stable")[:n] for each in apart], axis=1)
        turns = {int(rank): apart[turn][rank] for row in orders[::-1] for turn, rank in enumerate(row)}
        ranks = list(dict.fromkeys(int(rank) for rank in orders.ravel()))[:n]
        return [self._hit(int(found[rank]), float(turns[rank]), note) for rank in ranks]

    def heard_at(self, pitch: float) -> tuple[float, NDArray[np.float32]]:
        """The perceptual embeddings of all patches at the rendered note that is nearest to a pitch.

        Args:
            pitch: MIDI pitch.

        Returns:
            The note's MIDI pitch, and shape (patches, dim).

        Raises:
            InputError: the library is empty or damaged.
        """
        place = self._place(pitch)
        rows = np.concatenate([decoded(segment.close[:, place]) for segment in self.segments])
        return self.card.notes[place], rows

    def _place(self, pitch: float) -> int:
        """The rendered note that is nearest to a pitch. Raises InputError where there are no patches."""
        if not len(self):
            raise InputError(f"{self.folder} has no patches; add some: menura library add {self.folder} PRESETS")
        return int(np.argmin([abs(note - pitch) for note in self.card.notes]))

    def index(self, place: int) -> VectorIndex:
        """The index of a note, by its place among the notes; made where it is missing or older than the patches.

        Raises:
            InputError: the library is damaged.
        """
        if place not in self._indexes:
            path = self._index_folder / f"{self.card.notes[place]:g}-{len(self)}.faiss"
            try:
                self._indexes[place] = VectorIndex.load(path)
            except InputError:
                self._indexes[place] = self._indexed(place, path)
        return self._indexes[place]

    def _indexed(self, place: int, path: Path) -> VectorIndex:
        index = VectorIndex.build(np.concatenate([decoded(segment.fast[:, place]) for segment in self.segments]))
        # A library of the system's, or on a full disk, is searched all the same.
        with contextlib.suppress(OutputError, OSError):
            for old in path.parent.glob(f"{self.card.notes[place]:g}-*.faiss"):
                old.unlink(missing_ok=True)
            index.save(path)
        return index

    def _hit(self, number: int, distance: float, note: float) -> Hit:
        line = self._line(number)
        return Hit(number, str(line["name"]), str(line["path"]), distance, note)

    def _line(self, number: int) -> dict[str, Any]:
        if not 0 <= number < len(self):
            raise InputError(f"there is no patch {number}; the library has {len(self)}, from 0")
        which, place = (int(found[0]) for found in self._places(np.array([number])))
        return json.loads(self.segments[which].lines[place])

    def _close(self, numbers: NDArray[np.int64], note: int) -> NDArray[np.float32]:
        """The perceptual embeddings of patches, shape (n, dim); each segment is read once."""
        which, places = self._places(numbers)
        codes = np.empty(len(numbers), dtype=self.segments[0].close.dtype)
        for segment in np.unique(which):
            mine = which == segment
            codes[mine] = self.segments[segment].close[places[mine], note]
        return decoded(codes)

    def _places(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(segment, row in it) of each patch."""
        ends = np.cumsum([segment.count for segment in self.segments])
        which = np.searchsorted(ends, numbers, side="right")
        return which, numbers - np.concatenate([[0], ends])[which]

    @property
    def _index_folder(self) -> Path:
        """Beside the patches; of a library in the package in the user's cache, since a package may not be written."""
        if not self.folder.is_relative_to(PACKAGED):
            return self.folder / "index"
        return cache_folder() / "libraries" / "indexes" / hash_file(self.folder / _CARD)[:16]


def _root_mean_square(rows: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.sqrt(np.mean((rows - vector) ** 2, axis=1))
