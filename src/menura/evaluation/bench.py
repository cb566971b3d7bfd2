"""The benchmark: match every row of a manifest and measure what was exported. Prints nothing itself."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from menura import storage
from menura.audio import Audio, read_audio
from menura.errors import InputError, MenuraError, OutputError, RenderError, WorkError
from menura.evaluation.manifest import Row, read_manifest
from menura.evaluation.playability import play
from menura.evaluation.summary import progress_line, summarise, table_lines
from menura.events import Finished
from menura.features.course import level_course
from menura.features.distances import all_metrics
from menura.matching.budget import Budget
from menura.matching.match import Match
from menura.matching.matcher import Matcher
from menura.matching.stage import Stage
from menura.matching.target import Target
from menura.note import Note
from menura.synths.base import Synth
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of
from menura.version import __version__

_LOG = logging.getLogger(__name__)

SAMPLE_RATE = 44_100
TRACKS = ("any", "knobs", "random")
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
    """Also play each first answer longer and softer."""


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
    tell: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Match every row, measure the first answer of each, and write the results.

    Each answer is written as a preset file, read back and rendered by a fresh engine, at the note of the
    match and over the whole length of the recording from its onset. A row that fails is counted and named;
    the batch goes on. `out` is rewritten whole after every row; an unfinished one with the same settings is
    continued.

    Args:
        manifest: CSV, see `read_manifest`.
        out: JSON file to write.
        track: One of `TRACKS`.
        renders: Renders for each row.
        seconds: Ceiling of wall-clock time for each row.
        quick: Only the rows marked quick.
        limit: Only the first rows.
        workers: Engines at work at the same time; None is one a core.
        seed: Where all chance comes from.
        synth: Name of the synth.
        playing: Also measure how the answer plays when held longer and struck softer.
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
    rows = read_manifest(manifest, quick=quick, limit=limit)
    settings = BenchSettings(
        Path(manifest).name, track, renders, seconds, quick, limit, seed, synth, playing
    )  # fmt: skip
    say = tell or _silent
    player = synth_of(synth)
    matcher = Matcher(player, stages_of_arm(track, player), seed=seed, workers=workers)
    results = _continued(Path(out), settings, force=force)
    if results:
        say(f"continuing {out}: {len(results)} of {len(rows)} rows are there")
    _write(Path(out), settings, player, results, summarise(results, matcher.workers), complete=False)
    with RenderPool(synth, workers=1, mode="exact") as judge:
        for number, row in enumerate(rows, start=1):
            if number <= len(results):
                continue
            result = _attempt(row, matcher, judge, settings)
            results.append(result)
            _write(Path(out), settings, player, results, summarise(results, matcher.workers), complete=False)
            say(progress_line(number, len(rows), result))
    summary = summarise(results, matcher.workers)
    _write(Path(out), settings, player, results, summary, complete=True)
    for line in table_lines(results, summary):
        say(line)
    return summary


def stages_of_arm(track: str, synth: Synth) -> list[Stage]:
    """The matcher's stages for an arm of `TRACKS`."""
    from menura.matching.tracks import stages_of

    if track != "random":
        return stages_of(track, synth)
    from menura.matching.audition import Audition
    from menura.matching.rank import Rank
    from menura.matching.starts import RandomStarts

    return [RandomStarts(), Audition(), Rank()]


def _attempt(row: Row, matcher: Matcher, judge: RenderPool, settings: BenchSettings) -> dict[str, Any]:
    """The result of a row; an error is a result too."""
    began = time.monotonic()
    known: dict[str, Any] = {"file": row.file, "category": row.category}
    try:
        measured = _measure(row, matcher, judge, settings)
    except MenuraError as error:
        return {**known, "error": " ".join(str(error).split()), "seconds": round(time.monotonic() - began, 3)}
    except Exception as error:  # noqa: BLE001 - told, logged and counted
        # A defect shall cost one row of a long batch, and be told with all that is needed to mend it.
        _LOG.exception("the row %s failed unexpectedly", row.file)
        told = f"a defect of menura ({type(error).__name__}: {' '.join(str(error).split())}); please report it"
        return {**known, "error": told, "seconds": round(time.monotonic() - began, 3)}
    return {**known, **measured, "seconds": round(time.monotonic() - began, 3)}


def _measure(row: Row, matcher: Matcher, judge: RenderPool, settings: BenchSettings) -> dict[str, Any]:
    recording = read_audio(row.path).to_mono().resample(SAMPLE_RATE).trim(tail=False)
    target = Target.of(row.path, row.pitch)
    engine_before = judge.engine_seconds
    finished = _finish(matcher, target, settings)
    match: Match = finished.matches[0]
    written = matcher.synth.write(match.preset)
    preset = matcher.synth.read(written)
    note = _whole(match.note, target, recording)
    (answer,) = judge.render_many([(preset, note)])
    if answer.audio is None:
        raise RenderError(f"the exported preset does not render: {answer.error}")
    measured: dict[str, Any] = {
        "pitch": round(match.note.pitch, 3),
        "pitch_from": "ear" if row.pitch is None else "manifest",
        "pitched": bool(target.estimate.pitched),
        "sustaining": bool(target.estimate.sustaining),
        "hold": round(note.hold, 3),
        "total": round(note.total, 3),
        **{name: round(value, 6) for name, value in all_metrics(recording.mono, answer.audio.mono).items()},
        "verdict": match.verdict,
        "lineage": list(match.lineage),
        "preset_bytes": len(written),
        "renders": finished.renders,
        "stopped_by": finished.stopped_by,
    }
    if settings.playing:
        played = play(preset, note, judge, sustaining=target.estimate.sustaining)
        measured["play"] = asdict(played)
    measured["engine_seconds"] = round(finished.engine_seconds + judge.engine_seconds - engine_before, 4)
    return measured


def _finish(matcher: Matcher, target: Target, settings: BenchSettings) -> Finished:
    budget = Budget(settings.renders, settings.seconds)
    for event in matcher.stream(target, top=1, budget=budget):
        if isinstance(event, Finished):
            if not event.matches:
                raise WorkError("no answer was found: no candidate gave a sound")
            return event
    raise WorkError("the match ended without an answer")


def _whole(note: Note, target: Target, recording: Audio) -> Note:
    """The match's note over the whole recording, of which the matcher may have heard the first seconds alone."""
    if recording.seconds <= note.total + 0.01:
        return replace(note, total=recording.seconds, hold=min(note.hold, recording.seconds))
    cut_off = note.hold >= note.total - 0.01
    ends_quiet = float(np.abs(recording.cut(target.audio.seconds).samples).max(initial=0.0)) < 1e-3 * recording.peak
    hold = level_course(recording.mono, SAMPLE_RATE).hold if cut_off and not ends_quiet else note.hold
    return replace(note, total=recording.seconds, hold=min(hold, recording.seconds))


def _continued(out: Path, settings: BenchSettings, *, force: bool) -> list[dict[str, Any]]:
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
    out: Path,
    settings: BenchSettings,
    synth: Synth,
    rows: list[dict[str, Any]],
    summary: Mapping[str, Any],
    *,
    complete: bool,
) -> None:
    content = {
        "settings": asdict(settings),
        "versions": {"menura": __version__, synth.name: synth.version},
        "complete": complete,
        "summary": summary,
        "rows": rows,
    }
    storage.write_text(out, json.dumps(content, indent=1, allow_nan=False) + "\n", force=True)


def _silent(_line: str) -> None:
    """Progress that nobody listens to."""
