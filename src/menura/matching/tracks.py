"""The two ways of matching, as lists of stages, and the one function for users. Owns the defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

from menura.audio import Audio
from menura.errors import InputError
from menura.matching.budget import Budget
from menura.matching.match import Match
from menura.matching.matcher import Matcher
from menura.matching.stage import Stage
from menura.note import Note
from menura.preset import Preset
from menura.synths.base import Synth

Track = Literal["any", "knobs"]
"""`any` may take wavetables and contours from the target; `knobs` turns the synth's own controls alone."""

_DEFAULT_RENDERS: Mapping[str, int] = {"any": 60, "knobs": 600}


def default_renders(track: str, synth: str = "vital") -> int:
    """Renders of a match where the user names none: few where the patch is written, many where it is searched."""
    return _DEFAULT_RENDERS[track if synth == "vital" else "knobs"]


def stages_of(track: str, synth: Synth) -> list[Stage]:
    """The stages of a track.

    Raises:
        InputError: there is no such track.
    """
    from menura.matching.audition import Audition
    from menura.matching.knobs import KnobSearch
    from menura.matching.rank import Rank
    from menura.matching.refine import Refine
    from menura.matching.starts import Starts

    if track == "any" and synth.name == "vital":
        from menura.matching.resynthesise import Resynthesise

        return [Resynthesise(), Audition(), Refine(), Rank()]
    if track in get_args(Track):
        return [Starts(), Audition(), KnobSearch(), Rank()]
    raise InputError(f"no track is called {track!r}; choose any or knobs")


def match(
    sound: str | Path | Audio,
    synth: str = "vital",
    *,
    top: int = 5,
    track: Track = "any",
    renders: int | None = None,
    seconds: float = 120.0,
    seed: int = 0,
    note: float | Note | None = None,
    lock: Iterable[str] = (),
    near: Preset | None = None,
    workers: int | None = None,
) -> list[Match]:
    """Presets that play a sound, nearest first.

    Args:
        sound: A file, or a sound in memory.
        synth: Name of the synth.
        top: How many different answers.
        track: `any` may take wavetables and contours from the sound; `knobs` turns the synth's own controls.
        renders: Renders of the engine; None is 60 for `any` on Vital, else 600.
        seconds: Ceiling of wall-clock time.
        seed: Where all chance comes from.
        note: The pitch that the sound plays (MIDI, 60 is C4), or the whole note; None listens.
        lock: Controls or groups to keep as they are in `near` or in the initial patch.
        near: A preset to stay near.
        workers: Engines at work at the same time; None is one a core.

    Raises:
        MenuraError: the input cannot be used, or the work failed.
    """
    from menura.synths.registry import synth_of

    player = synth_of(synth)
    stages = stages_of(track, player)
    limit = Budget(default_renders(track, player.name) if renders is None else renders, seconds)
    matcher = Matcher(player, stages, seed=seed, workers=workers)
    return matcher.match(sound, note=note, top=top, budget=limit, lock=lock, near=near)
