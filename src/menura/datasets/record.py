"""An item as JSON values, its files relative to a folder, and back. Knows no synth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from menura.datasets.item import Item
from menura.note import Note

_FILES = ("sound", "preset", "original", "judged")


def as_record(item: Item, folder: Path) -> dict[str, Any]:
    """The item without what is at rest; files below the folder by their names in it, others by their whole path."""
    found: dict[str, Any] = {}
    for entry in fields(item):
        value = getattr(item, entry.name)
        if value is None or value == "" or value == ():
            continue
        if isinstance(value, Path):
            value = (value.relative_to(folder) if value.is_relative_to(folder) else value.absolute()).as_posix()
        found[entry.name] = asdict(value) if isinstance(value, Note) else value
    return found


def from_record(record: Mapping[str, Any], folder: Path) -> Item:
    """The item of `as_record`.

    Raises:
        TypeError: the record is of another version of menura.
    """
    said = dict(record)
    for name in _FILES:
        if name in said:
            said[name] = folder / said[name]
    if "note" in said:
        said["note"] = Note(**said["note"])
    if "tags" in said:
        said["tags"] = tuple(said["tags"])
    return Item(**said)
