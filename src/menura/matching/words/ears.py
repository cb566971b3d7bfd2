"""How near a sound is to words: by our own quantities, or by CLAP. Owns these distances; knows no preset."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.features.embedders.clap_text import Clap
from menura.features.qualities import Sound, sound_of
from menura.matching.hearing import SILENCE, Heard, Hearing, View
from menura.matching.target import SAMPLE_RATE, Target
from menura.matching.words.typical import GRADED, standing
from menura.matching.words.vocabulary import Wish
from menura.matching.words.words import Change, told
from menura.note import Note

SCALE = 10.0
"""Distance where nothing of what was asked for is there."""
REST = 1.0
"""Weight of what nobody asked for, which is to be as usual: else the brightest of all sounds is hiss."""
MET = 0.75
"""A standing from which on a word is true of a patch, as far as it goes."""


def wanted_share(wish: Wish) -> float:
    """Where a patch stands of which the wish is true: 0.9 is more than nine of ten usual patches have."""
    return 0.5 + wish.way * min(0.47, 0.4 * wish.strength)


def lacking(wish: Wish, low: float, high: float) -> float:
    """How much of a wish is missing, 0 to 1, at a standing between `low` and `high`; all of it where one is NaN."""
    if math.isnan(low):
        return 1.0
    wanted = wanted_share(wish)
    missing = wanted - high if wish.way > 0 else low - wanted
    return max(0.0, missing) / (wanted if wish.way > 0 else 1.0 - wanted)


class WishEar:
    """Hears whether wishes are met: each quantity by its standing among usual patches, the others near the middle.

    Args:
        wishes: what is wanted; none is a usual patch.
        note: the note at which candidates are heard.
    """

    in_workers = True

    def __init__(self, wishes: Sequence[Wish], note: Note) -> None:
        self.wishes = tuple(wishes)
        self.note = note
        self.view = View(round(note.total * SAMPLE_RATE), note.frequency_hz)

    def of(self, audio: Audio) -> Heard:
        """Silence is infinitely far."""
        return _heard(audio, self.view, lambda: self._distance(sound_of(audio, self.note)))

    def _distance(self, sound: Sound) -> float:
        asked = {wish.quantity for wish in self.wishes}
        missing = [wish.strength * lacking(wish, *self._standing(sound, wish.quantity)) for wish in self.wishes]
        rest = [abs(float(np.mean(self._standing(sound, name))) - 0.5) for name in GRADED if name not in asked]
        unusual = 2.0 * float(np.nanmean(rest)) if rest and not np.isnan(rest).all() else 0.0
        weight = sum(wish.strength for wish in self.wishes)
        return SCALE * sum(missing) / max(weight, 1e-9) + REST * unusual

    def scores(self, audio: Audio) -> dict[str, float]:
        """Of each word, how far the patch goes its way: 1 is further than all usual patches, 0.5 as usual."""
        sound = sound_of(audio, self.note)
        found: dict[str, float] = {}
        for wish in self.wishes:
            low, high = self._standing(sound, wish.quantity)
            share = high if wish.way > 0 else 1.0 - low
            name = wish.word if wish.word not in found else f"{wish.word} ({wish.quantity})"
            found[name] = 0.0 if math.isnan(share) else share
        return found

    def verdict(self, scores: Mapping[str, float]) -> str:
        """How many of the words are true of it."""
        met = [name for name, share in scores.items() if share >= self._bar(name)]
        if not scores:
            return "a usual patch at that key"
        if len(met) == len(scores):
            return "as asked" if len(met) > 1 else f"{met[0]}, as asked"
        return f"{len(met)} of {len(scores)} as asked: {', '.join(met)}" if met else "not as asked: a starting point"

    def _bar(self, name: str) -> float:
        wish = next((wish for wish in self.wishes if name.startswith(wish.word)), None)
        return MET if wish is None else min(MET, 0.5 + 0.4 * wish.strength)

    def _standing(self, sound: Sound, quantity: str) -> tuple[float, float]:
        return standing(quantity, getattr(sound, quantity), self.note.pitch)


class ClapEar:
    """Hears how near a sound is to a text by CLAP; in the process of the stages, since it is large.

    Args:
        clap: the network.
        text: what it should sound like.
        note: the note at which candidates are heard.
    """

    in_workers = False

    def __init__(self, clap: Clap, text: str, note: Note) -> None:
        self._clap = clap
        self._text: NDArray[np.float32] = clap.texts([text])[0]
        self.view = View(round(note.total * SAMPLE_RATE), note.frequency_hz)

    def of(self, audio: Audio) -> Heard:
        """Silence is infinitely far."""
        return _heard(audio, self.view, lambda: SCALE * (1.0 - self._similarity(audio)))

    def scores(self, audio: Audio) -> dict[str, float]:
        """The cosine between text and sound."""
        return {"clap": self._similarity(audio)}

    def verdict(self, scores: Mapping[str, float]) -> str:
        """CLAP puts sounds in order; how well the best fits, its numbers do not say."""
        return f"ranked by CLAP, similarity {scores['clap']:.2f}"

    def _similarity(self, audio: Audio) -> float:
        return float(self._clap.sounds([audio])[0] @ self._text)


class ChangedEar(Hearing):
    """Hears a sound that words have changed, and tells how much of each change an answer has.

    Args:
        target: the changed sound.
        changes: what was done to it.
        note: at which they were measured.
    """

    def __init__(self, target: Target, changes: Sequence[Change], note: Note) -> None:
        super().__init__(target.audio.mono, target.note.frequency_hz)
        self._changes = tuple(changes)
        self._note = note

    def scores(self, audio: Audio) -> dict[str, float]:
        """The protocol's metrics against the changed sound, and by each word the share of its change."""
        sound = sound_of(Audio(audio.mono, audio.sample_rate), self._note)
        shares = {change.wish.word: told(change, getattr(sound, change.wish.quantity)) for change in self._changes}
        return super().scores(audio) | {word: share for word, share in shares.items() if math.isfinite(share)}


def _heard(audio: Audio, view: View, distance: Callable[[], float]) -> Heard:
    """What is kept of a sound; its distance is asked for where there is something to hear."""
    mono = audio.mono
    if mono.size == 0 or not np.isfinite(mono).all():
        return Heard(math.inf, math.inf, 0.0, 0.0, None)
    level, peak = float(np.sqrt(np.mean(np.square(mono, dtype=np.float64)))), float(np.abs(mono).max())
    if peak < SILENCE:
        return Heard(math.inf, math.inf, level, peak, None)
    return Heard(distance(), math.nan, level, peak, view.of(mono))
