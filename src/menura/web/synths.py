"""What the page offers of the synths. Knows no engine."""

from __future__ import annotations

from menura.errors import MenuraError
from menura.web.schemas import SynthInfo

_HIDDEN = {"toy"}
"""For tests and teaching; it can be asked for by name."""


def is_known(name: str) -> bool:
    """True for a synth of the registry; plug-ins by path are not taken from strangers."""
    from menura.synths.registry import SYNTHS

    return name in SYNTHS.names()


def knows_track(synth: str, track: str) -> bool:
    """True where the track is one of its own."""
    return track in tracks(synth)


def tracks(synth: str) -> dict[str, int]:
    """Tracks of a synth, and words alone, and their usual numbers of renders."""
    from menura.matching.tracks import default_renders

    names = ("any", "knobs") if synth == "vital" else ("knobs",)
    return {name: default_renders(name, synth) for name in names} | {"words": default_renders("", synth, audible=False)}


def usable_synths() -> list[SynthInfo]:
    """Synths whose engines are here."""
    from menura.explain.settings import shown_synth
    from menura.synths.registry import SYNTHS, synth_of

    found: list[SynthInfo] = []
    for name in sorted(SYNTHS.names(), key=lambda name: (name != "vital", name)):
        if name in _HIDDEN:
            continue
        try:
            check = getattr(synth_of(name), "check", None)
            if check is not None:
                check()
        except MenuraError:
            continue
        title = shown_synth(name)
        found.append(SynthInfo(name=name, title=title, tracks=tracks(name), installs=name == "vital"))
    return found
