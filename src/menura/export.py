"""Results as files: presets, sounds, cards and the report, whole or not at all. Knows no search and no screen."""

from __future__ import annotations

import json
import math
import platform
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from menura import storage
from menura.errors import OutputError
from menura.preset import Preset
from menura.version import __version__

if TYPE_CHECKING:
    from menura.explain.tutorial import Tutorial
    from menura.matching.match import Match
    from menura.matching.target import Target
    from menura.matching.words.words import Words
    from menura.synths.base import Synth

REPORT = "report.html"
CARD = "card.json"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is told of the run as a whole."""

    track: str = "any"
    renders: int = 0
    """Renders that were spent."""
    seconds: float = 0.0
    engine_seconds: float = 0.0
    stopped_by: str = "stages"
    """stages, renders, seconds or cancelled."""
    limits: Mapping[str, float] = field(default_factory=dict[str, float])
    """The budget that was given: renders, seconds."""
    locked: tuple[str, ...] = ()
    near: str = ""
    """The preset to stay near, or empty."""
    model: str = ""
    """The estimator that the search drew from, or empty."""


def export_matches(
    matches: Sequence[Match],
    target: Target,
    folder: str | Path,
    *,
    force: bool = False,
    run: RunFacts | None = None,
    tutorial: Tutorial | None = None,
) -> list[Path]:
    """Writes every match as ``NN-name.vital`` (or its synth's ending), ``.wav`` and ``.card.json``, and the report.

    ``card.json`` tells of the whole run and ends with the sha256 of every file. All files are first written to a
    temporary folder, so that a full disk or a broken preset leaves the place as it was.

    Args:
        matches: the answers, nearest first.
        target: what was matched.
        folder: where to; made when it is not there.
        force: replace files of the same names, and take away those of an earlier run that this one does not have;
            without it a folder that holds anything is refused.
        run: limits and what was spent.
        tutorial: of the nearest match as `as_written` gives it; it is put into the report, and beside the preset.

    Returns:
        The paths, the presets first.

    Raises:
        OutputError: the folder is not empty and `force` is False, or it cannot be written.
        PresetError: a match cannot be written as a preset.
    """
    folder = Path(folder)
    check_place(folder, force=force)
    return _place(_contents(matches, target, run or RunFacts(), tutorial), folder, force)


def check_place(folder: str | Path, *, force: bool = False) -> None:
    """Refuses before any work what `export_matches` would refuse after it; writes for a moment to be sure.

    Raises:
        OutputError: as `export_matches`.
    """
    folder = Path(folder)
    storage.check_folder(folder, force=force)
    nearest = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    try:
        with tempfile.TemporaryDirectory(prefix=".menura-", dir=nearest):
            pass
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}); choose another folder") from error


def file_name(name: str) -> str:
    """A name that every file system takes: ``'Ünder <a>/b' -> 'under-a-b'``; ``sound`` where nothing is left."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "sound"


def signed(preset: Preset, name: str, comment: str) -> Preset:
    """The same patch with its name, `menura` as its author, and a comment on how it was made."""
    if preset.synth != "vital":
        return replace(preset, name=name)
    return replace(preset, name=name, blocks={**preset.blocks, "author": "menura", "comments": comment})


def install(paths: Iterable[str | Path], *, folder: Path | None = None) -> list[Path]:
    """Copies presets to where Vital looks for the user's own; what is there is never overwritten.

    A name that is taken by other content gets a number (``01-cello 2.vital``); the same content is left as it is.

    Args:
        paths: preset files.
        folder: where to; `storage.vital_preset_folder` of this platform, below it ``menura``, where None.

    Returns:
        Where each of them is now.

    Raises:
        OutputError: a file cannot be read, or the folder cannot be written.
    """
    place = storage.vital_preset_folder() / "menura" if folder is None else folder
    installed: list[Path] = []
    for path in map(Path, paths):
        try:
            body = path.read_bytes()
        except OSError as error:
            raise OutputError(f"{path} cannot be read ({error.strerror}); it was not installed") from error
        number = 1
        while True:
            goal = place / (path.name if number == 1 else f"{path.stem} {number}{path.suffix}")
            if not goal.exists():
                storage.write_bytes(goal, body)
            elif not goal.is_file() or goal.read_bytes() != body:
                number += 1
                continue
            installed.append(goal)
            break
    return installed


def as_written(match: Match, target: Target, rank: int = 1) -> Preset:
    """The preset that `export_matches` writes for a match: named and signed."""
    from menura.synths.registry import synth_of

    comment = _comment(match, target, synth_of(match.preset.synth))
    return signed(match.preset, f"{target.name or 'sound'} {rank}", comment)


def _contents(
    matches: Sequence[Match], target: Target, run: RunFacts, tutorial: Tutorial | None = None
) -> dict[str, bytes]:
    """Every file's bytes by its name, in the order in which they are told."""
    from menura.audio import encode_audio
    from menura.explain.template import tutorial_files
    from menura.report import report_of
    from menura.synths.registry import synth_of

    base = file_name(target.name)
    presets: dict[str, bytes] = {}
    others: dict[str, bytes] = {}
    cards: list[dict[str, Any]] = []
    for number, match in enumerate(matches, start=1):
        synth = synth_of(match.preset.synth)
        stem = f"{number:02d}-{base}"
        presets[stem + synth.suffix] = synth.write(as_written(match, target, number))
        others[f"{stem}.wav"] = encode_audio(match.audio)
        names = {"preset": stem + synth.suffix, "sound": f"{stem}.wav"}
        card = _match_card(number, match, target, run, names, {**presets, **others})
        others[f"{stem}.card.json"] = _json(card)
        cards.append(card)
    files = {**presets, **others}
    sounds = [str(Path(name).with_suffix(".wav")) for name in presets]
    files[REPORT] = report_of(matches, target, asdict(run), list(presets.items()), sounds, tutorial)
    if tutorial is not None:
        files |= {name: text.encode() for name, text in tutorial_files(tutorial, f"01-{base}").items()}
    files[CARD] = _json(_run_card(cards, target, run, files))
    return files


def _comment(match: Match, target: Target, synth: Synth) -> str:
    note = match.note
    return (
        f"Made by menura {__version__} to sound like {target.name or 'a sound'} at {note.name} "
        f"(velocity {round(127 * note.velocity)}, held {note.hold:.2f} s). Distance {match.distance:.2f}: "
        f"{match.verdict}. How: {', '.join(match.lineage) or 'unknown'}. Seed {match.seed}, {synth.version}."
    )


def _match_card(
    number: int, match: Match, target: Target, run: RunFacts, names: Mapping[str, str], files: Mapping[str, bytes]
) -> dict[str, Any]:
    return {
        "rank": number,
        "target": target.name,
        "synth": match.preset.synth,
        "preset_id": match.preset.id,
        "distance": match.distance,
        "verdict": match.verdict,
        "scores": dict(match.scores),
        "lineage": list(match.lineage),
        "note": _note(match),
        "seed": match.seed,
        "track": run.track,
        "budget": _budget(run),
        "versions": _versions(match),
        "files": {kind: {"name": name, "sha256": storage.hash_bytes(files[name])} for kind, name in names.items()},
    }


def _run_card(
    cards: Sequence[Mapping[str, Any]], target: Target, run: RunFacts, files: Mapping[str, bytes]
) -> dict[str, Any]:
    estimate = target.estimate
    return {
        "menura": __version__,
        "target": {
            "name": target.name,
            "seconds": target.audio.seconds,
            "pitch": estimate.pitch,
            "pitch_confidence": estimate.confidence,
            "pitched": estimate.pitched,
            "sustaining": estimate.sustaining,
            "release": estimate.release,
        },
        **({"words": words_card(target.words)} if target.words else {}),
        "track": run.track,
        "budget": _budget(run),
        "locked": list(run.locked),
        "near": run.near,
        "model": run.model,
        "engine_seconds": run.engine_seconds,
        "matches": list(cards),
        "files": {name: storage.hash_bytes(body) for name, body in files.items()},
    }


def words_card(words: Words) -> dict[str, Any]:
    """What a card tells of words: who answered, what was understood, how they changed a sound."""
    return {
        "text": words.text,
        "answered_by": words.by,
        "understood": [asdict(wish) for wish in words.wishes],
        "warning": words.warning,
        "changes": [
            {
                "word": change.wish.word,
                "quantity": change.wish.quantity,
                "before": change.before,
                "wanted": change.wanted,
            }
            for change in words.changes
        ],
    }


def _note(match: Match) -> dict[str, Any]:
    return {**asdict(match.note), "name": match.note.name}


def _budget(run: RunFacts) -> dict[str, Any]:
    return {
        "limits": dict(run.limits),
        "renders": run.renders,
        "seconds": run.seconds,
        "stopped_by": run.stopped_by,
    }


def _versions(match: Match) -> dict[str, str]:
    return {"menura": __version__, **match.versions, "python": platform.python_version()}


def _json(card: Mapping[str, Any]) -> bytes:
    return (json.dumps(plain(card), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def plain(value: Any) -> Any:
    """The value with what JSON can hold: no NaN or infinity, no NumPy scalars, no tuples."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _place(files: Mapping[str, bytes], folder: Path, force: bool) -> list[Path]:
    """Writes everything beside its place, then moves it there."""
    parent = folder if folder.is_dir() else _made(folder.parent)
    try:
        with tempfile.TemporaryDirectory(prefix=".menura-", dir=parent) as name:
            staged = Path(name) / "all"
            storage.write_folder(staged, files)
            if not folder.is_dir():
                staged.replace(folder)
            else:
                stale = _stale(folder, files) if force else []
                for file in files:
                    (staged / file).replace(folder / file)
                for path in stale:
                    path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}); choose another folder") from error
    return [folder / name for name in files]


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}); choose another folder") from error
    return folder


def _stale(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Files of the run that is replaced, as its card lists them, untouched since, that this run does not write."""
    try:
        card = json.loads((folder / CARD).read_bytes())
        listed = dict(card["files"]).items()
    except (OSError, ValueError, KeyError, TypeError):
        return []  # no card, or not ours: nothing is taken away
    found: list[Path] = []
    for name, digest in listed:
        path = folder / str(name)
        if path.parent == folder and name not in files and path.is_file() and storage.hash_file(path) == digest:
            found.append(path)
    return found
