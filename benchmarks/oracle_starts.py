r"""How much of a patch would a proposer have to tell, for the knob search to gain by it? Prints a table.

    python benchmarks/oracle_starts.py --set synthetic-human --limit 8 --renders 100 --deviation 0.05 0.1 0.25

The oracle knows each target's own patch: its tables, switches and routes, and every continuous control up to a normal
deviation, a share of the control's useful range. Eight of its draws take the place of the knob search's own starts.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from menura.datasets.sets import load_set
from menura.evaluation.statistics import Paired, paired_difference
from menura.events import Event, Finished, Proposed, Started
from menura.matching.audition import Audition
from menura.matching.budget import Account, Budget
from menura.matching.fit import Fit
from menura.matching.knobs import KnobSearch
from menura.matching.lens import active_lens, useful_bounds
from menura.matching.matcher import Matcher
from menura.matching.pool import Pool
from menura.matching.rank import Rank
from menura.matching.stage import Stage
from menura.matching.target import Target
from menura.matching.tracks import stages_of
from menura.preset import Preset
from menura.synths.base import Synth
from menura.synths.registry import synth_of

DRAWS = 8
SECONDS = 900.0


class Oracle:
    """Proposes a known patch, its continuous controls moved."""

    name = "oracle"

    def __init__(self, truth: Preset, deviation: float) -> None:
        self.truth = truth
        self.deviation = deviation

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Propose the draws."""
        yield Started(self.name, account.left)
        truth = pool.task.synth.freeze(self.truth)
        lens = active_lens(pool.task.synth, truth, frozenset())
        low, high = useful_bounds(lens, np.zeros(lens.dim), np.ones(lens.dim))
        place = np.asarray(lens.encode(truth), dtype=np.float64)
        moved = place + pool.rng.normal(0.0, self.deviation, (DRAWS, lens.dim)) * (high - low)
        found = ((lens.decode(np.clip(row, low, high), truth), ("oracle",)) for row in moved)
        yield Proposed(self.name, pool.propose(found))
        return pool


def distance(synth: Synth, stages: Sequence[Stage], target: Target, renders: int) -> float:
    """MSS in dB of the best answer of some stages."""
    for event in Matcher(synth, list(stages), seed=0).stream(target, top=1, budget=Budget(renders, SECONDS)):
        if isinstance(event, Finished):
            return event.matches[0].scores["mss"]
    raise AssertionError("a match ends with Finished")


def interval(less: Paired) -> str:
    """Its ends; five sounds are needed for one."""
    return "[?]" if less.low is None or less.high is None else f"[{less.low:+.2f}, {less.high:+.2f}]"


def main() -> None:
    """Run the knob search and each oracle on each sound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="synthetic-human", help="a set of presets")
    parser.add_argument("--synth", default="vital")
    parser.add_argument("--limit", type=int, default=8)
    parser.add_argument("--renders", type=int, default=100)
    parser.add_argument("--deviation", type=float, nargs="+", default=[0.1, 0.25])
    parser.add_argument("--folder", type=Path, default=Path("build/oracle"))
    chosen = parser.parse_args()
    synth = synth_of(chosen.synth)
    found: dict[str, list[float]] = {}
    kept = chosen.folder / chosen.set
    loaded = load_set(chosen.set, folder=kept, synth=synth.name, limit=chosen.limit, conditions=())
    for item in loaded.items:
        if item.preset is None:
            parser.error(f"{item.id} is no preset: the oracle knows presets alone")
        target = Target.of(item.sound, item.note)
        truth = synth.read(Path(item.preset))
        plans: dict[str, list[Stage]] = {"knobs": stages_of("knobs", synth)}
        for deviation in chosen.deviation:
            plans[f"oracle {deviation:g}"] = [Oracle(truth, deviation), Audition(), Fit(), KnobSearch(), Rank()]
        for name, stages in plans.items():
            found.setdefault(name, []).append(distance(synth, stages, target, chosen.renders))
        print(item.id, *(f"{name} {values[-1]:.2f}" for name, values in found.items()), sep="  ", flush=True)
    for name, values in found.items():
        less = paired_difference(values, found["knobs"])
        told = "" if name == "knobs" else f", {less.mean:+.2f} {interval(less)}, nearer on {less.wins}"
        print(f"{name}: {np.mean(values):.2f} dB of {len(values)} sounds{told}")


if __name__ == "__main__":
    main()
