"""`menura match`: a sound in, presets out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from menura.cli import screen
from menura.cli.options import Force, Json, Workers, read_preset
from menura.cli.progress import Progress
from menura.errors import InputError, WorkError

if TYPE_CHECKING:
    from menura.events import Finished
    from menura.explain.tutorial import Tutorial
    from menura.export import RunFacts
    from menura.matching.match import Match
    from menura.matching.target import Target


class StoppedError(Exception):
    """The user stopped the search; the best so far is written and told."""


def match(
    sound: Annotated[
        Path | None, typer.Argument(help="WAV, FLAC, OGG, MP3 or AIFF: one note, or one hit. Not with --text alone.")
    ] = None,
    text: Annotated[
        str, typer.Option("--text", help="Words: with SOUND how it is to change, without it what it is to be.")
    ] = "",
    text_by: Annotated[
        Literal["auto", "clap", "descriptors"],
        typer.Option("--text-by", help="Who answers words without SOUND; auto: CLAP where its weights are present."),
    ] = "auto",
    fetch: Annotated[bool, typer.Option("--fetch", help="Download CLAP's weights where they are missing.")] = False,
    synth: Annotated[str, typer.Option("--synth", help="Which synth answers.")] = "vital",
    track: Annotated[
        Literal["any", "knobs"],
        typer.Option("--track", help="any: wavetables and contours from the sound too; knobs: the synth's own only."),
    ] = "any",
    note: Annotated[
        str | None, typer.Option("--note", help="Key that the sound plays (C3, or MIDI); heard where not given.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=20, help="How many different presets.")] = 5,
    renders: Annotated[
        int | None,
        typer.Option("--renders", min=1, help="Limit of renders.", show_default="60, 600 for knobs, 120 for words"),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Limit of time.")] = 120.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Where all chance comes from.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write.", show_default="the name + -menura")
    ] = None,
    force: Force = False,
    install: Annotated[bool, typer.Option("--install", help="Copy the presets to where Vital finds them.")] = False,
    lock: Annotated[
        list[str] | None, typer.Option("--lock", help="Control or group to leave as it is; repeatable.")
    ] = None,
    near: Annotated[
        Path | None, typer.Option("--near", help="Preset to stay near; bank.syx#3 is the third of a bank.")
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model", help="Estimator that the search draws from: its folder, or a name that menura models list has."
        ),
    ] = "",
    explained: Annotated[
        bool, typer.Option("--explain", help="Tell how the nearest is built, in the report and beside it.")
    ] = False,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Find presets that play a sound, or are what words say; write them, their sounds and a report.

    Ctrl-C stops and writes the best so far (exit code 130); twice drops everything.
    """
    from menura import export
    from menura.matching.budget import Budget
    from menura.matching.matcher import Matcher
    from menura.matching.tracks import default_renders, stages_for, target_of
    from menura.note import parse_pitch
    from menura.synths.registry import synth_of

    # Everything that can be refused is refused before the work begins.
    if (fetch or text_by != "auto") and (sound is not None or not text):
        raise InputError("--text-by and --fetch are for words without a sound; give --text alone, or leave them out")
    pitch = None if note is None else parse_pitch(note)
    player = synth_of(synth)
    if install and synth != "vital":
        raise InputError(f"--install knows the preset folder of vital, not of {synth}; copy the presets yourself")
    nearby = read_preset(near, synth)[1] if near else None
    name = sound.stem if sound else export.file_name(text)
    folder = Path(f"{name}-menura") if out is None else out
    export.check_place(folder, force=force)
    target = target_of(sound, text, note=pitch, text_by=text_by, fetch=fetch)
    usual = default_renders(track, synth, audible=target.audible)
    limit = Budget(usual if renders is None else renders, seconds)
    matcher = Matcher(player, stages_for(target, track, player, model), seed=seed, workers=workers)
    cancel = threading.Event()
    with _signals(stopper(cancel)), Progress(limit, target, quiet=json) as progress:
        finished = progress.follow(
            matcher.stream(target, top=top, budget=limit, lock=tuple(lock or ()), near=nearby, cancel=cancel)
        )
    if finished is None or not finished.matches:
        if cancel.is_set():
            raise KeyboardInterrupt
        raise WorkError("no preset was found: no candidate gave a sound; raise --renders, or try another --track")
    facts = export.RunFacts(
        track=track if target.audible else "words",
        renders=finished.renders,
        seconds=finished.seconds,
        engine_seconds=finished.engine_seconds,
        stopped_by=finished.stopped_by,
        limits={"renders": limit.renders, "seconds": limit.seconds},
        locked=tuple(lock or ()),
        near=str(near or ""),
        model=model,
    )
    tutorial = None if not explained or cancel.is_set() else _tutorial(finished.matches[0], target, workers)
    with _signals(signal.SIG_IGN):  # what is being written is written whole
        paths = export.export_matches(finished.matches, target, folder, force=force, run=facts, tutorial=tutorial)
        presets = paths[: len(finished.matches)]
        installed = export.install(presets) if install else []
    _tell(finished, facts, target, folder, presets, installed, json)
    if cancel.is_set():
        raise StoppedError


