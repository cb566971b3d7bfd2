"""A folder of sounds as a set. Reads names alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

from menura.datasets.item import Item
from menura.datasets.selection import Entry, Field
from menura.errors import ManifestError, NoteError
from menura.note import parse_pitch

SOUND_ENDINGS = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff"})
_KEY = re.compile(r"(?<![A-Za-z])([A-Ga-g][#b♯♭]?-?\d)(?![0-9#])")


def folder_entries(folder: Path, *, pitch_from_name: bool = False) -> list[Entry]:
    """Every sound below a folder, sorted by name.

    The id is the name relative to the folder, the source the first folder below it (or the folder's own name), the
    category the folder that the file is in.

    Args:
        folder: searched through and through; or one sound file.
        pitch_from_name: take the last key in a file's name (``cello_C#3_f.wav``, C4 is 60) for its pitch.

    Raises:
        ManifestError: there is no sound in it.
    """
    if folder.is_file():
        return [_entry(folder.parent, folder, pitch_from_name)]
    files = sorted(
        (Path(place) / name).relative_to(folder)
        for place, _, names in os.walk(folder)
        for name in names
        if Path(name).suffix.lower() in SOUND_ENDINGS and not name.startswith("._")
    )
    if not files:
        raise ManifestError(f"{folder} holds no sounds ({', '.join(sorted(SOUND_ENDINGS))}); name another folder")
    return [_entry(folder, folder / file, pitch_from_name) for file in files]


def pitch_in_name(name: str) -> float | None:
    """The last key that a file's name spells, as MIDI pitch; None where there is none. C4 is 60."""
    for word in reversed(_KEY.findall(name)):
        try:
            return parse_pitch(word)
        except NoteError:
            continue
    return None


def _entry(folder: Path, file: Path, pitch_from_name: bool) -> Entry:
    relative = file.relative_to(folder)
    item = Item(
        id=relative.as_posix(),
        sound=file,
        pitch=pitch_in_name(relative.stem) if pitch_from_name else None,
        category=relative.parent.name,
        source=relative.parts[0] if len(relative.parts) > 1 else folder.resolve().name,
    )
    fields: dict[str, Field] = {"file": item.id, "source": item.source, "category": item.category}
    return Entry(item, fields)
