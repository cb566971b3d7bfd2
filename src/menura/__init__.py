"""menura: give it a sound, it answers with presets that play that sound on a real synthesizer.

    import menura

    best, *others = menura.match("cello.wav", synth="vital", top=5)
    best.save("cello.vital")

Importing menura is quick and loads no engine; each name below is fetched when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from menura.version import __version__

if TYPE_CHECKING:
    from menura.audio import Audio, read_audio, write_audio
    from menura.errors import MenuraError
    from menura.matching.budget import Budget
    from menura.matching.match import Match
    from menura.matching.matcher import Matcher
    from menura.matching.tracks import match
    from menura.note import Note
    from menura.preset import Preset
    from menura.synths.registry import synth_of

# By name and not by import, so that the layers below may be read without the layers above.
_PLACES = {
    "Audio": "menura.audio",
    "Budget": "menura.matching.budget",
    "Match": "menura.matching.match",
    "Matcher": "menura.matching.matcher",
    "MenuraError": "menura.errors",
    "Note": "menura.note",
    "Preset": "menura.preset",
    "match": "menura.matching.tracks",
    "synth_of": "menura.synths.registry",
    "read_audio": "menura.audio",
    "write_audio": "menura.audio",
}

__all__ = [
    "Audio",
    "Budget",
    "Match",
    "Matcher",
    "MenuraError",
    "Note",
    "Preset",
    "__version__",
    "match",
    "read_audio",
    "synth_of",
    "write_audio",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'menura' has no attribute {name!r}")
    found = getattr(importlib.import_module(place), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
