"""The words that are understood without a network, and what each asks for. Knows no sound.

A word is a wish: more or less of one quantity of `menura.features.qualities`, the same quantities in which tutorials
tell what a step did. Some words are several wishes (a pad begins slowly and is held), some name a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from menura.errors import InputError


@dataclass(frozen=True, slots=True)
class Wish:
    """More or less of one quantity."""

    word: str
    """As it was written."""
    quantity: str
    """A field of `menura.features.qualities.Sound`."""
    way: int
    """1 for more of it, -1 for less."""
    strength: float = 1.0
    """1 for the plain word, more for "very", less for "slightly"."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of a text."""

    wishes: tuple[Wish, ...]
    pitch: float | None
    """MIDI pitch that a word named (bass, high), or None."""
    unknown: tuple[str, ...]
    """Words that are not known, as they were written."""


_Meaning = tuple[tuple[str, int, float], ...]


def _one(quantity: str, way: int) -> _Meaning:
    return ((quantity, way, 1.0),)


_WAYS: Mapping[str, tuple[str, str]] = {
    # More of it, less of it: each a list of words, comparatives are found by themselves.
    "level": ("loud", "quiet"),
    "brightness": ("bright,brilliant,crisp,sharp,shiny", "dark,dull,mellow,muffled,warm,round"),
    "attack": (
        "slow attack,soft attack,gentle attack,long attack,slow,swelling",
        "quick attack,fast attack,hard attack,sharp attack,short attack,quick,fast,punchy,snappy,percussive",
    ),
    "held": ("sustained,sustaining,sustain,holding,held,steady level", "decaying,dying,fading,dying away"),
    "length": (
        "long,long decay,long release,long tail,ringing",
        "short,short decay,short release,short tail,tight,dry",
    ),
    "width": ("wide,broad,stereo", "narrow,mono"),
    "tone": ("clean,clear,pure,tonal", "noisy,noise,rough,breathy,breath,airy,dirty,harsh,gritty,distorted"),
    "pitch_swing": ("vibrato,wobbly", "steady,stable"),
    "level_swing": ("tremolo,pulsing,throbbing", "even"),
    "colour_swing": ("moving,movement,evolving,sweeping,sweep", "static,still"),
    "pitch": ("high", "low"),
}
_SEVERAL: Mapping[str, _Meaning] = {
    "soft": (("brightness", -1, 0.7), ("attack", 1, 0.5)),
    "hard": (("brightness", 1, 0.7), ("attack", -1, 0.7)),
    "plucked": (("attack", -1, 0.9), ("held", -1, 0.9)),
    "pluck": (("attack", -1, 0.9), ("held", -1, 0.9)),
    "stab": (("attack", -1, 0.9), ("length", -1, 0.8)),
    "pad": (("attack", 1, 0.9), ("held", 1, 0.8)),
    "drone": (("held", 1, 0.9), ("length", 1, 0.9)),
    "bell": (("attack", -1, 0.9), ("held", -1, 0.7), ("length", 1, 0.8), ("brightness", 1, 0.7)),
    "hit": (("attack", -1, 0.9), ("length", -1, 0.9), ("tone", -1, 0.7)),
    "organ": (("attack", -1, 0.8), ("held", 1, 0.9), ("tone", 1, 0.8)),
    "bass": (),
    "sub": (("brightness", -1, 0.9),),
    "lead": (("held", 1, 0.6), ("attack", -1, 0.6)),
    "deep": (),
}
_KEYS: Mapping[str, float] = {"bass": 36.0, "sub": 36.0, "deep": 36.0, "low": 36.0, "lead": 60.0, "high": 84.0}
_STRENGTHS: Mapping[str, float] = {
    "very": 1.5, "much": 1.5, "really": 1.5, "extremely": 1.8, "far": 1.5, "lot": 1.5,
    "slightly": 0.5, "bit": 0.5, "little": 0.5, "somewhat": 0.7, "rather": 0.8,
}  # fmt: skip
_TURNS: Mapping[str, int] = {"more": 1, "less": -1, "not": -1, "no": -1, "without": -1, "fewer": -1}
_SILENT = frozenset(
    ("a", "an", "the", "with", "and", "but", "of", "to", "in", "its", "it", "sound", "sounds", "tone", "synth", "patch")
)
_IRREGULAR: Mapping[str, str] = {
    "noisier": "noisy", "breathier": "breathy", "airier": "airy", "dirtier": "dirty", "shinier": "shiny",
    "punchier": "punchy", "snappier": "snappy", "grittier": "gritty", "wobblier": "wobbly", "steadier": "steady",
    "wider": "wide", "purer": "pure", "gentler": "gentle", "stabler": "stable", "drier": "dry", "dryer": "dry",
    "plucky": "plucked", "pluckier": "plucked", "plucks": "pluck", "pads": "pad", "stabs": "stab", "bells": "bell",
    "basses": "bass", "leads": "lead", "rounder": "round",
}  # fmt: skip


