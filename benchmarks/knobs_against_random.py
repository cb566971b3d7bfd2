r"""Does the knob search beat as many random patches? Paired, row by row. Prints one JSON line.

    python benchmarks/knobs_against_random.py --manifest ../shared/data/real/manifest.csv --quick --renders 600 \
        --folder build/knobs

Both arms draw from the same space with the same in-loop distance; each answer is exported, read back and
rendered by a fresh engine. The folder keeps both results, and an interrupted run goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from menura.errors import OutputError
from menura.evaluation.bench import run_bench
from menura.features.distances import METRICS

RESAMPLES = 10_000


def run_arm(track: str, arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Rows of an arm by file; a finished result in the folder is taken as it is."""
    out = arguments.folder / f"{track}-{arguments.renders}.json"
    try:
        run_bench(
            arguments.manifest,
            out=out,
            track=track,
            renders=arguments.renders,
            quick=arguments.quick,
            limit=arguments.limit,
            workers=arguments.workers,
            seed=arguments.seed,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except OutputError:
        if not out.exists() or not json.loads(out.read_text(encoding="utf-8"))["complete"]:
            raise
        print(f"{out} is finished; taken as it is", file=sys.stderr)
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    return {row["file"]: row for row in rows if "error" not in row}


def compare(knobs: NDArray[np.float64], random: NDArray[np.float64], seed: int) -> dict[str, object]:
    """How much lower the first is, as a share of the second, with a bootstrap interval over the rows."""
    picks = np.random.default_rng(seed).integers(0, knobs.size, (RESAMPLES, knobs.size))
    lower = 1.0 - knobs[picks].mean(axis=1) / random[picks].mean(axis=1)
    return {
        "knobs_mean": round(float(knobs.mean()), 4),
        "random_mean": round(float(random.mean()), 4),
        "lower_share": round(float(1.0 - knobs.mean() / random.mean()), 4),
        "lower_share_95": [round(float(bound), 4) for bound in np.percentile(lower, (2.5, 97.5))],
        "lower_share_mean_of_rows": round(float(np.mean(1.0 - knobs / random)), 4),
        "rows_better": int(np.sum(knobs < random)),
    }


def main() -> None:
    """Parse, run both arms, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the results of both arms lie")
    parser.add_argument("--renders", type=int, default=600)
    parser.add_argument("--quick", action="store_true", help="only the rows marked quick")
    parser.add_argument("--limit", type=int, help="only the first rows")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arms = {track: run_arm(track, arguments) for track in ("random", "knobs")}
    files = sorted(set(arms["knobs"]) & set(arms["random"]))
    compared = {
        name: compare(*(np.array([arms[arm][file][name] for file in files]) for arm in ("knobs", "random")), seed=0)
        for name in METRICS
        if name != "rms"
    }
    print(json.dumps({"benchmark": "knobs_against_random", "renders": arguments.renders, "n": len(files), **compared}))


if __name__ == "__main__":
    main()
