"""Patches into a library: rendered at its notes, heard, written a segment at a time. Owns the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from menura.library.library import Library
from menura.library.listening import Heard, note_of
from menura.library.packing import Parts, pack
from menura.library.segment import Row
from menura.preset import Preset
from menura.synths.pool import Rendered, RenderPool

AT_ONCE = 1_024
"""Patches that are rendered and written together: what a killed build loses at the most."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A patch that is to be added."""

    preset: Preset
    path: str = ""
    """Its file, where it is the user's own."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is."""

    read: int
    """Patches of the source that were read, those of earlier runs included."""
    added: int
    """Those of them that this run has put into the library."""
    left_out: tuple[str, ...]
    """Why others were not, one line each: silent, or refused by the engine."""


def fill(
    library: Library,
    drafts: Iterable[Draft],
    source: str | None = None,
    *,
    workers: int | None = None,
    tell: Callable[[Progress], None] | None = None,
) -> Progress:
    """Adds the patches of a source, without those that an earlier run has read.

    Args:
        library: is written after each `AT_ONCE` patches, so that a run may end at any point.
        drafts: the same patches in the same order whenever the source has this name.
        source: its name in the library; None takes all drafts and remembers nothing.
        workers: engines at work; None is one a core. The result does not depend on it.
        tell: called after each segment.

    Raises:
        EngineError: no worker could be started.
        OutputError: the disk refuses; what was written stays.
    """
    read, added = library.sources.get(source or "", 0), 0
    left_out: list[str] = []
    parts, base = Parts(library.folder / "parts"), library.synth.init()
    notes = [note_of(pitch) for pitch in library.card.notes]
    remaining = islice(drafts, read, None)
    with RenderPool(library.synth.name, workers=workers, mode="fast") as pool:
        for batch in _batches(remaining):
            frozen = [library.synth.freeze(draft.preset) for draft in batch]
            asked = [(preset, note) for preset in frozen for note in notes]
            rendered = pool.render_many(asked, measure=library.card.ear)
            rows: list[Row] = []
            for place, draft in enumerate(batch):
                heard, why = _heard(rendered[place * len(notes) : (place + 1) * len(notes)])
                if heard is None:
                    left_out.append(f"{draft.path or draft.preset.name or f'patch {read + place}'}: {why}")
                    continue
                fast, close = (np.stack(vectors) for vectors in zip(*heard, strict=True))
                rows.append(Row(pack(draft.preset, base, parts), draft.path, fast, close))
            read, added = read + len(batch), added + len(rows)
            library.append(rows, source, read)
            if tell is not None:
                tell(Progress(read, added, tuple(left_out)))
    return Progress(read, added, tuple(left_out))


def user_presets(library: Library, folder: Path) -> Iterator[Draft | str]:
    """The synth's presets in a folder and those below it, without those that the library has.

    Yields a draft, or a line that says why a file is none.
    """
    from menura.errors import MenuraError

    known = library.paths()
    for path in sorted(folder.rglob(f"*{library.synth.suffix}")):
        if str(path.resolve()) in known or not path.is_file():
            continue
        try:
            yield Draft(library.synth.read(path), str(path.resolve()))
        except MenuraError as error:
            yield f"{path}: {error}"


def _heard(rendered: list[Rendered]) -> tuple[list[Heard] | None, str]:
    """What was heard of one patch at all notes, or why it is left out."""
    found: list[Heard] = []
    for one in rendered:
        if one.error is not None:
            return None, one.error
        if one.measured is None:
            return None, "silent"
        found.append(one.measured)
    return found, ""


def _batches(drafts: Iterable[Draft]) -> Iterator[list[Draft]]:
    remaining = iter(drafts)
    while batch := list(islice(remaining, AT_ONCE)):
        yield batch
