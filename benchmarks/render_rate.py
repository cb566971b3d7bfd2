"""How much of the engine's own rate a corpus keeps, and what memory it takes; prints one JSON line.

    python benchmarks/render_rate.py --count 2000 --prior sparse --workers 2 [--ray] [--synth vital]

The same presets at the same notes, three ways, each by as many processes in the same run, start-up left out:

- bare: a plain loop over the engine in each process. Presets are drawn before the clock starts; nothing is heard,
  embedded or written.
- corpus: `render_corpus` into a temporary folder: drawn, played, heard, embedded, compressed, written.
- ray: the same through a Ray cluster of this machine, with --ray.

A silent draw costs the corpus a render more, so the rate counts all renders, those of draws that were replaced
included. Rates are renders a second. Memory is the resident set of each shard process and its engine's worker,
sampled while the corpus is rendered: the middle of the first and of the last fifth of the samples, in MB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from menura.datasets.places import place_of
from menura.datasets.plan import RenderPlan, plan_of
from menura.datasets.rendering import Progress, render_corpus
from menura.datasets.sampling import draw_preset, sampler_of
from menura.datasets.shards import Rejected, Shard, shard_name
from menura.errors import MenuraError
from menura.note import Note
from menura.synths.pool_worker import PlainPlayer
from menura.synths.registry import synth_of


def main() -> None:
    """Measures, and prints the line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400, help="presets")
    parser.add_argument("--synth", default="vital")
    parser.add_argument("--prior", default="sparse")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--embedders", default="mel128")
    parser.add_argument("--shard-size", type=int, default=16)
    parser.add_argument("--ray", action="store_true", help="measure Ray too")
    chosen = parser.parse_args()
    plan = plan_of(
        chosen.count,
        chosen.prior,
        chosen.synth,
        notes=[Note(36), Note(60)],
        embedders=chosen.embedders.split(","),
        shard_size=chosen.shard_size,
    )
    with tempfile.TemporaryDirectory() as folder:
        corpus, memory, draws = by_corpus(plan, Path(folder) / "here", chosen.workers, None)
        bare = by_bare_loop(plan, draws, chosen.workers)
        found: dict[str, Any] = {
            "count": chosen.count, "synth": chosen.synth, "prior": chosen.prior, "workers": chosen.workers,
            "embedders": plan.embedders, "renders": renders(draws),
            "bare": round(bare, 2), "corpus": round(corpus, 2), "share": round(corpus / bare, 3),
            "memory_first_mb": memory[0], "memory_last_mb": memory[1],
            "bytes_a_preset": round(sum(f.stat().st_size for f in Path(folder).rglob("*.parquet")) / chosen.count),
        }  # fmt: skip
        if chosen.ray:
            ray, _, _ = by_corpus(plan, Path(folder) / "ray", chosen.workers, "local")
            found |= {"ray": round(ray, 2), "ray_share": round(ray / corpus, 3)}
    print(json.dumps(found))


def renders(draws: list[tuple[int, int, int]]) -> int:
    """How many renders these draws take."""
    return sum(notes for _, _, notes in draws)


def by_corpus(
    plan: RenderPlan, out: Path, workers: int, ray: str | None
) -> tuple[float, tuple[float, float], list[tuple[int, int, int]]]:
    """Renders a second from the first finished item (on Ray: shard) on, memory, and the draws that were played."""
    steps: list[tuple[float, int]] = []
    samples: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            samples.append(resident())

    watcher = threading.Thread(target=watch)
    watcher.start()

    def tell(progress: Progress) -> None:
        if not steps or progress.rendered != steps[-1][1]:
            steps.append((time.perf_counter(), progress.rendered))

    render_corpus(plan, str(out), workers=workers, ray=ray, tell=tell)
    over.set()
    watcher.join()
    draws: list[tuple[int, int, int]] = []
    for number in range(plan.shards):
        shard = Shard(place_of(out), shard_name(number))
        kept = {(row["index"], row["attempt"]) for row in shard.table(["index", "attempt"]).to_pylist()}
        draws += [(index, attempt, len(plan.notes)) for index, attempt in sorted(kept)]
        draws += [played(draw) for draw in shard.rejected]
        shard.close()
    started = next(step for step in steps if step[1])
    share = (steps[-1][1] - started[1]) / plan.count
    fifth = max(len(samples) // 5, 1)
    memory = tuple(
        round(statistics.median(part) / workers, 1) for part in (samples[fifth : 2 * fifth], samples[-fifth:])
    )
    return renders(draws) * share / (steps[-1][0] - started[0]), (memory[0], memory[1]), sorted(draws)


def played(draw: Rejected) -> tuple[int, int, int]:
    """A draw that was replaced, and how many notes of it were played: one, as a rule, is enough to know."""
    return draw.index, draw.attempt, 1


def by_bare_loop(plan: RenderPlan, draws: list[tuple[int, int, int]], workers: int) -> float:
    """Renders a second of a plain loop over the engine in each of `workers` processes."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(workers)
    answers = context.SimpleQueue()
    parts = [draws[number::workers] for number in range(workers)]
    processes = [context.Process(target=bare_loop, args=(plan, part, barrier, answers)) for part in parts]
    for process in processes:
        process.start()
    spans = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return renders(draws) / (max(end for _, end in spans) - min(start for start, _ in spans))


def bare_loop(plan: RenderPlan, draws: list[tuple[int, int, int]], barrier: Any, answers: Any) -> None:
    """One process of it."""
    synth = synth_of(plan.synth)
    sampler = sampler_of(plan.prior, synth)
    make = getattr(synth, "player", None)
    player = make("fast") if make else PlainPlayer(synth)
    presets = [(draw_preset(sampler, synth, plan.seed, index, attempt), notes) for index, attempt, notes in draws]
    player.play(synth.init(), plan.notes[0], plan.sample_rate)
    barrier.wait()
    start = time.monotonic()
    for preset, notes in presets:
        for note in plan.notes[:notes]:
            try:
                player.play(preset, note, plan.sample_rate)
            except MenuraError:
                break
    answers.put((start, time.monotonic()))


def resident() -> float:
    """MB of all processes that render below this one; forks share most of theirs with their parent and are left out."""
    total = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                ours = b"local_rendering" in command and parent == os.getpid()
                engine = b"pool_worker" in command and _parent(parent) == os.getpid()
                if ours or engine:
                    total += int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
            except (OSError, IndexError, ValueError):
                continue
    return total


def _parent(number: int) -> int:
    return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
