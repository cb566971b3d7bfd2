"""How much of the engine's own rate a corpus keeps, and what memory it takes; prints one JSON line.

    python benchmarks/render_rate.py --count 2000 --prior sparse --workers 2 [--ray] [--synth vital]

The same presets at the same notes, three ways, each by as many processes in the same run, start-up left out:

- bare: a plain loop over the engine in each process. Presets are drawn before the clock starts; nothing is heard,
  embedded or written.
- corpus: `render_corpus` into a temporary folder: drawn, played, heard, embedded, compressed, written.
- ray: the same through a Ray cluster of this machine, with --ray.

A silent draw costs the corpus a render more, so the rate counts all renders, those of draws that were replaced
included. Rates are renders a second. On a busy machine look at the processor time instead: `cpu_bare_ms` and
`cpu_corpus_ms` are that of one render, forks and all, and `cpu_share` is their ratio. Memory is the resident set of a
shard process and its engine's worker, sampled while the corpus is rendered: the median of the second and of the last
fifth of the samples, in MB.
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
        corpus, cpu, memory, draws = by_corpus(plan, Path(folder) / "here", chosen.workers, None)
        bare, cpu_bare = by_bare_loop(plan, draws, chosen.workers)
        found: dict[str, Any] = {
            "count": chosen.count, "synth": chosen.synth, "prior": chosen.prior, "workers": chosen.workers,
            "embedders": plan.embedders, "renders": renders(draws),
            "bare": round(bare, 2), "corpus": round(corpus, 2), "share": round(corpus / bare, 3),
            "cpu_bare_ms": round(1e3 * cpu_bare, 1), "cpu_corpus_ms": round(1e3 * cpu, 1),
            "cpu_share": round(cpu_bare / cpu, 3) if cpu else None,
            "memory_first_mb": memory[0], "memory_last_mb": memory[1],
            "bytes_a_preset": round(sum(f.stat().st_size for f in Path(folder).rglob("*.parquet")) / chosen.count),
        }  # fmt: skip
        if chosen.ray:
            ray, _, _, _ = by_corpus(plan, Path(folder) / "ray", chosen.workers, "local")
            found |= {"ray": round(ray, 2), "ray_share": round(ray / corpus, 3)}
    print(json.dumps(found))


def renders(draws: list[tuple[int, int, int]]) -> int:
    """How many renders these draws take."""
    return sum(notes for _, _, notes in draws)


def by_corpus(
    plan: RenderPlan, out: Path, workers: int, ray: str | None
) -> tuple[float, float, tuple[float, float], list[tuple[int, int, int]]]:
    """Renders a second from the first finished item (on Ray: shard) on, seconds of processor for one, memory, draws."""
    steps: list[tuple[float, int]] = []
    samples: list[tuple[float, float, int, int]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            samples.append((*spent(), steps[-1][1] if steps else 0))

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
    # A process that has ended, while another has its last shard, took its memory and its time along.
    most = max((sample[2] for sample in samples), default=0)
    whole = [(memory, seconds, done) for memory, seconds, processes, done in samples if processes == most]
    fifth = max(len(whole) // 5, 1)
    parts = (whole[fifth : 2 * fifth], whole[-fifth:])
    first, last = (round(statistics.median(memory for memory, _, _ in part) / workers, 1) for part in parts)
    # Between two samples while all processes were at work: neither their start nor their end is in it.
    begun = [sample for sample in whole if sample[2] >= 2 * workers]
    items = begun[-1][2] - begun[0][2] if begun else 0
    cpu = (begun[-1][1] - begun[0][1]) / (items * renders(draws) / plan.count) if items else 0.0
    return renders(draws) * share / (steps[-1][0] - started[0]), cpu, (first, last), sorted(draws)


def played(draw: Rejected) -> tuple[int, int, int]:
    """A draw that was replaced, and how many notes of it were played: one, as a rule, is enough to know."""
    return draw.index, draw.attempt, 1


def by_bare_loop(plan: RenderPlan, draws: list[tuple[int, int, int]], workers: int) -> tuple[float, float]:
    """Renders a second, and seconds of processor for one, of a plain loop over the engine in each process."""
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
    seconds = max(end for _, end, _ in spans) - min(start for start, _, _ in spans)
    return renders(draws) / seconds, sum(cpu for _, _, cpu in spans) / renders(draws)


def bare_loop(plan: RenderPlan, draws: list[tuple[int, int, int]], barrier: Any, answers: Any) -> None:
    """One process of it."""
    synth = synth_of(plan.synth)
    sampler = sampler_of(plan.prior, synth)
    make = getattr(synth, "player", None)
    player = make("fast") if make else PlainPlayer(synth)
    presets = [(draw_preset(sampler, synth, plan.seed, index, attempt), notes) for index, attempt, notes in draws]
    player.play(synth.init(), plan.notes[0], plan.sample_rate)
    barrier.wait()
    start, cpu = time.monotonic(), sum(os.times()[:4])
    for preset, notes in presets:
        for note in plan.notes[:notes]:
            try:
                player.play(preset, note, plan.sample_rate)
            except MenuraError:
                break
    answers.put((start, time.monotonic(), sum(os.times()[:4]) - cpu))


def spent() -> tuple[float, float, int]:
    """MB resident, seconds of processor so far, and number of all processes that render below this one.

    Forks share most of their memory with their parent, and are left out of it; their time is in their parent's.
    """
    memory, seconds, processes = 0.0, 0.0, 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                ours = b"local_rendering" in command and int(fields[1]) == os.getpid()
                engine = b"pool_worker" in command and _parent(int(fields[1])) == os.getpid()
                if ours or engine:
                    processes += 1
                    memory += int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
                    seconds += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            except (OSError, IndexError, ValueError):
                continue
    return memory, seconds, processes


def _parent(number: int) -> int:
    return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
