"""The folder of a match: which preset it ranked where, and the note it was matched at. Knows what its card says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from menura.errors import InputError
from menura.note import Note

CARD = "card.json"


@dataclass(frozen=True, slots=True)
class Matched:
    """One answer of a match."""

    preset: Path
    synth: str
    note: Note
    rank: int


def read_match(folder: Path, rank: int = 1) -> Matched:
    """The answer of that rank, 1 is the nearest.

    Raises:
        InputError: the folder was not written by ``menura match``, or has no such rank.
    """
    advice = "give a preset, or a folder that `menura match` wrote"
    try:
        card: Any = json.loads((folder / CARD).read_bytes())
        matches = list(card["matches"])
    except OSError as error:
        raise InputError(f"{folder} has no {CARD} ({error.strerror}); {advice}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / CARD} is not understood; {advice}") from error
    if not 1 <= rank <= len(matches):
        raise InputError(f"{folder} has {len(matches)} presets; there is no --rank {rank}")
    try:
        match = matches[rank - 1]
        fields = {name: float(match["note"][name]) for name in ("pitch", "velocity", "hold", "total")}
        name = str(match["files"]["preset"]["name"])
        return Matched(folder / Path(name).name, str(match["synth"]), Note(**fields), rank)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / CARD} is not understood ({error!r}); {advice}") from error
