"""What is asked for in words, alone or beside a sound, and who answers it. Owns the value; knows no stage."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from menura.audio import Audio
from menura.errors import InputError, WorkError
from menura.features.pitch import NoteEstimate
from menura.matching.hearing import Ear
from menura.matching.target import SAMPLE_RATE, Target
from menura.matching.words.typical import HOLD, TOTAL
from menura.matching.words.vocabulary import Reading, Wish, read_words, unknown_told
from menura.note import Note

if TYPE_CHECKING:
    from menura.features.embedders.clap_text import Clap

AnsweredBy = Literal["auto", "clap", "descriptors"]
"""`auto` is CLAP where its weights are present, else descriptors."""
USUAL_PITCH = 60.0
"""MIDI pitch at which an answer is heard where no word names a key."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one wish makes of a sound."""

    wish: Wish
    before: float
    """The quantity in the sound as it was given."""
    wanted: float
    """The quantity in the changed sound, as it was measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A text and what is made of it."""

    text: str
    by: Literal["clap", "descriptors"]
    """Who answers: the network that knows texts and sounds, or our own features."""
    wishes: tuple[Wish, ...] = ()
    warning: str = ""
    """What was not understood, and what is; empty where all is."""
    changes: tuple[Change, ...] = ()
    """Where a sound was given too: how the words have changed it."""
    measured_at: Note | None = None
    """The note of that sound: both ends of a change are measured as if it were played so."""
    clap: Clap | None = field(default=None, repr=False)

    @property
    def alone(self) -> bool:
        """True where there is no sound beside them."""
        return not self.changes

    @property
    def answered_by(self) -> str:
        """Who answers, as one says it."""
        if self.by == "clap":
            return "CLAP"
        understood = ", ".join(dict.fromkeys(wish.word for wish in self.wishes))
        return f"menura's own descriptors ({understood})" if understood else "the key alone"

    def ear(self, target: Target) -> Ear:
        """What hears candidates for a target with these words."""
        from menura.matching.words.ears import ChangedEar, ClapEar, WishEar

        if self.changes:
            return ChangedEar(target, self.changes, self.measured_at or target.note)
        if self.clap is not None:
            return ClapEar(self.clap, self.text, target.note)
        return WishEar(self.wishes, target.note)


def described(text: str, pitch: float | None = None, *, by: AnsweredBy = "auto", fetch: bool = False) -> Target:
    """A target of words alone.

    Args:
        text: what it should sound like.
        pitch: MIDI pitch at which answers are heard; None takes the key that a word names (bass, high), else C4.
        by: who answers.
        fetch: whether CLAP's weights may be downloaded where they are missing.

    Raises:
        InputError: there is no text, or descriptors are to answer and know none of its words.
        WorkError: CLAP is to answer and cannot: its weights are not here.
    """
    if by not in get_args(AnsweredBy):
        raise InputError(f"words are answered by {', '.join(get_args(AnsweredBy))}, not by {by!r}")
    if not text.strip():
        read_words(text)
    clap = _clap(by, fetch)
    try:
        reading = read_words(text)
    except InputError:
        if clap is None:
            raise
        reading = Reading((), None, ())
    key = pitch if pitch is not None else reading.pitch if reading.pitch is not None else USUAL_PITCH
    note = Note(pitch=key, hold=HOLD, total=TOTAL)
    wishes = tuple(wish for wish in reading.wishes if wish.quantity not in ("pitch", "level"))
    if clap is None and not wishes and reading.pitch is None:
        raise InputError(f"{text!r} says how it is played, not how it sounds; say more, or play and mix it so")
    words = Words(text, "descriptors" if clap is None else "clap", wishes, clap=clap)
    if clap is None:
        words = replace(words, warning=unknown_told(reading))
    return Target(Audio(np.zeros((1, round(TOTAL * SAMPLE_RATE))), SAMPLE_RATE), note, _unheard(note), text, words)


def changed(target: Target, text: str) -> Target:
    """A sound as it would be if the words were true of it: what is matched is the changed sound.

    Args:
        target: the sound.
        text: how it is to change, e.g. ``"brighter, shorter"``.

    Raises:
        InputError: none of the words is known, or none can be done to this sound.
    """
    from menura.matching.words.changing import change

    reading = read_words(text)
    sound, changes, refused = change(target, reading.wishes)
    warnings = [warning for warning in (unknown_told(reading), *refused) if warning]
    if not changes:
        raise InputError(
            "; ".join(warnings) or f"{text!r} says which key it is played at, not how a sound is to change"
        )
    again = Target.of(sound, target.note.pitch if target.estimate.pitched else None)
    words = Words(text, "descriptors", tuple(c.wish for c in changes), "; ".join(warnings), tuple(changes), target.note)
    return replace(again, name=f"{target.name or 'sound'} {text}", words=words)


def _clap(by: AnsweredBy, fetch: bool) -> Clap | None:
    from menura.features.embedders.clap_text import clap_is_here, open_clap

    if by == "descriptors" or (by == "auto" and not fetch and not clap_is_here()):
        return None
    try:
        return open_clap(fetch=fetch)
    except WorkError as error:
        hint = "" if fetch or clap_is_here() else "; or give --fetch, which downloads them, or --text-by descriptors"
        raise WorkError(f"CLAP cannot answer: {error}{hint}") from error


def _unheard(note: Note) -> NoteEstimate:
    """What is known of a note that nobody has heard yet."""
    track = np.zeros(0, dtype=np.float64)
    return NoteEstimate(
        pitch=note.pitch,
        confidence=0.0,
        pitched=True,
        sustaining=True,
        hold=note.hold,
        total=note.total,
        release=0.0,
        fundamental_hz=note.frequency_hz,
        track_times=track,
        track_hz=track,
        track_voiced=track.astype(bool),
    )


def told(change: Change, got: float) -> float:
    """The share of a wanted change that an answer has: 1 is all of it, 0 none, NaN where it cannot be measured."""
    from menura.features.qualities import graded

    quantity = change.wish.quantity
    before, wanted, here = (graded(quantity, value) for value in (change.before, change.wanted, got))
    return (here - before) / (wanted - before) if wanted != before else math.nan
