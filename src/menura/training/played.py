"""Presets of people as rows: read, played once, heard. Owns what is left out of them. Knows no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from menura.datasets.archive import Archive
from menura.datasets.listening import Listener, Sounding
from menura.datasets.voices import ENDINGS, Voices
from menura.errors import ManifestError, MenuraError
from menura.features.embedders import embedder_of
from menura.note import Note
from menura.preset import Preset
from menura.storage import hash_bytes
from menura.synths.base import Synth
from menura.synths.pool import RenderPool
from menura.training.rows import Further, Rows, keep_rows, kept_rows

_AT_ONCE = 64


def played_rows(
    bank: Path,
    synth: Synth,
    embedder: str,
    note: Note,
    *,
    keep: Path | None = None,
    further: Further | None = None,
    limit: int | None = None,
    workers: int | None = None,
    tell: Callable[[int], None] | None = None,
) -> tuple[Rows, dict[str, int]]:
    """Plays the presets of a folder, tar or dump of voices.

    Broken and silent presets, and those whose coordinates another one has, are left out.

    Args:
        bank: where the presets are.
        synth: whose presets they are; they are frozen first.
        embedder: that hears them.
        note: how each one is played.
        keep: a folder in which the rows are kept; they are then not played again.
        further: what to take from the presets beside their coordinates.
        limit: only the first ones.
        workers: processes that render.
        tell: called with the number of presets that were played.

    Returns:
        The rows, and reason to number of presets that were left out.

    Raises:
        ManifestError: there are no presets.
        EngineError: the engine is missing.
        OutputError: the rows cannot be kept.
    """
    many = synth.suffix == ".syx" and bank.suffix.lower() in ENDINGS
    files = Voices(bank) if many else Archive(bank, synth.suffix)
    heard_by = {"name": embedder, "fingerprint": embedder_of(embedder).fingerprint}
    told = [files.sha256, synth.version, synth.space.fingerprint, heard_by["fingerprint"], str(note), str(limit)]
    told.append(further.space.fingerprint if further else "")
    fingerprint = hash_bytes("\x1f".join(told).encode())
    kept = kept_rows(keep) if keep is not None else None
    if kept is not None and kept.fingerprint == fingerprint:
        return kept, dict(kept.facts["left_out"])
    names, left_out = files.names[:limit], Counter[str]()
    if not names:
        raise ManifestError(f"{bank} holds no {synth.suffix} presets; name a folder, tar or dump of them")
    vectors: list[NDArray[np.float32]] = []
    more: list[NDArray[np.float32]] = []
    heard: list[NDArray[np.float16]] = []
    lineages: list[str] = []
    seen: set[bytes] = set()
    with RenderPool(synth.name, workers, mode="fast") as pool:
        for done, presets in _groups(files, names, synth, left_out):
            fresh: list[tuple[Preset, NDArray[np.float32], NDArray[np.float32]]] = []
            for preset in presets:
                vector = synth.space.encode(preset)
                added = further.of(preset) if further else np.zeros(0, dtype=np.float32)
                alike = vector.tobytes() + added.tobytes()
                if alike in seen:
                    left_out["a twin"] += 1
                else:
                    seen.add(alike)
                    fresh.append((preset, vector, added))
            requests = [(preset, note) for preset, _, _ in fresh]
            rendered = pool.render_many(requests, measure=Listener((embedder,)))
            for (preset, vector, added), answer in zip(fresh, rendered, strict=True):
                sounding = answer.measured
                if not isinstance(sounding, Sounding):
                    left_out["not rendered"] += 1
                elif sounding.silent:
                    left_out["silent"] += 1
                else:
                    vectors.append(vector)
                    more.append(added)
                    heard.append(sounding.embeddings[0])
                    lineages.append(str(preset.origin.get("lineage", preset.id)))
            if tell:
                tell(done)
    if not vectors:
        raise ManifestError(f"none of the {len(names)} presets of {bank} can be used ({dict(left_out)}); give others")
    played = np.array([note.pitch, note.velocity, note.hold, note.total], dtype=np.float32)
    facts = {
        "synth": synth.name,
        "space": synth.space.fingerprint,
        "engine": synth.version,
        "embedder": heard_by,
        "pictures": False,
        "left_out": dict(left_out),
        "fingerprint": fingerprint,
    }
    rows = Rows(
        np.stack(vectors),
        np.stack(more),
        np.tile(played, (len(vectors), 1, 1)),
        np.stack(heard)[:, None, :],
        tuple(lineages),
        facts,
    )
    if keep is not None:
        keep_rows(rows, keep)
    return rows, dict(left_out)


def _groups(
    files: Archive | Voices, names: Sequence[str], synth: Synth, left_out: Counter[str]
) -> Iterator[tuple[int, list[Preset]]]:
    """Presets that can be read, frozen, some at a time, and how many were looked at."""
    for start in range(0, len(names), _AT_ONCE * 16):
        # A tar is read from its beginning each time: many at once.
        found = files.read(names[start : start + _AT_ONCE * 16])
        for first in range(start, min(start + _AT_ONCE * 16, len(names)), _AT_ONCE):
            chosen = names[first : min(first + _AT_ONCE, start + _AT_ONCE * 16)]
            presets: list[Preset] = []
            for name in chosen:
                try:
                    presets.append(synth.freeze(synth.read(found[name])))
                except (MenuraError, KeyError):
                    left_out["broken"] += 1
            yield first + len(chosen), presets
