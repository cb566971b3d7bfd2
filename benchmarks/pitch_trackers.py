"""Which pitch tracker hears a note's pitch? Prints one JSON line; the table goes to stderr.

    python benchmarks/pitch_trackers.py --manifest ../shared/data/real/manifest.csv --part held-out

Rows with a known pitch are judged: within 50 cents, wrong by octaves, wrong otherwise, no answer.
`held-out` are the rows marked quick, on which nothing was tuned; `tuning` the others. pyworld is no
dependency of menura: without it (pip install pyworld) its two trackers are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio, read_audio
from menura.datasets.item import Item
from menura.evaluation.bench import recordings
from menura.features.pitch import estimate_note
from menura.features.trackers import PitchTrack, praat_track, swift_track

Samples = NDArray[np.float32]
RATE = 44_100
FLOOR_HZ, CEILING_HZ = 20.0, 4200.0


def cross_correlation(signal: Samples) -> PitchTrack:
    """Praat's cross-correlation tracker."""
    import parselmouth

    padded = np.pad(signal, (0, max(0, round(0.2 * RATE) - signal.size))).astype(np.float64)
    sound = parselmouth.Sound(padded, RATE)
    pitch = sound.to_pitch_cc(pitch_floor=FLOOR_HZ, pitch_ceiling=CEILING_HZ, time_step=0.01)
    hz = np.asarray(pitch.selected_array["frequency"])
    return PitchTrack(np.asarray(pitch.xs()), hz, np.clip(pitch.selected_array["strength"], 0.0, 1.0))


def world(signal: Samples, method: str) -> PitchTrack:
    """WORLD's trackers: harvest, or dio refined by stonemask."""
    import pyworld

    wide = signal.astype(np.float64)
    settings = {"f0_floor": FLOOR_HZ, "f0_ceil": CEILING_HZ, "frame_period": 10.0}
    if method == "harvest":
        hz, times = pyworld.harvest(wide, RATE, **settings)
    else:
        hz, times = pyworld.dio(wide, RATE, **settings)
        hz = pyworld.stonemask(wide, hz, times, RATE)
    return PitchTrack(times, hz, (hz > 0.0).astype(np.float64))


def menura(signal: Samples) -> float:
    """The note estimator, unpitched verdicts included."""
    estimate = estimate_note(Audio(signal, RATE))
    return estimate.pitch if estimate.pitched else float("nan")


def trackers() -> dict[str, Callable[[Samples], float]]:
    """Every candidate by name: a sound's pitch in MIDI, NaN for none."""
    found: dict[str, Callable[[Samples], float]] = {
        "swift-f0": lambda x: swift_track(x, RATE).typical(),
        "swift-f0, 4x speed": lambda x: swift_track(x, RATE, speed=4.0).typical(),
        "praat ac": lambda x: praat_track(x, RATE, lowest_hz=FLOOR_HZ, highest_hz=CEILING_HZ).typical(),
        "praat cc": lambda x: cross_correlation(x).typical(),
        "menura": menura,
    }
    if importlib.util.find_spec("pyworld"):
        found["world harvest"] = lambda x: world(x, "harvest").typical()
        found["world dio+stonemask"] = lambda x: world(x, "dio").typical()
    return found


def judge(rows: list[Item], hear: Callable[[Samples], float]) -> dict[str, object]:
    """Shares, by category and in all, and seconds per sound."""
    categories: dict[str, list[bool]] = {}
    octaves = others = silent = 0
    offsets: list[float] = []
    seconds = 0.0
    for row in rows:
        signal = read_audio(row.sound).to_mono().resample(RATE).mono
        began = time.process_time()
        pitch = hear(signal)
        seconds += time.process_time() - began
        error = pitch - float(row.pitch or 0.0)
        right = bool(abs(error) <= 0.5)
        categories.setdefault(row.category, []).append(right)
        if right:
            offsets.append(100.0 * error)
        elif np.isnan(error):
            silent += 1
        elif abs(error - 12.0 * round(error / 12.0)) <= 0.5:
            octaves += 1
        else:
            others += 1
    flags = [flag for group in categories.values() for flag in group]
    return {
        "within_50_cents": round(float(np.mean(flags)), 4),
        "octave_errors": octaves,
        "other_errors": others,
        "no_answer": silent,
        "median_offset_cents": round(float(np.median(np.abs(offsets))), 1) if offsets else None,
        "seconds_per_sound": round(seconds / len(rows), 3),
        "by_category": {kind: round(float(np.mean(group)), 3) for kind, group in sorted(categories.items())},
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--part", choices=("all", "tuning", "held-out"), default="all")
    parser.add_argument("--limit", type=int, help="only the first rows")
    parser.add_argument("--only", nargs="*", help="names of trackers")
    arguments = parser.parse_args()
    rows = [row for row in recordings(arguments.manifest) if row.pitch is not None]
    if arguments.part != "all":
        quick = {row.id for row in recordings(arguments.manifest, quick=True)}
        rows = [row for row in rows if (row.id in quick) == (arguments.part == "held-out")]
    rows = rows[: arguments.limit]
    answers: dict[str, object] = {}
    for name, hear in trackers().items():
        if arguments.only and name not in arguments.only:
            continue
        answers[name] = judge(rows, hear)
        print(f"{name:22}{answers[name]}", file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "pitch_trackers", "part": arguments.part, "n": len(rows), "trackers": answers}))


if __name__ == "__main__":
    main()
