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
from menura.matching.target import Target
from menura.matching.words.words import AnsweredBy, changed, described
from menura.note import Note
from menura.preset import Preset
from menura.synths.base import Synth

Track = Literal["any", "knobs"]
"""`any` may take wavetables and contours from the target; `knobs` turns the synth's own controls alone."""

_DEFAULT_RENDERS: Mapping[str, int] = {"any": 60, "knobs": 600}


WORDS_RENDERS = 120
"""Renders of a match to words alone where the user names none."""


def stages_for(target: Target, track: str, synth: Synth, model: str = "") -> list[Stage]:
    """The stages of a track for a target; words alone have stages of their own, whatever the track.

    Raises:
        InputError: there is no such track, or the synth's library cannot be used; a model is given with words alone.
        MenuraError: as `stages_of`.
    """
    if target.audible:
        return stages_of(track, synth, model)
    if model:
        raise InputError("a model answers sounds, not words alone; give a sound, or leave the model out")
    from menura.library.library import Library
    from menura.matching.audition import Audition
    from menura.matching.knobs import KnobSearch
    from menura.matching.rank import Rank
    from menura.matching.words.recall import Recall

    return [Recall(Library.find(synth.name)), Audition(), KnobSearch(), Rank()]


def default_renders(track: str, synth: str = "vital", *, audible: bool = True) -> int:
    """Renders of a match where the user names none: few where the patch is written, many where it is searched."""
    if not audible:
        return WORDS_RENDERS
    return _DEFAULT_RENDERS[track if synth == "vital" else "knobs"]


def stages_of(track: str, synth: Synth, model: str = "") -> list[Stage]:
    """The stages of a track.

    Args:
        track: its name.
        synth: what answers.
        model: an estimator of the synth, by its name or folder, whose samples and variations the search then tries.

    Raises:
        InputError: there is no such track, or it takes no model, or the model is damaged.
        UnknownNameError: there is no such model.
        SpaceError: it is of another synth.
    """
    from menura.matching.audition import Audition
    from menura.matching.knobs import KnobSearch
    from menura.matching.rank import Rank
    from menura.matching.refine import Refine
    from menura.matching.starts import Starts

    if track == "any" and synth.name == "vital":
        from menura.matching.resynthesise import Resynthesise

        if model:
            raise InputError("a model answers with the synth's own controls; add --track knobs, or leave it out")
        return [Resynthesise(), Audition(), Refine(), Rank()]
    if track in get_args(Track) and model:
        from menura.matching.learned import learned_stages
        from menura.models.shipped import model_of
        from menura.synths.patches import patch_space

        return learned_stages(synth, model_of(model, patch_space(synth)))
    if track in get_args(Track):
        return [Starts(), Audition(), KnobSearch(), Rank()]
    raise InputError(f"no track is called {track!r}; choose any or knobs")


def match(
    sound: str | Path | Audio | None = None,
    synth: str = "vital",
    *,
    text: str = "",
    text_by: AnsweredBy = "auto",
    top: int = 5,
    track: Track = "any",
    renders: int | None = None,
    seconds: float = 120.0,
    seed: int = 0,
    note: float | Note | None = None,
    lock: Iterable[str] = (),
    near: Preset | None = None,
    workers: int | None = None,
    model: str = "",
) -> list[Match]:
    """Presets that play a sound, or are what words say, nearest first.

    Args:
        sound: A file, or a sound in memory; None where words alone say what is wanted.
        synth: Name of the synth.
        text: Words: beside a sound how it is to change (``"brighter, shorter"``), alone what it is to be
            (``"short bright bass"``).
        text_by: Who answers words alone: ``clap``, ``descriptors``, or ``auto``, which is CLAP where its weights are
            present. Nothing is downloaded; ``menura match --text ... --fetch`` does.
        top: How many different answers.
        track: `any` may take wavetables and contours from the sound; `knobs` turns the synth's own controls.
        renders: Renders of the engine; None is 60 for `any` on Vital, else 600.
        seconds: Ceiling of wall-clock time.
        seed: Where all chance comes from.
        note: The pitch that the sound plays (MIDI, 60 is C4), or the whole note; None listens.
        lock: Controls or groups to keep as they are in `near` or in the initial patch.
        near: A preset to stay near.
        workers: Engines at work at the same time; None is one a core.
        model: On track `knobs`, an estimator of the synth by its name or folder, for the search to draw from.

    Raises:
        MenuraError: the input cannot be used, or the work failed.
    """
    from menura.synths.registry import synth_of

    player = synth_of(synth)
    target = target_of(sound, text, note=note, text_by=text_by)
    stages = stages_for(target, track, player, model)
    usual = default_renders(track, player.name, audible=target.audible)
    matcher = Matcher(player, stages, seed=seed, workers=workers)
    limit = Budget(usual if renders is None else renders, seconds)
    return matcher.match(target, top=top, budget=limit, lock=lock, near=near)


def target_of(
    sound: str | Path | Audio | None,
    text: str = "",
    *,
    note: float | Note | None = None,
    text_by: AnsweredBy = "auto",
    fetch: bool = False,
) -> Target:
    """What is to be matched: a sound, a sound changed by words, or words alone.

    Args:
        sound: A file, or a sound in memory, or None.
        text: Words, or nothing.
        note: The pitch that the sound plays, or the whole note; for words alone the pitch at which answers are heard.
        text_by: Who answers words alone.
        fetch: Whether CLAP's weights may be downloaded for that.

    Raises:
        MenuraError: neither is given, or one cannot be used.
    """
    if sound is None and not text:
        raise InputError('there is nothing to match; give a sound, or words: --text "short bright bass"')
    if sound is None:
        return described(text, note.pitch if isinstance(note, Note) else note, by=text_by, fetch=fetch)
    target = Target.of(sound, note)
    if not text:
        return target
    if text_by == "clap":
        raise InputError("CLAP cannot say how a given sound is to change; leave the sound or CLAP out")
    return changed(target, text)
