"""Manifests: a CSV or JSON list of files with what is known of each. Knows no synth; decodes no sound.

A list that cannot be followed as a whole raises. A row that cannot be used becomes an item with an error, so that the
run goes on and its table says so.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from menura.datasets.item import Item
from menura.datasets.selection import Entry, Field
from menura.errors import ManifestError, NoteError
from menura.note import Note, parse_pitch

_LARGEST = 256 << 20


def read_manifest(path: Path, *, note: Note | None = None) -> list[Entry]:
    """Every row of a manifest, in its order.

    Columns: `file` (relative to the manifest), and optional `id` (the file by default), `source`, `licence`,
    `category`, `articulation`, `tags` (with ``;`` between them), `midi_pitch` (a number or a key such as C#3; it counts
    where `pitch_ok` is 1 or there is no such column), `velocity`, `hold` and `total` (the note, where the sound was
    rendered or a preset is to be), `sha256`. Every column can be filtered by.

    Args:
        path: a ``.csv`` in UTF-8, or a ``.json`` that holds a list of objects, or ``{"items": [...]}``.
        note: what a row's note takes where it states a part of it alone; `Note()` by default.

    Raises:
        ManifestError: it cannot be read, has no column `file`, or no rows.
    """
    rows = _json_rows(path) if path.suffix.lower() == ".json" else _csv_rows(path)
    taken: set[str] = set()
    entries: list[Entry] = []
    for place, fields in rows:
        item = _item(path, place, fields, note or Note())
        if item.id in taken:
            error = item.error or f"{path.name}, {place}: the id {item.id!r} is there twice; rename one"
            item = replace(item, id=f"{item.id} ({place})", error=error)
        taken.add(item.id)
        entries.append(Entry(item, fields))
    if not entries:
        raise ManifestError(f"{path} names no sounds; add one row for each")
    return entries


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, Field]]]:
    try:
        reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
        columns = [(name or "").strip() for name in reader.fieldnames or ()]
        if "file" not in columns:
            seen = ", ".join(columns[:8]) or "nothing"
            raise ManifestError(f"{path} has no column file (found: {seen}); its first line must name the columns")
        if len(set(columns)) != len(columns):
            raise ManifestError(f"{path} has two columns of one name ({', '.join(columns)}); rename one")
        reader.fieldnames = columns
        for row in reader:
            found: dict[str, Field] = {
                name: (value or "").strip() for name, value in row.items() if isinstance(name, str)
            }
            if any(found.values()):
                yield f"line {reader.line_num}", found
    except csv.Error as error:
        raise ManifestError(f"{path} is not a CSV file ({error}); give one with a column file") from None


def _json_rows(path: Path) -> Iterator[tuple[str, dict[str, Field]]]:
    try:
        found: Any = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path} is not JSON ({str(error).splitlines()[0]}); give a list of objects") from None
    rows: Any = cast(dict[str, Any], found).get("items") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise ManifestError(f'{path} holds no list of sounds; give a list of objects, or {{"items": [...]}}')
    for number, row in enumerate(cast(list[Any], rows), 1):
        if isinstance(row, dict):
            yield f"item {number}", {str(name): as_field(value) for name, value in cast(dict[Any, Any], row).items()}
        else:
            yield f"item {number}", {"file": ""}


def as_field(value: object) -> Field:
    """A JSON value as what filters compare: texts; true is ``"1"``, nothing is ``""``."""
    if isinstance(value, list | tuple):
        return tuple(word for part in cast(list[object], value) if isinstance(word := as_field(part), str))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _text(path: Path) -> str:
    kind = "CSV or JSON file with a column file"
    try:
        if path.stat().st_size > _LARGEST:
            raise ManifestError(f"{path} is larger than {_LARGEST >> 20} MiB; name a {kind}")
        return path.read_text(encoding="utf-8-sig")
    except IsADirectoryError:
        raise ManifestError(f"{path} is a folder; name the CSV or JSON file in it") from None
    except UnicodeDecodeError:
        raise ManifestError(f"{path} is not a text file in UTF-8; give a {kind}") from None
    except OSError as error:
        raise ManifestError(f"{path} cannot be read ({error.strerror}); name a {kind}") from None


def _item(manifest: Path, place: str, fields: Mapping[str, Field], note: Note) -> Item:
    def word(name: str) -> str:
        value = fields.get(name, "")
        return value if isinstance(value, str) else ", ".join(value)

    file = word("file")
    item = Item(
        id=word("id") or file or f"{manifest.name}, {place}",
        sound=manifest.parent / file,
        category=word("category"),
        source=word("source"),
        licence=word("licence") or word("license"),
        articulation=word("articulation"),
        tags=_tags(fields.get("tags", "")),
        sha256=word("sha256").lower(),
    )
    if not file:
        return replace(item, sound=manifest, error=f"{manifest.name}, {place}: the column file is empty; name a file")
    if "\0" in file:
        return replace(item, sound=manifest, error=f"{manifest.name}, {place}: {file!r} is no file name")
    try:
        pitch = None
        if word("midi_pitch") and word("pitch_ok") in ("1", *(() if "pitch_ok" in fields else ("",))):
            pitch = parse_pitch(word("midi_pitch"))
        return replace(item, pitch=pitch, note=_note(word, pitch, note))
    except NoteError as error:
        return replace(item, error=f"{manifest.name}, {place}: {error}")


def _note(word: Any, pitch: float | None, note: Note) -> Note | None:
    """The row's whole note; None where it states none of its times and velocity."""
    stated: dict[str, float] = {}
    for name in ("velocity", "hold", "total"):
        if text := word(name):
            try:
                stated[name] = float(text)
            except ValueError:
                raise NoteError(f"{name} is {text!r}; give a number") from None
            if not math.isfinite(stated[name]):
                raise NoteError(f"{name} is {text!r}; give a number")
    if not stated or pitch is None:
        return None
    return replace(note, pitch=pitch, **stated)


def _tags(field: Field) -> tuple[str, ...]:
    parts = field.split(";") if isinstance(field, str) else field
    return tuple(part.strip() for part in parts if part.strip())
