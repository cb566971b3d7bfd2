"""Round trips and renders of many DX7 voices; prints one JSON line.

    python benchmarks/dx7_voices.py ../shared/data/dx7_voices.npy [--limit 2000] [--renders 1000] [--rates 200]
        [--rounds 3]

Of all packed voices (uint8, shape (n, 128)): how many are valid, and of those, how many are equal after encoding onto
the initial voice, decoding, writing and reading, and how many packed bytes are equal but for bits that mean nothing.
Some are rendered twice, in two pools of different workers and in opposite orders, as they are, chance included. And
voices a second: of the bare engine, in one process for each worker, and of the pool, with the sounds sent and with a
measure taken in the workers.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import operator
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from menura.note import Note
from menura.preset import Preset
from menura.synths.dx7.controls import SAMPLE_AND_HOLD
from menura.synths.dx7.format import pack, silent, unpack, valid
from menura.synths.dx7.hexter import hexter
from menura.synths.dx7.synth import Dx7, preset_of, voice_of
from menura.synths.pool import RenderPool, cores

NOTE = Note(pitch=60.0, velocity=0.8, hold=1.0, total=2.0)
SAMPLE_RATE = 44_100


measure_of_nothing = operator.attrgetter("seconds")
"""A measure that costs nothing, and that workers can find."""


def round_trips(packed: np.ndarray) -> dict[str, Any]:
    """Encode, decode, write, read, equal: all valid voices."""
    began = time.perf_counter()
    voices = unpack(packed)
    good = valid(voices)
    again = pack(voices[good])
    dx7 = Dx7()
    space, base = dx7.space, dx7.init()
    equal = 0
    for row in voices[good]:
        preset = preset_of(row.tobytes())
        back = dx7.read(dx7.write(space.decode(space.encode(preset), base)))
        equal += back == preset and voice_of(back)[:145] == row.tobytes()[:145]
    return {
        "voices": len(packed),
        "valid": int(good.sum()),
        "round_trips_equal": int(equal),
        "packed_equal": int((again == packed[good]).all(axis=1).sum()),
        "unpacked_again_equal": int((unpack(again) == voices[good]).all(axis=1).sum()),
        "silent_by_level": sum(silent(row.tobytes()) for row in voices[good]),
        "seconds": round(time.perf_counter() - began, 1),
    }


def twice(presets: list[Preset]) -> dict[str, Any]:
    """Each rendered in two pools, the second in the opposite order."""
    requests = [(preset, NOTE) for preset in presets]
    with RenderPool("dx7", workers=2) as pool:
        first = pool.render_many(requests)
    with RenderPool("dx7", workers=3) as pool:
        second = pool.render_many(requests[::-1])[::-1]
    failed = sum(not one.ok or not other.ok for one, other in zip(first, second, strict=True))
    different = [
        preset.name
        for preset, one, other in zip(presets, first, second, strict=True)
        if one.audio and other.audio and not np.array_equal(one.audio.samples, other.audio.samples)
    ]
    return {
        "rendered_twice": len(presets),
        "with_sample_and_hold": sum(preset.values["lfo_wave"] == SAMPLE_AND_HOLD for preset in presets),
        "without_oscillator_sync": sum(not preset.values["oscillator_sync"] for preset in presets),
        "failed": failed,
        "different": different,
    }


def bare(voices: list[bytes]) -> float:
    """The engine alone, in a process of its own; answers with the processor's seconds."""
    engine = hexter()
    began = time.process_time()
    for voice in voices:
        engine.play(voice, NOTE, SAMPLE_RATE)
    return time.process_time() - began


def bare_rate(voices: list[bytes], workers: int) -> tuple[float, float]:
    """Voices a second of as many processes as the pool has workers, and milliseconds of processor for each voice."""
    context = multiprocessing.get_context("fork")
    with context.Pool(workers) as processes:
        processes.map(bare, [voices[:2]] * workers)
        began = time.perf_counter()
        spent = processes.map(bare, [voices[number::workers] for number in range(workers)], chunksize=1)
        return len(voices) / (time.perf_counter() - began), 1000.0 * sum(spent) / len(voices)


