"""The process of one match: reads the sound, runs the Matcher, leaves the answers in the job's folder.

Owns the way from a request to files and events; knows nothing of HTTP.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from menura.errors import AudioError, MenuraError, WorkError
from menura.web.lines import Lines, bound_memory, out_of_memory
from menura.web.store import RESULT, SO_FAR, SOUND, TARGET

if TYPE_CHECKING:
    from menura.events import Event, Finished
    from menura.matching.target import Target
    from menura.synths.base import Synth

_KEPT = 5
"""Candidates that were the best for a while whose presets are kept."""


def main(memory: int) -> None:
    """Does what the first line asks for; a line after it cancels, the end of all lines ends everything."""
    bound_memory(memory)
    lines = Lines()
    heard = lines.heard()
    request = next(heard)
    cancel = threading.Event()

    def listen() -> None:
        for _ in heard:
            cancel.set()
        os._exit(1)  # the server is gone

    threading.Thread(target=listen, daemon=True).start()
    try:
        _match(request, lines, cancel)
    except MenuraError as error:
        lines.say({"event": "failed", "message": _without_paths(str(error), request)})
    except Exception as error:  # noqa: BLE001 the last door of this process: whatever it is becomes one line
        import traceback

        traceback.print_exc()
        said = "there is not enough memory for this sound; give a shorter one, or one of fewer channels"
        if not out_of_memory(error):
            said = f"unexpected {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        lines.say({"event": "failed", "message": said})


def _match(request: Mapping[str, Any], lines: Lines, cancel: threading.Event) -> None:
    from menura import export
    from menura.audio import write_audio
    from menura.events import Finished
    from menura.matching.budget import Budget
    from menura.matching.matcher import Matcher
    from menura.matching.tracks import stages_for
    from menura.synths.registry import synth_of
    from menura.web.variation import varied

    folder = Path(request["folder"])
    lines.say({"event": "reading"})
    synth = synth_of(request["synth"])
    target = _target(request, lines)
    if target.audible:
        write_audio(folder / TARGET, target.audio, force=True)
    lines.say({"event": "listened", **_heard(target)})
    near = None
    if request.get("near"):
        near = varied(synth, Path(request["near"]["preset"]), request["near"]["macros"], request["near"]["controls"])
    limit = Budget(request["renders"], request["seconds"])
    matcher = Matcher(synth, stages_for(target, request["track"], synth), seed=request["seed"])
    stream = matcher.stream(
        target,
        top=request["top"],
        budget=limit,
        lock=tuple(request["lock"]),
        near=near,
        cancel=cancel,
    )
    shown = _Shown(lines, folder / SO_FAR, synth)
    finished: Finished | None = None
    for event in stream:
        if isinstance(event, Finished):
            finished = event
        else:
            shown.tell(event)
    if finished is None or not finished.matches:
        if cancel.is_set():
            lines.say({"event": "cancelled", "message": "cancelled; it had nothing to hand in yet"})
            return
        raise WorkError("no preset was found: no candidate gave a sound; give more renders, or try another track")
    facts = export.RunFacts(
        track=request["track"] if target.audible else "words",
        renders=finished.renders,
        seconds=finished.seconds,
        engine_seconds=finished.engine_seconds,
        stopped_by=finished.stopped_by,
        limits={"renders": limit.renders, "seconds": limit.seconds},
        locked=tuple(request["lock"]),
        near=request["near"]["name"] if request.get("near") else "",
    )
    paths = export.export_matches(finished.matches, target, folder / RESULT, force=True, run=facts)
    lines.say(
        {
            "event": "finished",
            "matches": _matches(finished, paths),
            "renders": finished.renders,
            "seconds": finished.seconds,
            "stopped_by": finished.stopped_by,
        }
    )


class _Shown:
    """The Matcher's events as the journal's."""

    def __init__(self, lines: Lines, folder: Path, synth: Synth) -> None:
        self._lines = lines
        self._folder = folder
        self._synth = synth
        self._count = 0

    def tell(self, event: Event) -> None:
        """Says one event; of a better candidate the preset is kept, so that it can be heard at once."""
        from menura import storage
        from menura.events import Improved, Proposed, Started, Warned

        match event:
            case Started(stage=stage, renders_left=left):
                self._lines.say({"event": "stage", "stage": stage, "renders_left": left})
            case Proposed(stage=stage, count=count):
                self._lines.say({"event": "proposed", "stage": stage, "count": count})
            case Improved(stage=stage, distance=distance, renders=renders, candidate=candidate):
                self._count += 1
                storage.write_bytes(self._folder / f"{self._count}.preset", self._synth.write(candidate.preset))
                (self._folder / f"{self._count - _KEPT}.preset").unlink(missing_ok=True)
                found = {"number": self._count, "distance": distance, "renders": renders, "stage": stage}
                self._lines.say({"event": "improved", **found, "lineage": list(candidate.lineage)})
            case Warned(message=message):
                self._lines.say({"event": "warned", "message": message})
            case _:
                pass


def _target(request: Mapping[str, Any], lines: Lines) -> Target:
    from menura.audio import read_audio
    from menura.matching.tracks import target_of
    from menura.note import Note, parse_pitch

    def warn(text: str) -> None:
        lines.say({"event": "warned", "message": _without_paths(text, request)})

    path = Path(request["folder"]) / SOUND
    audio = None
    if path.is_file():
        _check_length(path, float(request["longest"]))
        audio = read_audio(path, on_warning=warn)
    played = request.get("played")
    note = Note(**played) if played else parse_pitch(request["note"]) if request.get("note") else None
    target = target_of(audio, request.get("text", ""), note=note)
    if target.words and target.words.warning:
        warn(target.words.warning)
    return replace(target, name=request["name"])


def _check_length(path: Path, longest: float) -> None:
    import soundfile

    try:
        seconds = soundfile.info(str(path)).duration
    except (soundfile.SoundFileError, TypeError, ValueError):
        return  # what cannot be read is told by the reader
    if seconds > longest:
        raise AudioError(f"the sound is {seconds:.0f} s long; give one of {longest:g} s at most")


def _heard(target: Target) -> dict[str, Any]:
    note, estimate = target.note, target.estimate
    return {
        "seconds": target.sound.seconds,
        "audible": target.audible,
        "note": {
            "pitch": note.pitch,
            "velocity": note.velocity,
            "hold": note.hold,
            "total": note.total,
            "name": note.name,
        },
        "pitched": estimate.pitched,
        "confidence": estimate.confidence,
        "sustaining": estimate.sustaining,
    }


def _matches(finished: Finished, paths: list[Path]) -> list[dict[str, Any]]:
    from menura.report.matches import sentence

    return [
        {
            "number": number,
            "distance": match.distance,
            "verdict": match.verdict,
            "sentence": sentence(match),
            "reached": match.reached,
            "scores": dict(match.scores),
            "lineage": list(match.lineage),
            "preset": path.name,
            "sound": path.with_suffix(".wav").name,
        }
        for number, (match, path) in enumerate(zip(finished.matches, paths, strict=False), start=1)
    ]


def _without_paths(text: str, request: Mapping[str, Any]) -> str:
    """A message with the sound's shown name in place of where it lies on the server."""
    return text.replace(str(Path(request["folder"]) / SOUND), str(request["name"]))
