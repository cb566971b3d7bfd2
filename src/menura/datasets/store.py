"""Files that were made for a set, each remembered with what it was made from. Knows no sound and no synth."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from menura.errors import OutputError
from menura.storage import hash_bytes, hash_file, write_bytes

_INDEX = "made.jsonl"


@dataclass(frozen=True, slots=True)
class Made:
    """What was made by one recipe."""

    files: Mapping[str, str]
    """Name relative to the store, with ``/``, to sha256."""
    facts: Mapping[str, Any]
    """What was found out while it was made; JSON values."""


class Store:
    """A folder that makes nothing twice.

    A recipe is everything that decides a result, as JSON values. What was made by it is found again as long as its
    files are there with the content that was written; a missing or changed file makes it as if never made. The index
    grows by a line each, so that a run may end at any point.
    """

    def __init__(self, folder: Path) -> None:
        """Opens, and makes nothing yet.

        Args:
            folder: where the files are; need not exist.

        Raises:
            OutputError: its index cannot be read.
        """
        self.folder = folder
        self._known: dict[str, Made] = {}
        index = folder / _INDEX
        if not index.exists():
            return
        try:
            lines = index.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            raise OutputError(f"{index} cannot be read ({error.strerror}); choose another folder") from error
        for line in lines:
            try:
                row = json.loads(line)
                self._known[row["recipe"]] = Made(dict(row["files"]), dict(row["facts"]))
            except (ValueError, KeyError, TypeError):
                continue  # a line that was cut off: its result is made again

    def find(self, recipe: Mapping[str, Any]) -> Made | None:
        """What the recipe made before, where all of it is still there."""
        made = self._known.get(_digest(recipe))
        if made is None:
            return None
        for name, sha256 in made.files.items():
            path = self.folder / name
            try:
                if hash_file(path) != sha256:
                    return None
            except OSError:
                return None
        return made

    def put(
        self, recipe: Mapping[str, Any], files: Mapping[str, bytes], facts: Mapping[str, Any] | None = None
    ) -> Made:
        """Writes what a recipe made; files of those names are replaced.

        Raises:
            OutputError: the disk refuses.
        """
        for name, data in files.items():
            write_bytes(self.folder / name, data, force=True)
        return self.note(recipe, {name: hash_bytes(data) for name, data in files.items()}, facts)

    def note(self, recipe: Mapping[str, Any], files: Mapping[str, str], facts: Mapping[str, Any] | None = None) -> Made:
        """Remembers what a recipe made of files that are there already, by their sha256.

        Raises:
            OutputError: the disk refuses.
        """
        made = Made(dict(files), dict(facts or {}))
        digest = _digest(recipe)
        line = json.dumps({"recipe": digest, "files": made.files, "facts": made.facts}, sort_keys=True) + "\n"
        index = self.folder / _INDEX
        try:
            index.parent.mkdir(parents=True, exist_ok=True)
            with index.open("a+b") as file:
                # A line that was cut off must not swallow this one.
                if file.tell() and _last_byte(index) != b"\n":
                    file.write(b"\n")
                file.write(line.encode())
        except OSError as error:
            raise OutputError(f"{index} cannot be written ({error.strerror}); choose another folder") from error
        self._known[digest] = made
        return made


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)


def _digest(recipe: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
