"""A recording changed until our own features say that the words are true of it. Owns how far; knows no synth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from menura.audio import Audio
from menura.features.edits import EDITS, Edit, Given
from menura.features.qualities import Sound, graded, sound_of
from menura.matching.target import LONGEST, Target
from menura.matching.words.vocabulary import Wish
from menura.matching.words.words import Change
from menura.note import Note

STEPS: Mapping[str, float] = {
    "brightness": 5.0,  # half an octave
    "attack": 3.0,  # nearly three times
    "held": 3.0,  # 9 dB
    "length": 4.0,  # twice
    "tone": 2.5,
    "pitch_swing": 3.0,
    "level_swing": 2.5,
    "colour_swing": 2.0,
    "level": 6.0,  # 6 LU
}
"""How far a plain word goes, in steps that are just told (`menura.features.qualities.graded`)."""
TOLD = 1.0
"""Steps below which a change is none."""
_TRIES = 9


def change(target: Target, wishes: Sequence[Wish]) -> tuple[Audio, list[Change], list[str]]:
    """The sound with every wish met as far as can be.

    Args:
        target: the sound.
        wishes: what is to become of it, in the order in which it is done.

    Returns:
        The changed sound, what was done, and why the rest was not, a line each.
    """
    sound = target.audio
    done: list[Change] = []
    refused: list[str] = []
    for wish in wishes:
        edit = EDITS.get((wish.quantity, wish.way))
        if edit is None:
            refused.append(f"{wish.word!r} cannot be made of a recording; turn it in the answer")
            continue
        changed = _toward(sound, target, wish, edit)
        if changed is None:
            refused.append(f"{wish.word!r} changes nothing that is heard in this sound")
            continue
        sound, told = changed
        done.append(told)
    return sound, done, refused


def _toward(audio: Audio, target: Target, wish: Wish, edit: Edit) -> tuple[Audio, Change] | None:
    """The sound as near to the wish as the edit comes, by halving; None where it cannot be told from before."""
    before = _measured(audio, target.note)
    start = graded(wish.quantity, getattr(before, wish.quantity))
    if math.isnan(start):
        return None
    goal = wish.strength * STEPS[wish.quantity]
    given = Given(audio.mono, audio.sample_rate, before, target.estimate)

    def tried(amount: float) -> tuple[float, Audio, Sound]:
        made = Audio(edit(given, amount), audio.sample_rate).cut(stop=LONGEST)
        sound = _measured(made, target.note)
        moved = wish.way * (graded(wish.quantity, getattr(sound, wish.quantity)) - start)
        return (-math.inf if math.isnan(moved) else moved), made, sound

    best = tried(1.0)
    low, high = 0.0, 1.0
    for _ in range(_TRIES if best[0] > goal else 0):
        middle = 0.5 * (low + high)
        found = tried(middle)
        if abs(found[0] - goal) < abs(best[0] - goal):
            best = found
        low, high = (low, middle) if found[0] > goal else (middle, high)
        if abs(best[0] - goal) < 0.1 * goal:
            break
    if best[0] < TOLD:
        return None
    return best[1], Change(wish, getattr(before, wish.quantity), getattr(best[2], wish.quantity))


def _measured(audio: Audio, note: Note) -> Sound:
    return sound_of(audio, note)
