"""What estimators and the timbre embedding hear of a patch: which notes, and what is kept of them. Renders nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from menura.datasets.plan import RenderPlan, plan_of
from menura.datasets.sampling import samplers_of
from menura.note import Note
from menura.synths.registry import synth_of
from menura.training.patches import CONTOUR
from menura.training.pictures import EMBEDDER

PRIOR = "human"
LIBRARY_PITCHES = (36.0, 60.0)
"""At which a library hears its patches, too: a corpus can become one."""
HOLD, TOTAL = 1.0, 1.5
KEPT = (EMBEDDER, CONTOUR)


def third_note(seed: int) -> Note:
    """The note that a part of a corpus has beside the library's; pitch, velocity and length are drawn."""
    rng = np.random.default_rng((seed, 3))
    pitch = int(rng.choice([each for each in range(33, 85) if each not in LIBRARY_PITCHES]))
    velocity, hold = rng.uniform(0.35, 1.0), rng.uniform(0.25, 1.25)
    return Note(float(pitch), round(float(velocity), 2), round(float(hold), 2), TOTAL)


def part_plan(count: int, synth: str, seed: int, kept: Sequence[str] = KEPT) -> RenderPlan:
    """What is rendered as one part of a corpus; the errors are those of `plan_of`.

    Args:
        count: Patches, of the synth's human prior where it has one, otherwise uniform.
        synth: Whose.
        seed: Where all chance comes from; each part of a corpus has its own.
        kept: Embeddings of the sounds.
    """
    return plan_of(
        count,
        PRIOR if PRIOR in samplers_of(synth_of(synth)) else "uniform",
        synth,
        seed=seed,
        notes=[*(Note(pitch, 0.8, HOLD, TOTAL) for pitch in LIBRARY_PITCHES), third_note(seed)],
        embedders=kept,
        shard_size=max(16, count // 8),
    )