def pool_rate(presets: list[Preset], workers: int, measured: bool) -> dict[str, float]:
    """The same of a pool; the processor's time is that of the caller and the workers together.

    `engine_share` is the share of the workers' time that the engine itself took: its rate in the pool, as a share of
    its rate alone, however busy the machine is.
    """
    measure = measure_of_nothing if measured else None
    requests = [(preset, NOTE) for preset in presets]

    def spent() -> float:
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    def passes(count: int) -> tuple[float, float, float]:
        before = spent()
        with RenderPool("dx7", workers=workers) as pool:
            pool.render_many(requests[: 2 * workers], measure=measure)
            began, inside = time.perf_counter(), pool.engine_seconds
            for _ in range(count):
                pool.render_many(requests, measure=measure)
            seconds = time.perf_counter() - began
            share = (pool.engine_seconds - inside) / (workers * seconds)
        return seconds, spent() - before, share

    # What starting costs is in both and falls out.
    (_, once, _), (seconds, thrice, share) = passes(1), passes(3)
    count = len(requests)
    return {
        "per_second": 3 * count / seconds,
        "cpu_ms": 1000.0 * (thrice - once) / (2 * count),
        "engine_share": share,
    }


def rates(presets: list[Preset], workers: int, rounds: int) -> dict[str, Any]:
    """Voices a second and processor time, the ways in turn so that a busy machine slows all alike; medians.

    The pool's rates as shares of the bare engine's, by the clock and by the processor's time, are of neighbours.
    """
    voices = [voice_of(preset) for preset in presets]
    rows: list[dict[str, dict[str, float]]] = []
    for _ in range(rounds):
        rate, cpu = bare_rate(voices, workers)
        rows.append(
            {
                "bare": {"per_second": rate, "cpu_ms": cpu},
                "pool": pool_rate(presets, workers, measured=False),
                "pool_measured": pool_rate(presets, workers, measured=True),
            }
        )
    result: dict[str, Any] = {"workers": workers}
    for name, first in rows[0].items():
        for what in first:
            result[f"{name}_{what}"] = round(statistics.median(row[name][what] for row in rows), 3)
    for name in ("pool", "pool_measured"):
        by_clock = [row[name]["per_second"] / row["bare"]["per_second"] for row in rows]
        by_processor = [row["bare"]["cpu_ms"] / row[name]["cpu_ms"] for row in rows]
        result[f"{name}_of_bare_by_clock"] = round(statistics.median(by_clock), 3)
        result[f"{name}_of_bare_by_processor"] = round(statistics.median(by_processor), 3)
    return result


def main() -> int:
    """Runs what was asked for; exits 1 if a voice was lost or sounded different."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("voices", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="only as many voices, spread over all")
    parser.add_argument("--renders", type=int, default=1000, help="voices that are rendered twice; 0 for none")
    parser.add_argument("--rates", type=int, default=200, help="voices for the rates; 0 for none")
    parser.add_argument("--rounds", type=int, default=3, help="times that the rates are taken")
    parser.add_argument("--workers", type=int, default=cores())
    chosen = parser.parse_args()
    packed = np.load(chosen.voices)
    if chosen.limit:
        packed = packed[:: max(1, len(packed) // chosen.limit)]
    result: dict[str, Any] = round_trips(packed)
    voices = unpack(packed)
    voices = voices[valid(voices)]
    picked = np.random.default_rng(0).permutation(len(voices))
    presets = [preset_of(voices[place].tobytes()) for place in picked[: max(chosen.renders, chosen.rates)]]
    if chosen.renders:
        result |= twice(presets[: chosen.renders])
    if chosen.rates:
        result |= rates(presets[: chosen.rates], chosen.workers, chosen.rounds)
    print(json.dumps({**result, "engine": hexter().version}))
    lost = result["valid"] - result["round_trips_equal"]
    return 1 if lost or result.get("failed") or result.get("different") else 0


if __name__ == "__main__":
    sys.exit(main())
