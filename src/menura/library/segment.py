"""One written part of a library: patches and the embeddings of their sounds. Never changed once written."""

from __future__ import annotations

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

Codes = NDArray[np.void]
"""Embeddings in a byte a number, shape (patches, notes): fields ``scale`` and ``code``, whose product they are."""


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

    @classmethod
    def write(cls, folder: Path, rows: Sequence[Row]) -> Segment:
        """Writes a segment; it counts once the library names it. Raises OutputError."""
        lines = "".join(json.dumps({"path": row.path, **row.packed}, separators=(",", ":")) + "\n" for row in rows)
        files = {
            # Half the size of gzip: what is alike in two patches lies further apart than gzip remembers.
            "patches.jsonl.xz": lzma.compress(lines.encode()),
            "fast.npy": _npy(encoded(np.stack([row.fast for row in rows]))),
            "close.npy": _npy(encoded(np.stack([row.close for row in rows]))),
        }
        for name, body in files.items():
            write_bytes(folder / name, body, force=True)
        return cls(folder, len(rows), {name: hash_file(folder / name) for name in files})

    def check(self) -> None:
        """Raises InputError where a file is missing or is not what was written."""
        for name, sha256 in self.sha256.items():
            path = self.folder / name
            if not path.is_file() or hash_file(path) != sha256:
                raise InputError(f"{path} is missing or damaged; delete the library and build it again")

    @cached_property
    def fast(self) -> Codes:
        """The fast embeddings, left on disk. Raises InputError."""
        return self._mapped("fast.npy")

    @cached_property
    def close(self) -> Codes:
        """The perceptual embeddings, left on disk. Raises InputError."""
        return self._mapped("close.npy")

    @cached_property
    def lines(self) -> list[str]:
        """The patches, one JSON line each. Raises InputError."""
        path = self.folder / "patches.jsonl.xz"
        try:
            return lzma.decompress(path.read_bytes()).decode().splitlines()
        except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
            raise self._damaged(path) from error

    def _mapped(self, name: str) -> Codes:
        path = self.folder / name
        try:
            found: Codes = np.load(path, mmap_mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise self._damaged(path) from error
        if len(found) != self.count or found.dtype.names != ("scale", "code"):
            raise self._damaged(path)
        return found

    @staticmethod
    def _damaged(path: Path) -> InputError:
        return InputError(f"{path} is missing or damaged; delete the library and build it again")


def encoded(vectors: NDArray[np.floating[Any]]) -> Codes:
    """Vectors of shape (..., dim) as codes of shape (...); a number is off by 1/254 of its vector's largest at most."""
    scale = np.maximum(np.abs(vectors).max(axis=-1, keepdims=True).astype(np.float32) / 127.0, 1e-30)
    found = np.empty(vectors.shape[:-1], dtype=[("scale", "<f4"), ("code", "i1", vectors.shape[-1:])])
    found["scale"], found["code"] = scale[..., 0], np.round(vectors / scale)
    return found


def decoded(codes: Codes) -> NDArray[np.float32]:
    """The vectors, shape (..., dim)."""
    return codes["code"] * codes["scale"][..., None]


def _npy(matrix: Codes) -> bytes:
    body = io.BytesIO()
    np.save(body, matrix)
    return body.getvalue()
