"""How the knob search's distance falls with renders: one JSON line.

    python benchmarks/knobs_search.py MANIFEST [--renders 300] [--every 6] [--workers 2]

Takes every n-th of the manifest's rows that are not marked quick, so that the quick ones stay for the measurement.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np

from menura.evaluation.bench import recordings
from menura.events import Finished, Improved
from menura.matching.budget import Budget
from menura.matching.matcher import Matcher
from menura.matching.tracks import stages_of
from menura.synths.registry import synth_of

MARKS = (25, 50, 100, 200, 300, 450, 600)
"""Renders after which the best MSS so far is noted."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--renders", type=int, default=300)
    parser.add_argument("--every", type=int, default=6)
    parser.add_argument("--workers", type=int, default=None)
    chosen = parser.parse_args()
    quick = {row.id for row in recordings(chosen.manifest, quick=True)}
    rows = [row for row in recordings(chosen.manifest) if row.id not in quick][:: chosen.every]
    synth = synth_of("vital")
    marks = [mark for mark in MARKS if mark <= chosen.renders]
    falls: list[list[float]] = []
    engine = wall = 0.0
    for row in rows:
        matcher = Matcher(synth, stages_of("knobs", synth), workers=chosen.workers)
        heard: list[tuple[int, float]] = []
        for event in matcher.stream(row.sound, note=row.pitch, top=1, budget=Budget(chosen.renders, math.inf)):
            if isinstance(event, Improved):
                heard.append((event.renders, event.candidate.heard.mss))
            if isinstance(event, Finished):
                engine += event.engine_seconds
                wall += event.seconds * matcher.workers
        falls.append([next((mss for at, mss in reversed(heard) if at <= mark), math.nan) for mark in marks])
    means = np.nanmean(np.array(falls), axis=0)
    print(
        json.dumps(
            {
                "benchmark": "knobs_search",
                "n": len(rows),
                "mss_after_renders": {
                    str(mark): round(float(mean), 3) for mark, mean in zip(marks, means, strict=True)
                },
                "engine_share": round(engine / wall, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
