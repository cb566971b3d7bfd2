"""The sounds of `recipes/sound_matching.py`: corpora's own, and recordings. Trains and judges nothing."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from proxy_rows import C4, HELD, SYNTHS, corpora_of, further_of, human_rows, rows_of, told
from proxy_rows import SIZES as CORPORA

from menura.audio import Audio, read_audio
from menura.datasets.sets import load_set
from menura.datasets.splits import SHARES
from menura.errors import CheckpointError, InputError
from menura.models.checkpoint import read_proxy
from menura.models.proxies import Proxy
from menura.models.proxy_presets import ProxyPresets
from menura.note import Note
from menura.preset import Preset
from menura.storage import hash_bytes
from menura.synths.registry import synth_of
from menura.training.matching_run import Examples
from menura.training.proxy_inputs import inputs_in
from menura.training.rows import Rows
from menura.training.target_sounds import RATE, SECONDS, TargetSounds, as_seen, picture_of, play_targets, read_targets

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Sounds of a part, with the patches that made them."""

    sounds: TargetSounds
    examples: Examples


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A sound that no synth of ours made, as long as those of the corpora and as loud as the median of them."""

    name: str
    samples: NDArray[np.float32]
    """What answers are held against."""
    pictures: dict[str, NDArray[np.float16]]
    """By how the answer is played: at C4 as the network learnt it, and at its own pitch, heard transposed to C4."""
    notes: dict[str, Note]
    source: str


def told_proxy(
    arguments: argparse.Namespace, rows: Rows | None = None
) -> tuple[Proxy, ProxyPresets, dict[str, object]]:
    """The frozen proxy, the way from its coordinates to presets, and its card.

    Raises:
        CheckpointError: it is for another synth, another version of it, or another embedder than the rows.
    """
    if arguments.proxy is None:
        raise InputError("no proxy is named; give --proxy FILE, a proxy-l1.safetensors of recipes/neural_proxies.py")
    synth = synth_of(SYNTHS[arguments.synth][0])
    fingerprint = rows.facts["embedder"]["fingerprint"] if rows else None
    proxy, space, card = read_proxy(arguments.proxy, embedder=fingerprint)
    if card.get("source_space", synth.space.fingerprint) != synth.space.fingerprint and space.synth == synth.name:
        raise CheckpointError(
            f"{arguments.proxy} was trained for space {card['source_space']} of {synth.name}, not "
            f"{synth.space.fingerprint}; train one with this version"
        )
    return proxy, ProxyPresets(space, synth), card


def parts_of(
    counts: dict[str, int], out: Path, arguments: argparse.Namespace, wanted: Sequence[str]
) -> dict[str, Part]:
    """The parts that are wanted, each heard once.

    Args:
        counts: of the sounds of each part, at the most.
        out: folder of the synth.
        arguments: of the command line.
        wanted: of `PARTS`.
    """
    _, presets, card = told_proxy(arguments)
    embedder = str(card["embedder"]["name"])  # pyright: ignore[reportIndexIssue]
    further = further_of(arguments.synth)
    inputs = inputs_in(presets.space, synth_of(SYNTHS[arguments.synth][0]).space, further.space if further else None)
    found: dict[str, Part] = {}
    for part in wanted:
        rows, places, hear = _source(part, out, embedder, arguments)
        told_proxy(arguments, rows)
        sounds = hear(places[: counts[part]])
        seen = inputs.of(rows, sounds.places, np.full(len(sounds), rows.notes.shape[1] - 1))
        examples = Examples(
            sounds.pictures,
            presets.without_note(seen),
            presets.note_of(seen),
            np.asarray(rows.embeddings[sounds.places, -1], dtype=np.float32),
            hash_bytes(f"{sounds.fingerprint} {rows.fingerprint} {presets.space.fingerprint}".encode()),
        )
        found[part] = Part(sounds, examples)
    return found


def _source(
    part: str, out: Path, embedder: str, arguments: argparse.Namespace
) -> tuple[Rows, NDArray[np.int64], Callable[[NDArray[np.int64]], TargetSounds]]:
    """Rows, which of them are the part, and how they are heard."""
    began = last = time.perf_counter()
    keep = out / "targets" / part

    def tell(done: int) -> None:
        nonlocal last
        if time.perf_counter() - last > 10.0:
            last = time.perf_counter()
            told(f"{part}: {done} sounds", began)

    more = {"samples": part != "train", "workers": arguments.workers, "tell": tell}
    if arguments.presets == "human":
        rows, synth = _human(out, embedder, arguments), synth_of(SYNTHS[arguments.synth][0])
        plain = synth.freeze(synth.init())

        def presets(places: NDArray[np.int64]) -> list[Preset]:
            return synth.space.decode_all(rows.vectors[places], plain)

        def play(places: NDArray[np.int64]) -> TargetSounds:
            return play_targets(synth.name, presets, rows.fingerprint, places, C4, keep, **more)

        return rows, rows.places_of(part, SHARES), play
    kind = "train" if part == "train" else "unseen"
    rows = rows_of(CORPORA[arguments.size], out, kind, embedder, arguments)
    corpora = corpora_of(CORPORA[arguments.size], out, kind, arguments)
    places = np.arange(len(rows)) if part == "train" else rows.places_of(part, HELD)
    return rows, places, lambda places: read_targets(corpora, places, C4, keep, **more)


def _human(out: Path, embedder: str, arguments: argparse.Namespace) -> Rows:
    if further_of(arguments.synth) is not None:
        raise InputError(
            f"presets of {arguments.synth} by people hold wavetables that no network here answers; take --presets drawn"
        )
    rows = human_rows(CORPORA[arguments.size], out, embedder, arguments)
    if rows is None:
        raise InputError("no presets by people were played yet; name a folder, tar or dump of them with --bank")
    return rows


def recordings(count: int, out: Path, peak: float, arguments: argparse.Namespace) -> tuple[str, list[Recording]]:
    """Name and sounds of the set that `--real` asks for; none where it asks for none.

    Args:
        count: at the most.
        out: folder of the synth.
        peak: which each one is brought to.
        arguments: of the command line.
    """
    if not arguments.real:
        return "", []
    chosen = load_set(arguments.real, folder=out / "real", limit=count, workers=arguments.workers)
    found: list[Recording] = []
    for item in chosen.items:
        if item.error:
            told(f"{item.id} is left out: {item.error}")
            continue
        sound = read_audio(item.sound, max_seconds=10.0).to_mono().resample(RATE).trim(tail=False)
        at_c4 = _prepared(sound, peak)
        pitch = C4.pitch if item.pitch is None else float(item.pitch)
        own = at_c4 if pitch == C4.pitch else _prepared(sound.transposed(C4.pitch - pitch), peak)
        note = Note(pitch, C4.velocity, C4.hold, C4.total)
        found.append(
            Recording(
                item.id,
                at_c4,
                {"at C4": picture_of(at_c4), "at its pitch": picture_of(own)},
                {"at C4": C4, "at its pitch": note},
                item.source or item.id,
            )
        )
    if not found:
        raise InputError(f"the set {chosen.name!r} has no sound that can be used; name another one with --real")
    # The folder tells more than the usual name of a manifest.
    name = Path(arguments.real).resolve().parent.name if chosen.name.startswith("manifest.") else chosen.name
    return name, found


def _prepared(sound: Audio, peak: float) -> NDArray[np.float32]:
    return as_seen(sound.cut(0.0, SECONDS).at_peak(peak))
