"""A manifest: a CSV that names recordings and what is known of them. Knows no synth."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from menura.errors import ManifestError


@dataclass(frozen=True, slots=True)
class Row:
    """One recording of a manifest."""

    file: str
    """As the manifest names it."""
    path: Path
    """Where it lies."""
    category: str
    """What kind of sound it is, or ``""``."""
    pitch: float | None
    """MIDI pitch if the manifest knows it for sure, else None: the ear decides."""
    quick: bool
    """Marked for fast rounds."""


def read_manifest(path: str | Path, *, quick: bool = False, limit: int | None = None) -> list[Row]:
    """Rows of a manifest, in its order.

    Columns: `file` (relative to the manifest), and optional `category`, `midi_pitch`, `pitch_ok` (the
    pitch counts where it is 1; without this column every given pitch does) and `quick` (1 marks a row).

    Args:
        path: The CSV, UTF-8.
        quick: Only the marked rows.
        limit: Only the first ones of what is left.

    Raises:
        ManifestError: it cannot be read, has no column `file`, no rows, or a pitch that is no key.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except IsADirectoryError:
        raise ManifestError(f"{path} is a folder; name the CSV file in it") from None
    except UnicodeDecodeError:
        raise ManifestError(f"{path} is not a text file in UTF-8; give a CSV with a column file") from None
    except OSError as error:
        raise ManifestError(f"{path} cannot be read ({error.strerror}); name a CSV with a column file") from None
    try:
        reader = csv.DictReader(text.splitlines(), strict=True)
        columns = [(name or "").strip() for name in reader.fieldnames or ()]
        if "file" not in columns:
            seen = ", ".join(columns[:8]) or "nothing"
            raise ManifestError(f"{path} has no column file (found: {seen}); its first line must name the columns")
        reader.fieldnames = columns
        rows = [_row(path, reader.line_num, fields, "pitch_ok" in columns) for fields in reader if any(fields.values())]
    except csv.Error as error:
        raise ManifestError(f"{path} is not a CSV file ({error}); give one with a column file") from None
    if not rows:
        raise ManifestError(f"{path} names no recordings; add one row for each")
    if quick:
        rows = [row for row in rows if row.quick]
        if not rows:
            raise ManifestError(f"{path} marks no row as quick; set its column quick to 1, or leave --quick out")
    if limit is not None and limit < 1:
        raise ManifestError(f"a limit of {limit} leaves no row; give 1 or more")
    return rows[:limit]


def _row(manifest: Path, line: int, fields: dict[str, str | None], judged: bool) -> Row:
    def value(name: str) -> str:
        return (fields.get(name) or "").strip()

    file = value("file")
    if not file:
        raise ManifestError(f"{manifest}, line {line}: the column file is empty; name a sound file")
    pitch = None
    if value("midi_pitch") and (not judged or value("pitch_ok") == "1"):
        try:
            pitch = float(value("midi_pitch"))
        except ValueError:
            pitch = float("nan")
        if not 0.0 <= pitch <= 127.0:
            raise ManifestError(
                f"{manifest}, line {line}: midi_pitch is {value('midi_pitch')!r}; give 0 to 127 or nothing"
            )
    return Row(file, manifest.parent / file, value("category"), pitch, value("quick") == "1")
