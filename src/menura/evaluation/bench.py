"""One arm on a manifest, one sound after the other with all workers: the speed that a user sees. Prints nothing itself.

The same judge as the benchmark's; what this one adds is the wall-clock time of a match. Rows lie in one JSON file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from menura import storage
from menura.datasets.item import Item
from menura.datasets.manifest import read_manifest
from menura.datasets.selection import keep
from menura.errors import InputError, ManifestError, OutputError
from menura.evaluation.arms import FULL, KNOBS, RANDOM_BEST
from menura.evaluation.results import Row
from menura.evaluation.summary import progress_line, summarise, table_lines
from menura.evaluation.worker import RunSettings, Worker
from menura.features.distances import METRICS
from menura.synths.base import Synth
from menura.synths.pool import cores
from menura.synths.registry import synth_of
from menura.version import __version__

TRACKS = {"any": FULL, "knobs": KNOBS, "random": RANDOM_BEST}
"""The arms: the two tracks of the matcher, and the best of as many random patches."""


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """What a benchmark ran with; a file of results continues only under the same settings."""

    manifest: str
    """Name of the manifest's file."""
    track: str = "any"
    """One of `TRACKS`."""
    renders: int = 40
    """Renders for each row."""
    seconds: float = 600.0
    """Ceiling for each row."""
    quick: bool = False
    limit: int | None = None
    seed: int = 0
    synth: str = "vital"
    playing: bool = False
    """Also play each first answer longer, softer and over the keyboard."""


def run_bench(
    manifest: str | Path,
    *,
    out: str | Path,
    track: str = "any",
    renders: int = 40,
    seconds: float = 600.0,
    quick: bool = False,
    limit: int | None = None,
    workers: int | None = None,
    seed: int = 0,
    synth: str = "vital",
    playing: bool = False,
    force: bool = False,
    tell: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Match every row, measure the one answer of each, and write the results.

    A row that fails is counted and named; the batch goes on. `out` is rewritten whole after every row; an unfinished
    one with the same settings is continued.

    Args:
        manifest: CSV or JSON, see `menura.datasets.manifest`.
        out: JSON file to write.
        track: One of `TRACKS`.
        renders: Renders for each row.
        seconds: Ceiling of wall-clock time for each row.
        quick: Only the rows marked quick.
        limit: Only the first rows.
        workers: Engines at work at the same time; None is one a core.
        seed: Where all chance comes from.
        synth: Name of the synth.
        playing: Also measure how the answer plays.
        force: Overwrite finished results.
        tell: Takes each line of progress and of the final table.

    Returns:
        ``{"mss": {"mean", "median"}, "wmfcc", "sot", "rms", "n", "failures", "renders", "seconds",
        "engine_share"}``, with ``"playability"`` where asked; metrics are None where every row failed.

    Raises:
        ManifestError: the manifest cannot be followed.
        OutputError: `out` cannot be written, or holds other results.
        InputError: there is no such track or synth.
    """
    if track not in TRACKS:
        raise InputError(f"no track is called {track!r}; choose {', '.join(TRACKS)}")
    items = recordings(manifest, quick=quick)
    if limit is not None and limit < 1:
        raise ManifestError(f"a limit of {limit} leaves no row; give 1 or more")
    items = items[:limit]
    out = Path(out)
    settings = BenchSettings(
        Path(manifest).name, track, renders, seconds, quick, limit, seed, synth, playing
    )  # fmt: skip
    results = _continued(out, settings, force=force)
    if results:
        tell(f"continuing {out}: {len(results)} of {len(items)} rows are there")
    engines = workers or cores()
    player, arm = synth_of(synth), replace(TRACKS[track], renders=None)

    def write(*, complete: bool) -> dict[str, Any]:
        summary = summarise(results, engines)
        _write(out, settings, player, results, summary, complete=complete)
        return summary

    write(complete=False)
    run = RunSettings(None, METRICS, synth, renders, seconds, seed, top=1, playing=playing, engines=engines)
    with Worker(run) as worker:
        for number, item in enumerate(items[len(results) :], start=len(results) + 1):
            results.append({"file": item.id, **_flat(worker.row(arm, item))})
            write(complete=False)
            tell(progress_line(number, len(items), results[-1]))
    summary = write(complete=True)
    for line in table_lines(results, summary):
        tell(line)
    return summary


def recordings(manifest: str | Path, *, quick: bool = False) -> list[Item]:
    """The sounds that a manifest lists, or those of them that it marks quick.

    Raises:
        ManifestError: it cannot be followed, or nothing is left.
    """
    entries = read_manifest(Path(manifest))
    entries = keep(entries, {"quick": "1"} if quick else {}, name=str(manifest))
    if not entries:
        raise ManifestError(f"{manifest} marks no row as quick; set its column quick to 1, or leave --quick out")
    return [entry.item for entry in entries]


def is_finished(out: Path) -> bool:
    """True where the file holds a finished benchmark."""
    try:
        return json.loads(out.read_text(encoding="utf-8"))["complete"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _flat(row: Row) -> Row:
    """A row of one arm with its metrics beside the rest, without what is the same in all."""
    left_out = ("arm", "item", "id", "condition", "files", "best_of", "diversity", "answers", "metrics", "curve")
    return {name: value for name, value in row.items() if name not in left_out} | row.get("metrics", {})


def _continued(out: Path, settings: BenchSettings, *, force: bool) -> list[Row]:
    """Rows of an unfinished file of the same settings; none where there is no file."""
    if force or not out.exists():
        return []
    try:
        held = json.loads(out.read_text(encoding="utf-8"))
        same = held["settings"] == asdict(settings) and held["versions"]["menura"] == __version__
        rows, complete = list(held["rows"]), bool(held["complete"])
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputError(f"{out} exists and is no benchmark's result; name another file or use --force") from None
    if complete:
        raise OutputError(f"{out} holds a finished benchmark; name another file or use --force")
    if not same:
        raise OutputError(f"{out} was begun with other settings; name another file or use --force")
    return rows


def _write(
    out: Path, settings: BenchSettings, synth: Synth, rows: list[Row], summary: Mapping[str, Any], *, complete: bool
) -> None:
    content = {
        "settings": asdict(settings),
        "versions": {"menura": __version__, synth.name: synth.version},
        "complete": complete,
        "summary": summary,
        "rows": rows,
    }
    storage.write_text(out, json.dumps(content, indent=1, allow_nan=False) + "\n", force=True)
