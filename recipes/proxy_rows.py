"""Corpora of the neural proxies: what is rendered for them, how it is read, presets by people. Trains nothing."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from menura.datasets.plan import RenderPlan, plan_of
from menura.datasets.rendering import render_corpus
from menura.note import Note
from menura.synths.registry import synth_of
from menura.training.rows import Further, Rows, read_rows

C4 = Note(60.0, 0.8, 1.0, 1.5)
SYNTHS = {
    "vital": ("vital", "human"),
    "dx7": ("dx7", "uniform"),
    "jx10": ("plugin:http://drobilla.net/plugins/mda/JX10", "uniform"),
    "toy": ("toy", "uniform"),
}
"""Synth and prior by the recipe's name."""
PAPER = {"vital": "Diva", "dx7": "Dexed", "jx10": "TAL-NM", "toy": "toy"}
"""The paper's column."""
SEEDS = {"train": 3_000_000, "unseen": 4_000_000}
"""Of the first part; the others count on."""
HELD = {"validation": 0.1, "test": 0.9}
"""Shares of the unseen patches, by lineage."""


@dataclass(frozen=True)
class Size:
    """What the one dial turns."""

    part: int
    """Presets in a part."""
    parts: dict[str, int]
    count: int
    """Presets that the proxies of the table are trained on, at the most."""
    curve: tuple[int, ...]
    """Presets that those of the curve are trained on."""
    scale: float
    """Of the paper's widths."""
    layers: int | None
    """At the most."""
    steps: int
    batch: int
    presets: int
    """In a draw of the evaluation."""
    trials: tuple[int, int]
    """Of the search, even and near."""


SIZES = {
    "tiny": Size(48, {"train": 2, "unseen": 2}, 96, (24, 48, 72, 96), 0.03, 2, 12, 16, 32, (2, 1)),
    "small": Size(
        2_048, {"train": 16, "unseen": 5}, 8_192, (1_024, 4_096, 16_384, 32_768), 0.25, 3, 2_000, 128, 4_096, (16, 8)
    ),
    "full": Size(
        16_384,
        {"train": 64, "unseen": 8},
        1_048_576,
        (32_768, 131_072, 524_288, 1_048_576),
        1.0,
        None,
        61_440,
        512,
        4_096,
        (128, 75),
    ),
}


def part_plan(size: Size, name: str, kind: str, number: int, embedders: Sequence[str], varied: bool) -> RenderPlan:
    """What is rendered as one part."""
    synth, prior = SYNTHS[name]
    seed = SEEDS[kind] + number
    rng = np.random.default_rng((seed, 3))
    other = Note(
        float(rng.integers(36, 85)),
        round(float(rng.uniform(0.3, 1.0)), 2),
        round(float(rng.uniform(0.25, 1.25)), 2),
        C4.total,
    )
    notes = (other, C4) if varied and other != C4 else (C4,)
    shard = max(16, size.part // 8)
    return plan_of(size.part, prior, synth, seed=seed, notes=notes, embedders=tuple(embedders), shard_size=shard)


def corpus(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Renders the parts that are missing, of both kinds by turns."""
    for number in range(max(size.parts.values())):
        for kind in (kind for kind, parts in size.parts.items() if number < parts):
            began = time.perf_counter()
            plan = part_plan(size, arguments.synth, kind, number, arguments.embedder, arguments.varied)
            manifest = render_corpus(plan, str(out / "corpus" / kind / f"{number:04d}"), workers=arguments.workers)
            told(f"{kind} {number + 1} of {size.parts[kind]}: {manifest['rows']} sounds", began)


def rows_of(size: Size, out: Path, kind: str, embedder: str, arguments: argparse.Namespace) -> Rows:
    """The rows of one kind, with C4 as the last note; of unseen ones that note alone."""
    places = corpora_of(size, out, kind, arguments)

    def tell(count: int) -> None:
        told(f"{kind}: {count} patches read")

    keep = out / "rows" / f"{kind}-{plainly(embedder)}"
    rows = read_rows(places, embedder, keep=keep, further=further_of(arguments.synth), tell=tell)
    plays = rows.notes.shape[1]
    usual = [play for play in range(plays) if np.allclose(rows.notes[:, play, :2], (C4.pitch, C4.velocity))]
    if not usual:
        sys.exit(f"the corpora in {places[0]} do not play C4 at velocity {C4.velocity}; render some that do")
    if kind == "unseen":
        return rows.played(usual[0])
    return rows.played(*(play for play in range(plays) if play != usual[0]), usual[0])


def corpora_of(size: Size, out: Path, kind: str, arguments: argparse.Namespace) -> list[str]:
    """Where the patches of one kind lie, in the order of their rows."""
    named = arguments.train_corpora if kind == "train" else arguments.unseen_corpora
    return sorted(named) or [str(out / "corpus" / kind / f"{number:04d}") for number in range(size.parts[kind])]


def further_of(name: str) -> Further | None:
    """What a proxy is told beside the coordinates."""
    if name != "vital":
        return None
    from proxy_vital import further

    return further()


def everything(size: Size, out: Path, embedder: str, arguments: argparse.Namespace) -> tuple[Rows, Rows, Rows, Any]:
    """Rows to train on, to choose by, to judge on, and what a proxy sees of them."""
    from menura.training.proxy_inputs import inputs_of

    rows = rows_of(size, out, "train", embedder, arguments)
    unseen = rows_of(size, out, "unseen", embedder, arguments)
    more = further_of(arguments.synth)
    inputs = inputs_of(synth_of(SYNTHS[arguments.synth][0]).space, rows, more.space if more else None)
    return rows, unseen.of_part("validation", HELD), unseen.of_part("test", HELD), inputs


def human(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Plays presets by people."""
    for embedder in arguments.embedder:
        rows = human_rows(size, out, embedder, arguments)
        if rows is None:
            sys.exit("no presets by people; name a folder, tar or dump of them with --bank")
        told(f"{len(rows)} presets by people; left out: {rows.facts['left_out']}")


def human_rows(_size: Size, out: Path, embedder: str, arguments: argparse.Namespace) -> Rows | None:
    """Presets by people, where they are at hand."""
    from menura.training.played import played_rows
    from menura.training.rows import kept_rows

    keep = out / "rows" / f"human-{plainly(embedder)}"
    if arguments.bank is None:
        return kept_rows(keep)
    began, synth = time.perf_counter(), synth_of(SYNTHS[arguments.synth][0])

    def tell(count: int) -> None:
        if count % 1_024 == 0:
            told(f"{count} presets played", began)

    rows, _ = played_rows(
        arguments.bank,
        synth,
        embedder,
        C4,
        keep=keep,
        further=further_of(arguments.synth),
        limit=arguments.limit,
        workers=arguments.workers,
        tell=tell,
    )
    return rows


def plainly(name: str) -> str:
    """A name as part of a file's name."""
    return "".join(letter if letter.isalnum() or letter in "._" else "_" for letter in name)


def told(line: str, began: float | None = None) -> None:
    """A line for whoever waits."""
    took = "" if began is None else f" ({time.perf_counter() - began:.0f} s)"
    print(line + took, file=sys.stderr, flush=True)
