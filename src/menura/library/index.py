"""Nearest vectors, among a few or millions: Faiss behind one method. The only importer of Faiss; knows no sound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from menura.errors import InputError
from menura.storage import atomic_path

Kind = Literal["flat", "ivf-flat", "ivf-sq8", "ivf-pq"]
Matrix = NDArray[np.float32]

FLAT_BELOW = 65_536
"""Vectors among which all are compared: no slower than a list's detour, and exact."""
MEMORY = 4 << 30
"""Bytes that an index may take unless told otherwise."""
TRAINED_ON = 40
"""Vectors for each list that are clustered at the most; Faiss wants 39."""
ADDED_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Layout:
    """How an index is laid out."""

    kind: Kind
    lists: int
    """Cells of the inverted file; 0 for a flat index."""
    probes: int
    """Cells that a query looks into."""

    @classmethod
    def of(cls, count: int, dim: int, *, memory: int = MEMORY) -> Layout:
        """The most exact layout that `count` vectors of `dim` numbers leave room for.

        Four times the square root of the count in lists balances finding the cells with reading them; 12 of 4,096
        lists hold the ten nearest of a million (docs/decisions/090-index.md). What is rounded looks further.

        Args:
            count: how many vectors there will be.
            dim: numbers of each.
            memory: bytes that they may take.
        """
        if count < FLAT_BELOW and count * dim * 4 <= memory:
            return cls("flat", 0, 0)
        lists = 1 << max(6, round(math.log2(4.0 * math.sqrt(max(count, 1)))))
        roomy: tuple[tuple[Kind, int, int], ...] = (("ivf-flat", 4 * dim + 8, 12), ("ivf-sq8", dim + 8, 32))
        for kind, size, probes in roomy:
            if count * size <= memory:
                return cls(kind, lists, probes)
        return cls("ivf-pq", lists, 64)

    def factory(self, dim: int) -> str:
        """The layout in Faiss' own words."""
        codes = {"ivf-flat": "Flat", "ivf-sq8": "SQ8", "ivf-pq": f"PQ{_codes(dim)}"}
        return "Flat" if self.kind == "flat" else f"IVF{self.lists},{codes[self.kind]}"


class VectorIndex:
    """Vectors that can be searched; the number of each is the order in which it was added.

    Args:
        index: of Faiss.
        writable: False for one that lies on disk.
    """

    def __init__(self, index: Any, *, writable: bool = True) -> None:
        self._index = index
        self._writable = writable

    @classmethod
    def build(cls, vectors: Matrix, *, layout: Layout | None = None) -> VectorIndex:
        """Learns the layout from the vectors and adds them.

        Args:
            vectors: shape (n, dim); a memory-mapped array is read in pieces.
            layout: None chooses by their number.

        Raises:
            InputError: there is none, or one is not finite.
        """
        import faiss  # pyright: ignore[reportMissingTypeStubs]

        _check(vectors)
        count, dim = vectors.shape
        layout = layout or Layout.of(count, dim)
        index: Any = faiss.index_factory(dim, layout.factory(dim))
        if layout.kind != "flat":
            index.cp.seed = 0
            index.cp.max_points_per_centroid = TRAINED_ON
            index.nprobe = layout.probes
            step = max(1, count // (TRAINED_ON * layout.lists))
            index.train(np.ascontiguousarray(vectors[::step], dtype=np.float32))
        found = cls(index)
        found.add(vectors)
        return found

    @classmethod
    def load(cls, path: str | Path, *, mapped: bool = True) -> VectorIndex:
        """Reads an index.

        Args:
            path: of a file that `save` wrote.
            mapped: leave the vectors on disk; nothing can be added then.

        Raises:
            InputError: it is missing or damaged.
        """
        import faiss  # pyright: ignore[reportMissingTypeStubs]

        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0), writable=not mapped)
        except RuntimeError as error:
            raise InputError(f"{path} is missing or damaged; delete it: it is made again from the patches") from error

    def save(self, path: str | Path) -> None:
        """Writes the index, whole or not at all. Raises OutputError."""
        import faiss  # pyright: ignore[reportMissingTypeStubs]

        with atomic_path(path, force=True) as place:
            faiss.write_index(self._index, str(place))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dim(self) -> int:
        """Numbers of a vector."""
        return int(self._index.d)

    def add(self, vectors: Matrix) -> None:
        """Adds vectors; the layout stays. Raises InputError where they do not fit or the index lies on disk."""
        _check(vectors, self.dim)
        if not self._writable:
            # Faiss would end the process here.
            raise InputError("nothing can be added to an index that lies on disk; load it with mapped=False")
        for start in range(0, len(vectors), ADDED_AT_ONCE):
            self._index.add(np.ascontiguousarray(vectors[start : start + ADDED_AT_ONCE], dtype=np.float32))

    def search(self, queries: Matrix, n: int) -> tuple[Matrix, NDArray[np.int64]]:
        """The nearest vectors of each query.

        Args:
            queries: shape (q, dim).
            n: how many of each.

        Returns:
            Euclidean distances, ascending, and numbers, shape (q, n) each; infinity and -1 where there are fewer.

        Raises:
            InputError: the queries do not fit.
        """
        _check(queries, self.dim)
        if n < 1:
            raise InputError(f"{n} neighbours; ask for 1 or more")
        squares, numbers = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), n)
        distances = np.sqrt(np.maximum(squares, 0.0))
        return np.where(numbers < 0, np.float32(np.inf), distances).astype(np.float32), numbers


def _codes(dim: int) -> int:
    """Bytes of a product-quantised vector: one for about four numbers, as whole parts."""
    return max(parts for parts in range(1, dim // 2 + 1) if dim % parts == 0 and parts <= max(1, dim // 4))


def _check(vectors: Matrix, dim: int | None = None) -> None:
    if vectors.ndim != 2 or not vectors.size or (dim is not None and vectors.shape[1] != dim):
        wanted = "(n, dim)" if dim is None else f"(n, {dim})"
        raise InputError(f"vectors of shape {vectors.shape}; give {wanted}, at least one")
    for start in range(0, len(vectors), ADDED_AT_ONCE):
        if not bool(np.isfinite(vectors[start : start + ADDED_AT_ONCE]).all()):
            raise InputError("a vector is not finite; leave out the sound that it comes from")
