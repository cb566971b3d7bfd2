"""Pairs of notes of one instrument."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from menura.datasets.item import Item
from menura.datasets.pairs import articulation, pairs_of
from menura.datasets.sets import load_set


def step(pair: Item) -> float:
    """Semitones from what is heard to what is judged."""
    assert pair.pitch is not None
    assert pair.judged_pitch is not None
    return pair.judged_pitch - pair.pitch


def item(name, pitch, **more):
    return Item(id=name, sound=Path(name), pitch=pitch, source=more.pop("source", "cello"), **more)


@pytest.mark.parametrize(
    ("name", "pitch", "how"),
    [
        ("arco_g1_mf_up.flac", 31, "arco_*_mf_up"),
        ("Samples__eb2_vl4_rr1.flac", 51, "Samples__*_vl4_rr1"),
        ("samples__D#2vL.flac", 39, "samples__*vL"),
        ("Samples__blackheart__Gb3.flac", 66, "Samples__blackheart__*"),
        ("bass_synthetic_068-049-025", 49, "bass_synthetic_068-*-025"),
        ("noise.flac", 60, "noise"),
    ],
)
def test_how_a_note_is_played_is_its_name_without_the_key(name, pitch, how):
    assert articulation(item(name, pitch)) == how


def test_a_stated_articulation_wins():
    assert articulation(item("a_c4.wav", 60, articulation="legato")) == "legato"


def test_layers_strokes_and_sources_are_not_mixed():
    items = [item("c4_f.wav", 60), item("e4_p.wav", 64), item("g4_f.wav", 67, source="viola"),
             item("a4_f.wav", 69, category="plucked")]  # fmt: skip
    assert pairs_of(items) == ()
    (pair,) = pairs_of([*items, item("d4_f.wav", 62)])
    assert {pair.sound, pair.judged} == {Path("c4_f.wav"), Path("d4_f.wav")}


def test_a_pair_is_told_one_pitch_and_judged_at_the_other():
    (pair,) = pairs_of([item("c4.wav", 60.0), item("g4.wav", 67.0)])
    assert {pair.pitch, pair.judged_pitch} == {60.0, 67.0}
    assert pair.sound == Path("c4.wav" if pair.pitch == 60.0 else "g4.wav")
    assert pair.judged == Path("g4.wav" if pair.pitch == 60.0 else "c4.wav")
    assert pair.id in ("c4 to g4", "g4 to c4")


def test_notes_too_near_too_far_unknown_or_broken_make_no_pair():
    assert pairs_of([item("c4.wav", 60.0), item("c#4.wav", 60.5), item("c6.wav", 84.0), item("d4.wav", None)]) == ()
    assert pairs_of([item("c4.wav", 60.0), item("d4.wav", 62.0, error="gone")]) == ()


def test_directions_are_balanced_and_the_choice_is_even():
    keys = ["c", "db", "d", "eb", "e", "f", "gb", "g", "ab", "a", "bb", "b"]
    items = [item(f"{key}4.wav", 60.0 + number) for number, key in enumerate(keys)]
    pairs = pairs_of(items, per_source=6)
    assert len(pairs) == 6
    assert sum(step(pair) > 0 for pair in pairs) == 3
    # Twelve notes are enough for six pairs that share none.
    assert max(Counter(path for pair in pairs for path in (pair.sound, pair.judged)).values()) == 1


def test_the_choice_depends_on_the_seed_and_not_on_the_order():
    keys = list(enumerate(["c", "db", "d", "eb", "e", "f", "gb", "g"]))
    items = [item(f"{key}{octave}.wav", 60.0 + 12 * octave + number) for octave in range(2) for number, key in keys]
    first = {pair.id for pair in pairs_of(items, seed=0)}
    assert {pair.id for pair in pairs_of(items[::-1], seed=0)} == first
    assert any({pair.id for pair in pairs_of(items, seed=seed)} != first for seed in range(1, 4))


def test_the_recordings_have_enough_pairs(shared_data, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(repository)
    found = load_set("real-pairs", folder=tmp_path, synth="toy")
    sources = Counter(pair.source for pair in found.items)
    assert len(found.items) >= 40
    assert len(sources) >= 8
    assert max(sources.values()) <= 5
    assert len({pair.key for pair in found.items}) == len(found.items)
    assert all(1 <= abs(step(pair)) <= 12 for pair in found.items)
    assert all(
        pair.judged and pair.judged.is_file() and pair.judged != pair.sound and not pair.error for pair in found.items
    )
    ups = sum(step(pair) > 0 for pair in found.items)
    assert abs(2 * ups - len(found.items)) <= len(sources)
    again = load_set("real-pairs", folder=tmp_path, synth="toy", seed=7)
    assert again.items == found.items
