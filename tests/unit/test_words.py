"""Words as what is asked for: what is understood, what it does to a recording, what stands where among patches."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from menura.audio import Audio
from menura.errors import InputError
from menura.explain.texts import SHIFTS
from menura.features.contour import BANDS, contour, contour_qualities
from menura.features.qualities import graded, sound_of, value_at
from menura.matching.target import Target
from menura.matching.words.changing import STEPS, change
from menura.matching.words.ears import WishEar
from menura.matching.words.typical import GRADED, SHARES, standing, usual
from menura.matching.words.vocabulary import MEANINGS, Wish, known_words, read_words
from menura.matching.words.words import changed, described
from menura.note import Note
from menura.synths.macros import macros_of

RATE = 44_100


def wishes(text: str) -> set[tuple[str, int]]:
    return {(wish.quantity, wish.way) for wish in read_words(text).wishes}


def test_words_are_wishes_and_keys() -> None:
    assert wishes("short bright bass") == {("length", -1), ("brightness", 1)}
    assert read_words("short bright bass").pitch == 36
    assert wishes("Brighter, less noise; a softer attack") == {("brightness", 1), ("tone", 1), ("attack", 1)}
    assert wishes("not bright") == wishes("darker") == wishes("less bright") == {("brightness", -1)}
    weak, plain, strong = (read_words(text).wishes[0].strength for text in ("slightly dark", "dark", "very dark"))
    assert weak < plain < strong
    # What is said outright counts more than what goes along with a kind of sound.
    assert ("attack", 1) in wishes("slow pluck")


def test_what_is_not_known_is_named_with_what_is() -> None:
    assert read_words("bright glorp").unknown == ("glorp",)
    with pytest.raises(InputError, match=r"no word of these is known: 'glorp'; known are .*bright.*warm"):
        read_words("glorp")
    with pytest.raises(InputError, match="opposite things"):
        read_words("bright and dark")
    for empty in ("", "  ", "a sound"):
        with pytest.raises(InputError):
            read_words(empty)


def test_tutorials_and_macros_say_it_in_the_same_words() -> None:
    """What a tutorial says a step did, and what a macro is called, can be asked for."""
    for quantity, said in SHIFTS.items():
        if quantity == "pitch":  # a key, not a sound
            continue
        for way, phrase in zip((1, -1), said, strict=True):
            words = (
                phrase.partition(" (")[0].partition(" by ")[0].replace("dies away while the key is down", "dying away")
            )
            words = {"holds its level": "steady level", "softer": "quieter", "clearer in pitch": "clearer"}.get(
                words, words
            )
            words = words.replace(" or ", " ").replace("its pitch moves more", "more vibrato")
            words = words.replace("its pitch moves less", "steadier").replace("its level moves more", "more tremolo")
            words = words.replace("its level moves less", "less tremolo").replace(
                "its brightness moves more", "more movement"
            )
            words = words.replace("its brightness moves less", "less movement")
            assert wishes(words) == {(quantity, way)}, phrase
    known = [
        macro for macro in macros_of("vital") if macro.name not in ("closer", "bigger", "warmer", "thicker", "roomier")
    ]
    for macro in known:
        more, less = wishes(macro.more), wishes(macro.less)
        assert {(quantity, -way) for quantity, way in more} == less, macro.name


@pytest.mark.parametrize("word", known_words())
def test_every_word_is_understood_alone(word: str) -> None:
    reading = read_words(word)
    assert not reading.unknown
    assert len(reading.wishes) == len(MEANINGS[word])


def test_a_standing_undoes_the_table() -> None:
    for quantity in GRADED:
        for share in SHARES[1:-1]:
            low, high = standing(quantity, usual(quantity, share, 50.0), 50.0)
            assert low - 1e-6 <= share <= high + 1e-6, (quantity, share)
        rising = [standing(quantity, value_at(quantity, grade), 50.0) for grade in np.linspace(-120.0, 160.0, 57)]
        assert all(b[0] >= a[0] and b[1] >= a[1] for a, b in pairwise(rising)), quantity
    assert math.isnan(standing("brightness", math.nan, 60.0)[0])


def pluck(seconds: float = 1.2, decay: float = 3.0, hertz: float = 220.0) -> Audio:
    at = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * hertz * n * at) / n**1.5 for n in range(1, 25)) * np.exp(-decay * at)
    return Audio((0.2 * np.asarray(tone)).astype(np.float32), RATE)


@pytest.fixture(scope="module")
def target() -> Target:
    return Target.of(pluck(), 57)


@pytest.mark.parametrize(
    "text",
    ["brighter", "darker", "softer attack", "more sustain", "longer", "shorter", "noisier", "more vibrato", "tremolo",
     "louder", "quieter", "sweeping"],
)  # fmt: skip
def test_a_recording_becomes_what_is_asked(target: Target, text: str) -> None:
    (wish,) = read_words(text).wishes
    sound, done, refused = change(target, [wish])
    assert not refused
    before, after = (
        graded(wish.quantity, getattr(sound_of(one, target.note), wish.quantity)) for one in (target.audio, sound)
    )
    moved = wish.way * (after - before)
    assert 0.4 * STEPS[wish.quantity] <= moved <= 1.6 * STEPS[wish.quantity]
    assert done[0].wanted == pytest.approx(getattr(sound_of(sound, target.note), wish.quantity))
    assert sound.peak > 0.01
    assert np.isfinite(sound.samples).all()


def test_what_cannot_be_done_is_told(target: Target) -> None:
    words = changed(target, "brighter, wider, glorp").words
    assert words is not None
    assert [one.wish.word for one in words.changes] == ["brighter"]
    assert "'wider' cannot be made of a recording" in words.warning
    assert "'glorp'" in words.warning
    with pytest.raises(InputError, match="changes nothing that is heard"):
        changed(target, "quicker attack")


def test_order_by_contour_is_order_by_ear() -> None:
    sounds = [pluck(decay=1.0), pluck(decay=12.0), pluck(decay=1.0, hertz=880.0)]
    coarse = contour_qualities(np.stack([contour(one.mono, RATE) for one in sounds]).reshape(3, -1, BANDS))
    exact = [sound_of(one, Note(57, hold=1.0, total=1.2)) for one in sounds]
    for quantity in ("brightness", "held", "length"):
        fine = [getattr(sound, quantity) for sound in exact]
        for a, b in ((0, 1), (0, 2)):
            if abs(graded(quantity, fine[a]) - graded(quantity, fine[b])) > 4.0:
                assert (coarse[quantity][a] < coarse[quantity][b]) == (fine[a] < fine[b]), quantity
    assert 0.5 < coarse["brightness"][0] / exact[0].brightness < 2.0


def test_a_wish_hears_what_has_more_of_it_as_nearer() -> None:
    note = Note(57, hold=1.0, total=2.5)
    ear = WishEar([Wish("short", "length", -1), Wish("dying", "held", -1)], note)
    short, long = (ear.of(pluck(2.5, decay)) for decay in (20.0, 0.5))
    assert short.distance < long.distance
    assert math.isinf(ear.of(Audio(np.zeros(4410), RATE)).distance)
    shares = ear.scores(pluck(2.5, 20.0))
    assert shares["short"] > 0.75
    assert ear.verdict(shares) in ("as asked", "1 of 2 as asked: short")


def test_words_alone_are_played_at_the_key_they_name() -> None:
    assert described("short bright bass", by="descriptors").note.pitch == 36
    assert described("short bright bass", 50.0, by="descriptors").note.pitch == 50
    target = described("dark pad", by="descriptors")
    assert not target.audible
    assert (target.note.pitch, target.name) == (60, "dark pad")
    with pytest.raises(InputError, match="how it is played"):
        described("louder", by="descriptors")
