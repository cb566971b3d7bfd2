"""Corpora of the estimators: sizes, what is read of them, where it is kept. Trains nothing."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from menura.synths.patches import PatchSpace, patch_space
from menura.synths.registry import synth_of
from menura.training.patches import Patches, read_patches


@dataclass(frozen=True)
class Size:
    """What the one dial turns."""

    width: int
    depth: int
    channels: int
    ast_depth: int
    ast_hidden: int
    steps: int
    batch: int
    held: int
    rate: float
    judged: int
    """Unseen patches."""


SIZES = {
    "tiny": Size(32, 2, 4, 2, 48, 30, 16, 16, 2e-3, 4),
    "small": Size(128, 4, 24, 4, 144, 5_000, 128, 512, 1e-3, 100),
    "full": Size(256, 8, 32, 12, 384, 200_000, 1_024, 2_048, 4e-4, 512),
}


def space_of(arguments: argparse.Namespace) -> PatchSpace:
    """The space of the synth."""
    return patch_space(synth_of(arguments.synth))


def parts_of(arguments: argparse.Namespace, kind: str) -> list[str]:
    """Finished parts of a kind, in order."""
    named = arguments.train_corpora if kind == "train" else arguments.unseen_corpora
    if named:
        return sorted(named)
    if arguments.corpus is None:
        sys.exit("name --corpus, or both --train-corpora and --unseen-corpora")
    found = sorted(path.parent for path in (arguments.corpus / kind).glob("*/manifest.json"))
    wanted = found[: arguments.parts] if arguments.parts else found
    if not wanted:
        sys.exit(f"{arguments.corpus / kind} holds no finished corpus; recipes/timbre_embedding.py corpus makes them")
    return [str(path) for path in wanted]


def patches_of(arguments: argparse.Namespace, kind: str) -> Patches:
    """All patches of a kind of parts; what was read is kept beside the model."""
    cache = arguments.cache or arguments.out
    cache.mkdir(parents=True, exist_ok=True)
    return read_patches(parts_of(arguments, kind), space_of(arguments), cache)


def told(line: str, began: float | None = None) -> None:
    """A line for whoever waits."""
    took = "" if began is None else f" ({time.perf_counter() - began:.0f} s)"
    print(line + took, file=sys.stderr, flush=True)