def _meanings() -> dict[str, _Meaning]:
    found: dict[str, _Meaning] = dict(_SEVERAL)
    for quantity, both in _WAYS.items():
        for way, words in zip((1, -1), both, strict=True):
            found |= {word: _one(quantity, way) for word in words.split(",")}
    return found


MEANINGS: Mapping[str, _Meaning] = _meanings()
"""Each word or pair of words: (quantity, way, strength) of its wishes."""


def known_words() -> list[str]:
    """Every word that is understood, in the order of the alphabet."""
    return sorted(MEANINGS)


def read_words(text: str) -> Reading:
    """What a text asks for.

    "brighter", "more bright" and "bright" are one wish: with a sound it is a change, without one a place among patches.

    Args:
        text: some words, e.g. ``"short bright bass"`` or ``"a bit brighter, less noise"``.

    Raises:
        InputError: there is no word in it, or not one that is known.
    """
    if not text.strip():
        raise InputError('the text is empty; say what it should sound like, e.g. --text "short bright bass"')
    wishes: list[Wish] = []
    unknown: list[str] = []
    pitch: float | None = None
    for written, word, turn, strength in _phrases(text):
        meaning = MEANINGS.get(word)
        if meaning is None:
            unknown.append(written)
            continue
        key = _KEYS.get(word)
        if key is not None and turn > 0:
            pitch = key
        wishes += [Wish(written, quantity, turn * way, strength * own) for quantity, way, own in meaning]
    if not wishes and pitch is None:
        found = f"no word of these is known: {_told(unknown)}" if unknown else "there is no word that is known"
        raise InputError(f"{found}; known are {', '.join(known_words())}")
    return Reading(_together(wishes), pitch, tuple(unknown))


def unknown_told(reading: Reading) -> str:
    """One line on the words that were left out; empty where all are known."""
    if not reading.unknown:
        return ""
    return f"not understood and left out: {_told(reading.unknown)}; known are {', '.join(known_words())}"


def _told(words: list[str] | tuple[str, ...]) -> str:
    return ", ".join(repr(word) for word in words)


def _phrases(text: str) -> Iterator[tuple[str, str, int, float]]:
    """(as written, the word as it is listed, 1 or -1, strength) of each phrase."""
    tokens = re.findall(r"[^\W_]+(?:['-][^\W_]+)*|[,;.]", text.lower())
    at, turn, strength = 0, 1, 1.0
    said: list[str] = []
    while at < len(tokens):
        token = tokens[at]
        if token in ",;.":
            turn, strength, said = 1, 1.0, []
        elif token in _STRENGTHS:
            strength, said = strength * _STRENGTHS[token], [*said, token]
        elif token in _TURNS:
            turn, said = turn * _TURNS[token], [*said, token]
        elif token not in _SILENT:
            taken = 2 if at + 1 < len(tokens) and _pair(token, tokens[at + 1]) in MEANINGS else 1
            parts = tokens[at : at + taken]
            word = _pair(*parts) if taken == 2 else _plain(token)
            yield " ".join([*said, *parts]), word, turn, strength
            turn, strength, said = 1, 1.0, []
            at += taken - 1
        at += 1


def _pair(first: str, second: str) -> str:
    return f"{_plain(first)} {second}"


def _plain(token: str) -> str:
    """The word as it is listed: without comparative or superlative."""
    if token in MEANINGS:
        return token
    if token in _IRREGULAR:
        return _IRREGULAR[token]
    for ending in ("er", "est"):
        stem = token.removesuffix(ending)
        if stem != token:
            for word in (stem, f"{stem}e", stem[:-1] if stem[-2:-1] == stem[-1:] else stem):
                if word in MEANINGS or f"{word} attack" in MEANINGS:
                    return word
    return token


def _together(wishes: list[Wish]) -> tuple[Wish, ...]:
    """One wish a quantity: what was said twice counts by its strongest, what contradicts itself is refused."""
    found: dict[str, Wish] = {}
    for wish in wishes:
        other = found.get(wish.quantity)
        if other is not None and other.way != wish.way:
            # A plain word says more than what goes along with a kind of sound: a slow pluck, a bright pad.
            if other.strength == wish.strength:
                raise InputError(f"{other.word!r} and {wish.word!r} ask for opposite things; leave one of them out")
            wish = max(other, wish, key=lambda one: one.strength)  # noqa: PLW2901
        elif other is not None:
            wish = replace(other, strength=max(other.strength, wish.strength))  # noqa: PLW2901
        found[wish.quantity] = wish
    return tuple(found.values())
