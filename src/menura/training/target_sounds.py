"""Sounds to match: pictures of corpora's patches at one note, and the sounds that answers are held against.

Corpora that hold no sound are played again. What was made is kept shard by shard, so that a run that ended in any way
goes on where it was. Knows no network and no metric.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, section 7.1 for the picture.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.datasets.corpus import Corpus
from menura.datasets.shards import Shard
from menura.errors import CorpusError, InputError
from menura.features.spectra import mel_power, power_to_db
from menura.note import Note
from menura.preset import Preset
from menura.storage import atomic_path, hash_bytes
from menura.synths.pool import RenderPool

RATE, SECONDS = 32_000, 1.5
"""Of all sounds that are seen and compared."""
WINDOW, HOP, BANDS = 1_024, 512, 128
SAMPLES = round(RATE * SECONDS)
FRAMES = 1 + SAMPLES // HOP
_FORMAT = 1
_AT_ONCE = 256
_ARRAYS = ("places", "pictures", "peaks", "samples")


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """One sound as it is kept."""

    picture: NDArray[np.float16]
    """dB, shape (FRAMES, BANDS)."""
    peak: float
    samples: NDArray[np.float32] | None = None
    """Mono, shape (SAMPLES,), where they are kept."""


Piece = tuple[Path, NDArray[np.int64], Callable[[], list["Heard | None"]]]
"""Where a piece is kept, which patches it holds, and what makes it."""


@dataclass(frozen=True, slots=True)
class Ear:
    """A measure for the render pool."""

    samples: bool = False
    """Whether the sound itself is kept."""

    def __call__(self, sound: Audio) -> Heard:
        """The picture of a sound."""
        mono = as_seen(sound)
        return Heard(picture_of(mono), float(np.abs(mono).max(initial=0.0)), mono if self.samples else None)


@dataclass(frozen=True, slots=True, eq=False)
class TargetSounds:
    """Sounds of some patches."""

    places: NDArray[np.int64]
    """Which patches of the corpora, shape (n,); those that could not be played are left out."""
    pictures: NDArray[np.float16]
    """Shape (n, FRAMES, BANDS)."""
    peaks: NDArray[np.float32]
    """Shape (n,)."""
    samples: NDArray[np.float32] | None
    """Shape (n, SAMPLES)."""
    fingerprint: str

    def __len__(self) -> int:
        return len(self.places)


def as_seen(sound: Audio) -> NDArray[np.float32]:
    """One channel of `SAMPLES` samples at `RATE`: what is longer is cut, what is shorter ends in silence."""
    mono = sound.to_mono().resample(RATE).pad_to(SAMPLES).samples[0, :SAMPLES]
    return np.ascontiguousarray(mono, dtype=np.float32)


def picture_of(mono: NDArray[np.float32]) -> NDArray[np.float16]:
    """Log-mel picture in dB, 80 below its loudest cell at the least, shape (FRAMES, BANDS); level counts."""
    return power_to_db(mel_power(mono, RATE, WINDOW, HOP, BANDS), reference=1.0).astype(np.float16)


def play_of(corpus: Corpus, note: Note) -> int:
    """Which play of a corpus is at this pitch and velocity. Raises CorpusError."""
    for place, known in enumerate(corpus.plan.notes):
        if np.allclose((known.pitch, known.velocity), (note.pitch, note.velocity)):
            return place
    raise CorpusError(
        f"{corpus.place.address} is not played at pitch {note.pitch:g}, velocity {note.velocity:g}; render one that is"
    )


def read_targets(
    corpora: Sequence[str],
    places: Sequence[int] | NDArray[np.int64],
    note: Note,
    keep: Path,
    *,
    samples: bool = False,
    workers: int | None = None,
    tell: Callable[[int], None] | None = None,
) -> TargetSounds:
    """The sounds of some patches, from the corpora where those hold them, else played.

    Args:
        corpora: folders or addresses of one synth, in the order of the patches.
        places: of the patches, counted over all corpora, each once and in their order.
        note: which of the corpora's notes, by pitch and velocity.
        keep: folder of what was made; parts that are there are not made again.
        samples: whether the sounds themselves are kept.
        workers: processes that render.
        tell: called with the number of patches that are done.

    Raises:
        CorpusError: a corpus is unfinished or damaged, or has no such note.
        InputError: there are no patches, or not in their order.
        EngineError: no worker could be started.
        OutputError: a part cannot be written.
    """
    opened = [Corpus(address) for address in corpora]
    for corpus in opened:
        if corpus.manifest is None:
            raise CorpusError(f"{corpus.place.address} is unfinished; run the command that renders it again")
    if not opened:
        raise InputError("no corpus to hear; name folders of menura dataset render")
    plans = [corpus.plan.fingerprint for corpus in opened]
    wanted = _in_order(places)
    fingerprint = _fingerprint(plans, wanted, note, samples)
    folder = keep / fingerprint[:16]
    with RenderPool(opened[0].plan.synth, workers, mode="fast", sample_rate=opened[0].plan.sample_rate) as pool:

        def pieces() -> Iterator[Piece]:
            for number, (corpus, shard, first) in enumerate(_shards(opened)):
                own = wanted[(wanted >= first) & (wanted < first + shard.rows // len(corpus.plan.notes))]
                if own.size:
                    play = play_of(corpus, note)
                    yield folder / f"{number:05d}.npz", own, partial(_heard, shard, own - first, play, samples, pool)

        return _gathered(pieces(), samples, fingerprint, tell)


def play_targets(
    synth: str,
    presets: Callable[[NDArray[np.int64]], Sequence[Preset]],
    source: str,
    places: Sequence[int] | NDArray[np.int64],
    note: Note,
    keep: Path,
    *,
    samples: bool = False,
    workers: int | None = None,
    tell: Callable[[int], None] | None = None,
) -> TargetSounds:
    """The sounds of presets that lie in no corpus; the other arguments and errors as of `read_targets`.

    Args:
        synth: that plays them.
        presets: those of some places.
        source: fingerprint of all of them.
        places: which are heard, each once and in their order.
        note: how each is played.
        keep: folder of what was made.
        samples: whether the sounds themselves are kept.
        workers: processes that render.
        tell: called with the number of presets that are done.
    """
    wanted = _in_order(places)
    fingerprint = _fingerprint([source], wanted, note, samples)
    folder = keep / fingerprint[:16]
    with RenderPool(synth, workers, mode="fast") as pool:

        def heard(own: NDArray[np.int64]) -> list[Heard | None]:
            requests = [(preset, note) for preset in presets(own)]
            return [each.measured if each.ok else None for each in pool.render_many(requests, measure=Ear(samples))]

        def pieces() -> Iterator[Piece]:
            for number, start in enumerate(range(0, len(wanted), _AT_ONCE)):
                own = wanted[start : start + _AT_ONCE]
                yield folder / f"{number:05d}.npz", own, partial(heard, own)

        return _gathered(pieces(), samples, fingerprint, tell)


def _in_order(places: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    wanted = np.asarray(places, dtype=np.int64)
    if not wanted.size or (np.diff(wanted) <= 0).any():
        raise InputError("no patches to hear, or not in their order; give places that rise")
    return wanted


def _fingerprint(sources: Sequence[str], places: NDArray[np.int64], note: Note, samples: bool) -> str:
    told = [_FORMAT, list(sources), places.tolist(), asdict(note), samples, RATE, WINDOW, HOP, BANDS]
    return hash_bytes(json.dumps(told).encode())


def _gathered(
    pieces: Iterator[Piece], samples: bool, fingerprint: str, tell: Callable[[int], None] | None
) -> TargetSounds:
    """All pieces, those that are missing made first."""
    parts: list[dict[str, NDArray[Any]]] = []
    done = 0
    for path, own, make in pieces:
        if not path.exists():
            _write(path, own, make())
        parts.append(_read(path, own))
        done += len(own)
        if tell:
            tell(done)
    found = {name: np.concatenate([part[name] for part in parts]) for name in _ARRAYS}
    return TargetSounds(
        found["places"], found["pictures"], found["peaks"], found["samples"] if samples else None, fingerprint
    )


def _shards(corpora: Sequence[Corpus]) -> Iterator[tuple[Corpus, Shard, int]]:
    """Each shard with its corpus, and the number of patches before it."""
    first = 0
    for corpus in corpora:
        for shard in corpus.shards():
            yield corpus, shard, first
            first += shard.rows // len(corpus.plan.notes)


def _heard(shard: Shard, patches: NDArray[np.int64], play: int, samples: bool, pool: RenderPool) -> list[Heard | None]:
    """What there is to hear of some patches of a shard; None where one could not be played."""
    ear, plays = Ear(samples), len(shard.plan.notes)
    rows = [int(patch) * plays + play for patch in patches]
    if shard.plan.audio:
        return [ear(shard.audio(row)) for row in rows]
    requests = [(shard.preset(row), shard.plan.notes[play]) for row in rows]
    return [answer.measured if answer.ok else None for answer in pool.render_many(requests, measure=ear)]


def _write(path: Path, places: NDArray[np.int64], heard: Sequence[Heard | None]) -> None:
    kept = [(place, each) for place, each in zip(places, heard, strict=True) if each is not None]
    sounds = [each.samples for _, each in kept if each.samples is not None]
    arrays = {
        "asked": places,
        "places": np.array([place for place, _ in kept], dtype=np.int64),
        "pictures": np.array([each.picture for _, each in kept], dtype=np.float16).reshape(-1, FRAMES, BANDS),
        "peaks": np.array([each.peak for _, each in kept], dtype=np.float32),
        "samples": np.array(sounds, dtype=np.float32).reshape(-1, SAMPLES),
    }
    with atomic_path(path, force=True) as unfinished, unfinished.open("wb") as file:
        np.savez(file, **arrays)


def _read(path: Path, places: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in (*_ARRAYS, "asked")}
        if not np.array_equal(found["asked"], places):
            raise ValueError("it holds other patches")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{path} is damaged ({error}); delete it and run the same command again") from error
    return found
