"""Writes and executes the tutorials of many presets; prints one JSON line.

    python benchmarks/tutorials.py ../shared/data/vital_dev.tar.xz [--limit 100] [--matches FOLDER] [--workers 2]

Of the archive, presets are taken evenly over its length. FOLDER holds folders that ``menura match`` wrote, on any
depth; of each, the best preset at the note of the match. For each preset: is the state equal after executing the
tutorial that was written to JSON and read again; how far is its sound from the preset's, both without chance, each on a
fresh engine; and how far are two renders of the preset itself from each other (the noise floor). `told_equal` counts
presets whose told steps alone, without what is folded, sound alike within the tutorial's own floor. Every step that the
template writes is held to the check that prose is held to; `foreign` counts steps that name a control or number that is
not in the data.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from menura.datasets.archive import Archive
from menura.errors import MenuraError, RenderError
from menura.explain.edits import applied
from menura.explain.explaining import explain
from menura.explain.matched import read_match
from menura.explain.measuring import Listening, difference_db
from menura.explain.prose_check import faults
from menura.explain.template import heard, why
from menura.explain.tutorial import SWITCH, Tutorial, document, execute, tutorial_of
from menura.explain.vocabulary import vocabulary_of
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

EQUAL = 1e-6
Case = tuple[str, str, Preset, Note]
"""Name, kind, preset, note."""


def humans(archive: Path, limit: int) -> Iterator[Case]:
    """Presets by people, evenly over the archive."""
    vital = synth_of("vital")
    files = Archive(archive, ".vital")
    names = files.names
    wanted = [names[number] for number in np.linspace(0, len(names) - 1, min(limit, len(names))).astype(int)]
    for name, body in files.read(wanted).items():
        yield name, "human", vital.read(body), Note()


def matches(folder: Path) -> Iterator[Case]:
    """The best preset of every match below a folder."""
    for card in sorted(folder.rglob("card.json")):
        found = read_match(card.parent)
        yield card.parent.name, "match", synth_of(found.synth).read(found.preset), found.note


def foreign(tutorial: Tutorial) -> int:
    """Steps whose words name what is not in their data."""
    names = vocabulary_of(tutorial.initial, execute(tutorial)).names()
    wrong = 0
    for step in tutorial.steps:
        rows = ", ".join(f"{change.name}: {change.value}" for change in step.changes if change.name != SWITCH)
        found = faults(f"{why(step)} Set {rows}. {heard(step)}", step, tutorial, names)
        wrong += bool(found)
        if found:
            print(f"{tutorial.name}, {step.title}: {found}", file=sys.stderr, flush=True)
    return wrong


def main() -> int:
    """Runs; exits 1 where a tutorial does not arrive."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, nargs="?")
    parser.add_argument("--limit", type=int, default=100, help="presets of the archive")
    parser.add_argument("--matches", type=Path, help="folder with folders of matches")
    parser.add_argument("--workers", type=int, default=None)
    chosen = parser.parse_args()
    cases = [] if chosen.archive is None else list(humans(chosen.archive, chosen.limit))
    cases += list(matches(chosen.matches)) if chosen.matches else []
    began = time.perf_counter()
    pools: dict[str, RenderPool] = {}
    state_equal = sound_equal = told_equal = foreign_steps = renders = 0
    differences: list[float] = []
    steps, folded, unheard, rows = [], [], [], []
    failures: list[str] = []
    for name, kind, preset, note in cases:
        synth = synth_of(preset.synth)
        pool = pools.setdefault(synth.name, RenderPool(synth.name, chosen.workers, "exact"))
        try:
            tutorial = explain(preset, synth, pool, note)
            again = tutorial_of(json.loads(json.dumps(document(tutorial), allow_nan=False)), synth.init())
            arrived = execute(again)
            frozen = [synth.freeze(one) for one in (preset, preset, arrived)]
            told = applied(again.initial, (change.edit for step in again.steps for change in step.changes))
            rendered = pool.render_many([(one, note) for one in (*frozen, synth.freeze(told))])
            if any(one.audio is None for one in rendered):
                raise RenderError("; ".join(one.error for one in rendered if one.error))
            sounds = [one.audio for one in rendered if one.audio is not None]
        except MenuraError as error:
            failures.append(f"{name}: {error}")
            print(failures[-1], file=sys.stderr, flush=True)
            continue
        own = float(np.abs(sounds[0].samples - sounds[1].samples).max())
        difference = float(np.abs(sounds[0].samples - sounds[2].samples).max())
        listen = Listening(note, whole=False)
        left = difference_db(listen(sounds[0]).picture, listen(sounds[3]).picture)
        state_equal += arrived == preset
        sound_equal += difference <= max(EQUAL, own)
        told_equal += left <= tutorial.noise_floor_db
        foreign_steps += foreign(tutorial)
        differences.append(difference)
        steps.append(len(tutorial.steps))
        rows.append(sum(len(step.changes) for step in tutorial.steps))
        folded.append(sum(len(step.changes) for step in tutorial.also))
        unheard.append(sum(step.effect is not None and not step.effect.audible for step in tutorial.steps))
        told_of = f"{steps[-1]} steps, {folded[-1]} folded, the told ones alone {left:.2f} dB off, itself {own:.2g}"
        print(f"{kind} {name}: {told_of}", file=sys.stderr, flush=True)
    for pool in pools.values():
        renders += pool.renders
        pool.close()
    result = {
        "n": len(cases),
        "humans": sum(kind == "human" for _, kind, _, _ in cases),
        "matches": sum(kind == "match" for _, kind, _, _ in cases),
        "equal": sound_equal,
        "state_equal": state_equal,
        "told_equal": told_equal,
        "largest_difference": max(differences, default=None),
        "steps_mean": float(np.mean(steps)) if steps else None,
        "changes_mean": float(np.mean(rows)) if rows else None,
        "folded_mean": float(np.mean(folded)) if folded else None,
        "unheard_steps_mean": float(np.mean(unheard)) if unheard else None,
        "foreign": foreign_steps,
        "renders": renders,
        "failures": failures,
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(json.dumps(result))
    return 1 if failures or sound_equal < len(cases) or state_equal < len(cases) or foreign_steps else 0


if __name__ == "__main__":
    sys.exit(main())
