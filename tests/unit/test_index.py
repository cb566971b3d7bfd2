"""The index finds what an exact comparison finds, whatever its layout, and says clearly what it cannot do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from menura.errors import InputError
from menura.library.index import Layout, VectorIndex

DIM = 32


@pytest.fixture
def vectors(rng: np.random.Generator) -> np.ndarray:
    centres = rng.normal(size=(60, DIM)) * 3.0
    return (centres[rng.integers(60, size=6_000)] + rng.normal(size=(6_000, DIM))).astype(np.float32)


def exact(vectors: np.ndarray, queries: np.ndarray, n: int) -> np.ndarray:
    distances = ((queries[:, None] - vectors[None]) ** 2).sum(axis=2)
    return np.argsort(distances, axis=1, kind="stable")[:, :n]


def recall(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, wanted, strict=True)]))


@pytest.mark.parametrize(
    ("layout", "least"),
    [
        (Layout("flat", 0, 0), 1.0),
        (Layout("ivf-flat", 64, 16), 0.98),
        (Layout("ivf-sq8", 64, 32), 0.93),
        (Layout("ivf-pq", 64, 64), 0.5),
    ],
    ids=lambda value: value.kind if isinstance(value, Layout) else "",
)
def test_each_layout_finds_the_nearest(vectors: np.ndarray, layout: Layout, least: float) -> None:
    queries = vectors[::200] + np.float32(0.05)
    index = VectorIndex.build(vectors, layout=layout)
    distances, found = index.search(queries, 10)
    assert len(index) == 6_000
    assert recall(found, exact(vectors, queries, 10)) >= least
    assert (np.diff(distances, axis=1) >= 0).all()
    if layout.kind == "flat":
        wanted = np.linalg.norm(vectors[found[0, 0]] - queries[0])
        assert distances[0, 0] == pytest.approx(wanted, rel=1e-4)


def test_it_is_the_same_each_time_it_is_built(vectors: np.ndarray) -> None:
    layout = Layout("ivf-sq8", 32, 4)
    first, second = (VectorIndex.build(vectors, layout=layout).search(vectors[:40], 5) for _ in range(2))
    assert (first[1] == second[1]).all()


def test_it_lies_on_disk_and_grows(vectors: np.ndarray, tmp_path: Path) -> None:
    VectorIndex.build(vectors[:5_000]).save(tmp_path / "index.faiss")
    mapped = VectorIndex.load(tmp_path / "index.faiss")
    assert mapped.search(vectors[:3], 1)[1].ravel().tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="load it with mapped=False"):
        mapped.add(vectors[5_000:])
    grown = VectorIndex.load(tmp_path / "index.faiss", mapped=False)
    grown.add(vectors[5_000:])
    assert grown.search(vectors[5_990:5_992], 1)[1].ravel().tolist() == [5_990, 5_991]


def test_fewer_vectors_than_asked_for(vectors: np.ndarray) -> None:
    distances, found = VectorIndex.build(vectors[:3]).search(vectors[:1], 5)
    assert found[0, 3:].tolist() == [-1, -1]
    assert np.isinf(distances[0, 3:]).all()


def test_layouts_follow_number_and_memory() -> None:
    assert Layout.of(5_000, 192).kind == "flat"
    million = Layout.of(1_000_000, 192)
    assert (million.kind, million.lists, million.probes) == ("ivf-flat", 4096, 12)
    assert Layout.of(10_000_000, 192).kind == "ivf-sq8"
    assert Layout.of(100_000_000, 192).factory(192) == "IVF32768,PQ48"
    assert Layout.of(1_000_000, 192, memory=1 << 28).kind == "ivf-sq8"


def test_bad_vectors_and_files_are_told(vectors: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not finite"):
        VectorIndex.build(np.where(vectors > 8, np.nan, vectors).astype(np.float32))
    with pytest.raises(InputError, match=r"give \(n, 32\)"):
        VectorIndex.build(vectors).search(vectors[:2, :5], 3)
    with pytest.raises(InputError, match="1 or more"):
        VectorIndex.build(vectors).search(vectors[:2], 0)
    VectorIndex.build(vectors).save(tmp_path / "whole.faiss")
    (tmp_path / "cut.faiss").write_bytes((tmp_path / "whole.faiss").read_bytes()[:3_000])
    for name in ("cut.faiss", "none.faiss"):
        for mapped in (True, False):
            with pytest.raises(InputError, match="missing or damaged"):
                VectorIndex.load(tmp_path / name, mapped=mapped)
