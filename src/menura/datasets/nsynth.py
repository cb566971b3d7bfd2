"""The NSynth dataset as its authors ship it: ``examples.json`` beside ``audio/``, 4 s notes at 16 kHz.

Source: Engel et al., "Neural Audio Synthesis of Musical Notes with WaveNet Autoencoders", ICML 2017, section 3: notes
of about a thousand sampled instruments, keys 21 to 108 at five velocities, held for 3 s and left to decay for 1 s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from menura.datasets.item import Item
from menura.datasets.manifest import as_field
from menura.datasets.selection import Entry, Field
from menura.errors import ManifestError, NoteError
from menura.note import Note

HOLD, TOTAL = 3.0, 4.0
"""Seconds from key down to key up, and of the whole file."""


def is_nsynth(folder: Path) -> bool:
    """True where the folder has the dataset's layout."""
    return (folder / "examples.json").is_file() and (folder / "audio").is_dir()


def nsynth_entries(folder: Path) -> list[Entry]:
    """Every note of one part (train, valid or test), in the order of its names.

    Pitch and velocity (over 127) become the note, the family the category, the instrument the source, the velocity the
    articulation and the qualities tags. All of the JSON's fields can be filtered by, e.g.
    ``instrument_source_str = "acoustic"``.

    Args:
        folder: the one that holds ``examples.json``.

    Raises:
        ManifestError: the JSON cannot be read, or names no notes.
    """
    path = folder / "examples.json"
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(f"{path} cannot be read ({error.strerror}); give the folder of NSynth's examples") from None
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path} is not JSON ({str(error).splitlines()[0]}); download it again") from None
    if not isinstance(found, dict) or not found:
        raise ManifestError(f"{path} names no notes; it should map names to their properties: download it again")
    notes = cast(dict[str, Any], found)
    return [_entry(folder, name, notes[name]) for name in sorted(notes)]


def _entry(folder: Path, name: str, found: object) -> Entry:
    sound = folder / "audio" / f"{name}.wav"
    if not isinstance(found, dict) or Path(name).name != name:
        return Entry(
            Item(id=name, sound=folder, error=f"examples.json says nothing usable of {name!r}"), {"note_str": name}
        )
    row = cast(Mapping[str, Any], found)
    fields: dict[str, Field] = {key: as_field(value) for key, value in row.items()}
    fields["note_str"] = name
    qualities = fields.get("qualities_str", ())
    note, error = None, ""
    try:
        note = Note(float(row["pitch"]), float(row["velocity"]) / 127.0, HOLD, TOTAL)
    except (KeyError, TypeError, ValueError, NoteError) as problem:
        error = f"examples.json gives {name!r} no pitch and velocity that can be played ({problem!r})"
    item = Item(
        id=name,
        sound=sound,
        pitch=note.pitch if note else None,
        note=note,
        category=str(row.get("instrument_family_str", "")),
        source=str(row.get("instrument_str", "")),
        articulation=f"velocity {row.get('velocity', '')}",
        tags=(qualities,) if isinstance(qualities, str) and qualities else tuple(qualities),
        licence="CC-BY-4.0",
        error=error,
    )
    return Entry(item, fields)
