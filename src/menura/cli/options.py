"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from menura.errors import EngineError, PresetError
from menura.note import Note, parse_pitch

if TYPE_CHECKING:
    from menura.preset import Preset
    from menura.synths.base import Synth

_BANKS = (".syx",)
"""Endings of files that hold many presets."""
_log = logging.getLogger(__name__)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else there.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Engines at a time; one a core by default.")]
Pitch = Annotated[str, typer.Option("--note", help="Key such as C3 or F#2, or a MIDI number; C4 is 60.")]
Velocity = Annotated[float, typer.Option("--velocity", help="How hard, above 0 and up to 1.")]


def note_of(pitch: str, velocity: float, hold: float, total: float | None) -> Note:
    """A note from its options; without a total, two seconds or one after the key is up.

    Raises:
        NoteError: a value is out of range.
    """
    return Note(parse_pitch(pitch), velocity, hold, max(2.0, hold + 1.0) if total is None else total)


def read_preset(place: Path, synth_name: str | None = None) -> tuple[Synth, Preset]:
    """A preset and the synth that plays it, told by the file's ending unless named.

    Args:
        place: the file; of a bank of presets, ``bank.syx#3`` is the third.
        synth_name: the synth that reads it.

    Raises:
        PresetError: it is missing, broken, or of no known kind, or the number is none of the bank's.
    """
    from menura.synths.registry import synth_of

    path, number = place_in_bank(place)
    endings = preset_endings()
    known = synth_name or endings.get(path.suffix.lower())
    if known is None:
        raise PresetError(f"{path} is no preset that menura knows; give one of {', '.join(sorted(endings))}")
    synth = synth_of(known)
    if not path.exists():
        raise PresetError(f"{path} does not exist; check the name")
    if path.is_dir():
        raise PresetError(f"{path} is a folder; name one preset file in it")
    if number is not None:
        if path.suffix.lower() not in _BANKS:
            raise PresetError(f"{path} holds one preset, not a bank; leave out #{number}")
        if not number.isdecimal():
            raise PresetError(f"{place}: #{number} names no voice; give its place in the bank, as in {path.name}#1")
        return synth, synth.read(path.with_name(f"{path.name}#{int(number)}"))
    try:
        body = path.read_bytes()
    except OSError as error:
        raise PresetError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    try:
        return synth, synth.read(body)
    except PresetError as error:
        raise PresetError(f"{path}: {error}") from error


def place_in_bank(path: Path) -> tuple[Path, str | None]:
    """The file and the text behind ``#``, which names one preset in it; None where the path has none.

    A file whose own name has a ``#`` is meant itself.
    """
    file, mark, number = path.name.rpartition("#")
    return (path.with_name(file), number) if mark and file and not path.exists() else (path, None)


def preset_endings() -> dict[str, str]:
    """Ending of preset files to synth, of every synth that can be loaded."""
    from menura.synths.registry import SYNTHS

    endings: dict[str, str] = {}
    for name in SYNTHS.names():
        try:
            endings[SYNTHS.get(name).suffix] = name
        except EngineError as error:  # a broken add-on must not keep the others from working
            _log.info("%s", error)
    return endings
