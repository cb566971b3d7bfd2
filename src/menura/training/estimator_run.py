"""A proposer for any synth, from nothing: renders patches, trains a flow on them, exports it. Knows no command line.

Each stage goes on where it was stopped. What a flow of 4,096 patches is worth to a search: docs/learned.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from menura.datasets.rendering import render_corpus
from menura.errors import InputError
from menura.features.embedders import timbre
from menura.models.estimator_network import Architecture
from menura.models.layout import fitted_layout
from menura.models.picture_encoder import folded_convolutions
from menura.synths.patches import patch_space
from menura.synths.registry import synth_of
from menura.training.estimator_export import export_model
from menura.training.estimator_task import EstimatorSettings, EstimatorTask
from menura.training.heard_notes import part_plan
from menura.training.loop import Progress, fit
from menura.training.patches import data_of, read_patches
from menura.training.pictures import as_decibels
from menura.training.settings import LoopSettings
from menura.training.state import read_best

PART = 512
"""Patches of a part of the corpus; each part has a third note of its own."""
LEAST = 64
BATCH, HELD = 128, 512
CHECKS = 8
FITTED = 128
"""Sounds on which the spread of the ear's layers is measured."""
WALK, GUIDANCE = 24, 1.5
BEST = "held"


@dataclass(frozen=True)
class EstimatorRun:
    """Everything that decides the weights, but for the number of threads."""

    synth: str
    patches: int = 4_096
    """Rendered, at three notes each; an eighth, at most `HELD`, tells which step is the best."""
    steps: int = 800
    seed: int = 0
    width: int = 128
    depth: int = 4

    def __post_init__(self) -> None:
        if self.patches < LEAST or self.steps < CHECKS or self.seed < 0:
            raise InputError(
                f"{self.patches} patches, {self.steps} steps and seed {self.seed}; give {LEAST} patches, {CHECKS} "
                "steps and a seed of 0 at least"
            )

    @property
    def held(self) -> int:
        """Patches that are not trained on."""
        return min(HELD, self.patches // 8)

    @property
    def batch(self) -> int:
        """Patches of a step."""
        return min(BATCH, (self.patches - self.held) // 4)


def train_estimator(
    run: EstimatorRun, folder: Path, tell: Callable[[str], None] = lambda _: None, *, workers: int | None = None
) -> dict[str, Any]:
    """A flow that proposes patches of a synth for a sound, in a folder that `menura match --model` takes.

    Args:
        run: what is trained.
        folder: for corpus, state and model; an unfinished run in it is continued.
        tell: called with a line at each part and each judgement.
        workers: engines that render at a time; one a core by default.

    Returns:
        The model's card.

    Raises:
        UnknownNameError: no such synth.
        EngineError: the synth cannot play here.
        InputError: the folder holds another run.
        CorpusError: it holds a damaged corpus, or one of another plan.
        OutputError: a file cannot be written.
        WorkError: a patch cannot be rendered, or the loss is not finite any more.
    """
    space = patch_space(synth_of(run.synth))
    corpora: list[str] = []
    for number, first in enumerate(range(0, run.patches, PART)):
        place = str(folder / "corpus" / f"{number:04d}")
        count = min(PART, run.patches - first)
        manifest = render_corpus(part_plan(count, run.synth, 1_000 * (run.seed + 1) + number), place, workers=workers)
        corpora.append(place)
        tell(f"rendered {first + count:,} of {run.patches:,} patches, {manifest['rows']:,} sounds in this part")
    patches = read_patches(corpora, space, folder)
    layout = fitted_layout(space, patches.vectors)
    settings = EstimatorSettings(Architecture("flow", run.width, run.depth, 4, 24), run.batch, run.held, seed=run.seed)
    task = EstimatorTask(patches, layout, settings)
    ear = np.stack([as_decibels(levels) for levels in patches.levels[:FITTED, 0]])
    task.network.encoder.start_from_folded(
        folded_convolutions(Path(timbre.__file__).parent / timbre.WEIGHTS), torch.from_numpy(ear)
    )
    loop = LoopSettings(
        steps=run.steps, batch=run.batch, rate=1e-3, warm_up=0.03, decay=0.02, average=0.998, best={BEST: "lowest"},
        log_every=max(1, run.steps // (4 * CHECKS)), check_every=run.steps // CHECKS, seed=run.seed,
    )  # fmt: skip

    def show(now: Progress) -> None:
        tell(f"step {now.step:,} of {run.steps:,}: loss {now.losses['loss']:.3f}, held out {now.judged[BEST]:.3f}")

    network = fit(task, loop, folder, show).network
    weights, best = read_best(folder, BEST)
    network.load_state_dict(weights)
    told = {
        "name": f"{run.synth}-flow",
        "kind": "flow",
        "steps": WALK,
        "guidance": GUIDANCE,
        "data": data_of(corpora),
        "training": {"task": asdict(settings), "loop": asdict(loop), "best": asdict(best)},
        "recipe": f"menura models train {run.synth} --patches {run.patches} --steps {run.steps} --seed {run.seed}",
    }
    return export_model(network, layout, space, patches, folder, told)
