"""The benchmark in one call: a set, arms, a folder. Owns the settings of a run; runs no row itself."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from menura.datasets.item import Item, SoundSet
from menura.datasets.sets import load_set
from menura.evaluation.arm import Arm
from menura.evaluation.arms import arms_of
from menura.evaluation.metrics import DEFAULT, METRICS
from menura.evaluation.results import RunFolder, check_place
from menura.evaluation.runner import run_rows
from menura.evaluation.worker import RunSettings
from menura.synths.registry import synth_of
from menura.version import __version__


def run_benchmark(
    sounds: str | Path | SoundSet,
    arms: Sequence[str | Arm],
    out: str | Path,
    *,
    metrics: Sequence[str] = DEFAULT,
    conditions: Sequence[str] = (),
    limit: int | None = None,
    renders: int = 60,
    seconds: float = 600.0,
    seed: int = 0,
    set_seed: int = 0,
    top: int = 5,
    synth: str = "vital",
    playing: bool = True,
    workers: int | None = None,
    retry: bool = False,
    force: bool = False,
    command: str = "",
    tell: Callable[[str], None] = lambda _line: None,
) -> RunFolder:
    """Every arm on every sound of a set; an unfinished run of the same settings is continued.

    Args:
        sounds: A set by name or path, see `load_set`.
        arms: Names, see `menura.evaluation.arms`, or arms.
        out: Folder of the run.
        metrics: Names, see `menura.evaluation.metrics`.
        conditions: What is done to the sounds besides, see `menura.datasets.conditions`.
        limit: Only the first sounds.
        renders: Renders for each row; by default as many as a match of the track `any` takes.
        seconds: Ceiling of wall-clock time for each row, on one core.
        seed: Where all chance of the arms comes from.
        set_seed: Where all chance of the set comes from; the same sounds with another `seed` are the same set.
        top: Answers for each row, of which the first is judged.
        synth: Name of the synth that answers.
        playing: Also play each first answer longer, softer and over the keyboard.
        workers: Rows at work at the same time; None is one a core, 0 works within this process.
        retry: Do failed rows again.
        force: Begin anew whatever is there.
        command: What the user typed, kept with the results.
        tell: Takes each line of progress.

    Raises:
        InputError: a name is unknown, or the set cannot be used at all.
        OutputError: the folder cannot be written, or holds something else.
    """
    chosen = arms_of(arms)
    for name in metrics:
        METRICS.get(name)
    player = synth_of(synth)
    check_place(out, force=force)
    folder = RunFolder(out)
    if not isinstance(sounds, SoundSet):
        sounds = load_set(
            sounds, folder=folder.path, synth=synth, limit=limit, seed=set_seed, conditions=conditions, tell=tell
        )
    settings = RunSettings(folder.path, tuple(metrics), synth, renders, seconds, seed, top, playing)
    folder.begin(
        {
            "set": sounds.name,
            "origin": sounds.origin,
            "arms": [_described(arm) for arm in chosen],
            "metrics": [_metric(name) for name in metrics],
            "items": [_listed(item, folder.path) for item in sounds.items],
            **{name: value for name, value in asdict(settings).items() if name not in ("folder", "metrics", "engines")},
            "workers": workers,
            "versions": {
                "menura": __version__,
                synth: player.version,
                "python": platform.python_version(),
                "numpy": version("numpy"),
            },
            "commit": _commit(),
            "command": command,
        },
        force=force,
        retry=retry,
    )
    if folder.rows:
        tell(f"continuing {folder.path}: {len(folder.rows)} rows are there")
    run_rows(folder, chosen, sounds.items, settings, workers=workers, tell=tell)
    return folder


def _described(arm: Arm) -> dict[str, Any]:
    return {"name": arm.name, "what": arm.what, "track": arm.track, "optimised": list(arm.optimised)}


def _metric(name: str) -> dict[str, Any]:
    metric = METRICS.get(name)
    return {
        "name": name, "title": metric.title, "unit": metric.unit, "better": metric.better, "places": metric.places
    }  # fmt: skip


def _listed(item: Item, folder: Path) -> dict[str, Any]:
    return {
        "key": item.key,
        "id": item.id,
        "condition": item.condition,
        "category": item.category,
        "source": item.source,
        "licence": item.licence,
        "pitch": item.pitch,
        "judged_pitch": item.judged_pitch,
        "heard": _place(item.sound, folder),
        "target": _place(item.judged or item.sound, folder),
    }


def _place(path: Path, folder: Path) -> str:
    """The path within the run's folder, or the whole path."""
    whole, inside = path.resolve(), folder.resolve()
    return whole.relative_to(inside).as_posix() if whole.is_relative_to(inside) else str(whole)


def _commit() -> str:
    """The commit of the source at work, with a + where it was changed since; empty outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        head = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "-C", str(here), "status", "--porcelain", "--untracked-files=no"], capture_output=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+" if changed.strip() else "")