def _tutorial(match: Match, target: Target, workers: int | None) -> Tutorial | None:
    """How the nearest is built; None where it was stopped or did not work out, since the presets count more."""
    from menura import export
    from menura.cli.explain import explained

    try:
        return explained(export.as_written(match, target), match.note, workers)
    except KeyboardInterrupt:
        screen.note("the tutorial was stopped; the presets are written without it")
    except WorkError as error:
        screen.note(f"warning: no tutorial: {error}")
    return None


def stopper(cancel: threading.Event) -> Callable[[int, object], None]:
    """The first Ctrl-C (or a polite kill) asks the match to end with what it has; the second ends everything."""

    def stop(_number: int, _frame: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        screen.note("stopping; the best so far is written (Ctrl-C again drops it)")

    return stop


@contextmanager
def _signals(handler: Callable[[int, object], None] | signal.Handlers) -> Iterator[None]:
    """Hands Ctrl-C and polite kills to `handler` for a while; only the main thread may do so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _tell(
    finished: Finished,
    facts: RunFacts,
    target: Target,
    folder: Path,
    presets: list[Path],
    installed: list[Path],
    json: bool,
) -> None:
    from menura import export

    if json:
        matches: list[dict[str, Any]] = [
            {
                "preset": str(path),
                "sound": str(path.with_suffix(".wav")),
                "card": str(path.with_suffix(".card.json")),
                "distance": match.distance,
                "verdict": match.verdict,
                "scores": dict(match.scores),
                "lineage": list(match.lineage),
            }
            for match, path in zip(finished.matches, presets, strict=True)
        ]
        screen.emit(
            {
                "target": target.name,
                **({"words": export.words_card(target.words)} if target.words else {}),
                "note": {"pitch": target.note.pitch, "name": target.note.name, "hold": target.note.hold},
                "matches": matches,
                "report": str(folder / export.REPORT),
                "card": str(folder / export.CARD),
                "installed": [str(path) for path in installed],
                "renders": facts.renders,
                "seconds": facts.seconds,
                "engine_seconds": facts.engine_seconds,
                "stopped_by": facts.stopped_by,
                "seed": finished.matches[0].seed,
                "versions": dict(finished.matches[0].versions),
            }
        )
        return
    table = screen.table("#", "distance", "verdict", "made by", "preset", numbers=("#", "distance"))
    for number, (match, path) in enumerate(zip(finished.matches, presets, strict=True), start=1):
        words = (match.verdict, " > ".join(match.lineage), str(path))
        table.add_row(str(number), f"{match.distance:.2f}", *map(screen.verbatim, words))
    screen.show(table)
    if target.words:
        screen.out(f"\nAnswered by {target.words.answered_by}")
    screen.out(f"\n{facts.renders} renders in {facts.seconds:.1f} s, stopped by: {facts.stopped_by}")
    screen.out(f"Look and listen: {folder / export.REPORT}")
    for path in installed:
        screen.out(f"Installed: {path}")
