r"""How near the index comes to an exact search, in how much of its time. Prints one JSON line.

    python benchmarks/index_recall.py --count 1000000 --dim 192

Clustered vectors, as embeddings of patches are; the queries are near vectors of the index, not in it. On a busy machine
look at `query_cpu_share`, the ratio of the processor's time.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from menura.library.index import Layout, VectorIndex

NEIGHBOURS = 10


def clustered(rng: np.random.Generator, centres: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Vectors around centres, unit deviation, shape (count, dim)."""
    found = rng.standard_normal((count, centres.shape[1]), dtype=np.float32)
    found += centres[rng.integers(len(centres), size=count)]
    return found


def timed(index: VectorIndex, queries: NDArray[np.float32]) -> tuple[float, float, NDArray[np.int64]]:
    """Milliseconds of a query (median) and of processor (mean), and the numbers found; asked one by one."""
    index.search(queries[:1], NEIGHBOURS)
    spans: list[float] = []
    found: list[NDArray[np.int64]] = []
    cpu = time.process_time()
    for query in queries:
        began = time.perf_counter()
        found.append(index.search(query[None], NEIGHBOURS)[1][0])
        spans.append(time.perf_counter() - began)
    return 1e3 * float(np.median(spans)), 1e3 * (time.process_time() - cpu) / len(queries), np.array(found)


def main() -> None:
    """Build, ask, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=192)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--clusters", type=int, default=5_000)
    parser.add_argument("--memory", type=int, default=4 << 30, help="bytes that the index may take")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    centres = 3.0 * rng.standard_normal((arguments.clusters, arguments.dim), dtype=np.float32)
    vectors = clustered(rng, centres, arguments.count)
    queries = clustered(rng, centres, arguments.queries)
    layout = Layout.of(arguments.count, arguments.dim, memory=arguments.memory)
    began = time.perf_counter()
    index = VectorIndex.build(vectors, layout=layout)
    build = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.faiss"
        index.save(path)
        size = path.stat().st_size
        milliseconds, cpu, found = timed(VectorIndex.load(path), queries)
    exact = VectorIndex.build(vectors, layout=Layout("flat", 0, 0))
    exact_milliseconds, exact_cpu, wanted = timed(exact, queries)
    recall = np.mean([len(set(a) & set(b)) / NEIGHBOURS for a, b in zip(found.tolist(), wanted.tolist(), strict=True)])
    print(
        json.dumps(
            {
                "benchmark": "index_recall",
                "count": arguments.count,
                "dim": arguments.dim,
                "layout": layout.factory(arguments.dim),
                "probes": layout.probes,
                "recall_at_10": round(float(recall), 4),
                "query_ms": round(milliseconds, 3),
                "exact_ms": round(exact_milliseconds, 3),
                "query_share": round(milliseconds / exact_milliseconds, 4),
                "query_cpu_share": round(cpu / exact_cpu, 4),
                "build_seconds": round(build, 1),
                "bytes": size,
                "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
