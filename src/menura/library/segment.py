"""One written part of a library: patches and the embeddings of their sounds. Never changed once written."""

from __future__ import annotations

import gzip
import io
import json
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.errors import InputError
from menura.storage import hash_file, write_bytes

Embeddings = NDArray[np.float16] | NDArray[np.int8]
"""Shape (patches, notes, dim); whole numbers are multiples of a step."""
_USUAL, _SMALL = "patches.jsonl.gz", "patches.jsonl.xz"
_MOST = 127
"""Steps of a byte to either side."""


@dataclass(frozen=True, slots=True)
class Row:
    """A patch before it is written."""

    packed: Mapping[str, Any]
    """The preset as `packing.pack` makes it."""
    path: str
    """Its file on the user's disk; empty where it was made for the library."""
    fast: NDArray[np.float16]
    """Shape (notes, dim)."""
    close: NDArray[np.float16]
    """Shape (notes, dim of the other embedder)."""


@dataclass(frozen=True)
class Segment:
    """A folder with its content's checksums."""

    folder: Path
    count: int
    sha256: Mapping[str, str]
    """Of each file, by name."""
    steps: tuple[float, float] | None = None
    """What one step of the fast and of the perceptual embeddings is worth, where they are kept as bytes."""

    @classmethod
    def write(cls, folder: Path, rows: Sequence[Row], *, small: bool = False) -> Segment:
        """Writes a segment; it counts once the library names it.

        Args:
            folder: need not exist.
            rows: at least one.
            small: keep embeddings as bytes, half the size, each number within half a step: 1/254 of the largest; and
                patches by a slower method that leaves three quarters.

        Raises:
            OutputError: the disk refuses.
        """
        fast, close = np.stack([row.fast for row in rows]), np.stack([row.close for row in rows])
        steps = (_step(fast), _step(close)) if small else None
        lines = "".join(json.dumps({"path": row.path, **row.packed}, separators=(",", ":")) + "\n" for row in rows)
        files = {
            **_packed(lines.encode(), small=small),
            "fast.npy": _npy(_stepped(fast, steps[0]) if steps else fast),
            "close.npy": _npy(_stepped(close, steps[1]) if steps else close),
        }
        for name, body in files.items():
            write_bytes(folder / name, body, force=True)
        return cls(folder, len(rows), {name: hash_file(folder / name) for name in files}, steps)

    def check(self) -> None:
        """Raises InputError where a file is missing or is not what was written."""
        for name, sha256 in self.sha256.items():
            path = self.folder / name
            if not path.is_file() or hash_file(path) != sha256:
                raise InputError(f"{path} is missing or damaged; delete the library and build it again")

    @cached_property
    def fast(self) -> Embeddings:
        """The fast embeddings, left on disk. Raises InputError."""
        return self._mapped("fast.npy")

    @cached_property
    def close(self) -> Embeddings:
        """The perceptual embeddings, left on disk. Raises InputError."""
        return self._mapped("close.npy")

    def fast_at(self, note: int) -> NDArray[np.float32]:
        """The fast embeddings at one note, by its place; shape (patches, dim). Raises InputError."""
        return self.fast[:, note].astype(np.float32) * np.float32(self.steps[0] if self.steps else 1.0)

    def close_of(self, patch: int, note: int) -> NDArray[np.float32]:
        """The perceptual embedding of a patch at one note, shape (dim,). Raises InputError."""
        return self.close[patch, note].astype(np.float32) * np.float32(self.steps[1] if self.steps else 1.0)

    @cached_property
    def lines(self) -> list[str]:
        """The patches, one JSON line each. Raises InputError."""
        path = self.folder / (_SMALL if _SMALL in self.sha256 else _USUAL)
        try:
            body = path.read_bytes()
            return (lzma.decompress(body) if path.name == _SMALL else gzip.decompress(body)).decode().splitlines()
        except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
            raise self._damaged(path) from error

    def _mapped(self, name: str) -> Embeddings:
        path = self.folder / name
        try:
            found: Embeddings = np.load(path, mmap_mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise self._damaged(path) from error
        if len(found) != self.count:
            raise self._damaged(path)
        return found

    @staticmethod
    def _damaged(path: Path) -> InputError:
        return InputError(f"{path} is missing or damaged; delete the library and build it again")


def _packed(lines: bytes, *, small: bool) -> dict[str, bytes]:
    """Name and content of the file of patches; the same bytes for the same lines."""
    return {_SMALL: lzma.compress(lines, preset=9)} if small else {_USUAL: gzip.compress(lines, 9, mtime=0)}


def _step(matrix: NDArray[np.float16]) -> float:
    return float(np.abs(matrix).max(initial=0.0)) / _MOST or 1.0


def _stepped(matrix: NDArray[np.float16], step: float) -> NDArray[np.int8]:
    return np.rint(matrix.astype(np.float32) / np.float32(step)).astype(np.int8)


def _npy(matrix: Embeddings) -> bytes:
    body = io.BytesIO()
    np.save(body, matrix)
    return body.getvalue()
