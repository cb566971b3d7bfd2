r"""The table of the README. Prints one JSON line.

    python benchmarks/readme_table.py --manifest ../shared/data/real/manifest.csv --quick --folder build/readme
    python benchmarks/readme_table.py --manifest ... --quick --folder build/readme --tracks knobs

The folder keeps the results of each track, row by row; an interrupted run goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from menura.evaluation.bench import run_bench
from menura.matching.tracks import Track

RENDERS: dict[Track, int] = {"any": 40, "knobs": 600}


def main() -> None:
    """Parse, run the tracks, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the results lie")
    parser.add_argument("--quick", action="store_true", help="only the rows marked quick")
    parser.add_argument("--limit", type=int, help="only the first rows")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--tracks", nargs="+", choices=list(RENDERS), default=["any"])
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    found = {
        track: run_bench(
            arguments.manifest,
            out=arguments.folder / f"{track}.json",
            track=track,
            renders=RENDERS[track],
            quick=arguments.quick,
            limit=arguments.limit,
            workers=arguments.workers,
            playing=True,
            force=True,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        )
        for track in arguments.tracks
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
