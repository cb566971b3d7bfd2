"""Matches to words: the real engine answers brighter to "bright", and CLAP's two sides meet on random weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from menura.audio import Audio, write_audio
from menura.cli.app import run as command
from menura.datasets.sampling import draw_preset, sampler_of
from menura.errors import InputError
from menura.features.contour import BANDS, contour_qualities
from menura.features.embedders.clap_text import TEXT_WEIGHTS, clap_is_here, open_clap
from menura.features.qualities import Sound, sound_of
from menura.library.building import Draft, fill
from menura.library.card import Card
from menura.library.library import Library
from menura.library.listening import Ear
from menura.matching.audition import Audition
from menura.matching.budget import Budget
from menura.matching.match import Match
from menura.matching.matcher import Matcher
from menura.matching.words.recall import Recall
from menura.matching.words.words import described
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

RATE = 44_100
TOY = synth_of("toy")


@pytest.fixture(scope="module")
def pools() -> Iterator[tuple[RenderPool, RenderPool]]:
    with RenderPool("vital", workers=2) as fast, RenderPool("vital", workers=1, mode="exact") as exact:
        yield fast, exact


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    made = Library(tmp_path_factory.mktemp("words") / "toy", Card.of(TOY, (36.0, 60.0), Ear("mel128", "contour")))
    sampler = sampler_of("uniform", TOY)
    fill(made, (Draft(draw_preset(sampler, TOY, 0, index)) for index in range(60)), workers=2)
    return made


def heard(match: Match) -> Sound:
    return sound_of(match.audio, match.note)


def test_the_answer_to_bright_is_brighter_than_to_dark(pools: tuple[RenderPool, RenderPool]) -> None:
    matcher = Matcher("vital", [Recall(share=1.0), Audition()], pools=pools)
    best = {
        text: matcher.match(described(text, by="descriptors"), top=1, budget=Budget(14, 300.0))[0]
        for text in ("bright", "dark", "long sustained", "short dying")
    }
    bright, dark, long, short = (heard(match) for match in best.values())
    assert bright.brightness > 1.5 * dark.brightness
    assert long.length > 1.3 * short.length
    assert long.held > short.held + 6.0
    assert best["bright"].scores["bright"] > best["bright"].distance / 10.0
    assert best["bright"].lineage == ("start:drawn",)


def test_a_sound_and_brighter_give_a_brighter_answer(pools: tuple[RenderPool, RenderPool]) -> None:
    from menura.matching.tracks import stages_for, target_of

    at = np.arange(round(0.6 * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 220 * n * at) / n**1.5 for n in range(1, 16)) * np.exp(-4 * at)
    sound = Audio((0.2 * np.asarray(tone)).astype(np.float32), RATE)
    found: dict[str, Match] = {}
    for text in ("", "brighter, longer"):
        target = target_of(sound, text, note=57)
        matcher = Matcher("vital", stages_for(target, "any", synth_of("vital")), pools=pools)
        found[text] = matcher.match(target, top=1, budget=Budget(8, 300.0))[0]
    plain, asked = (heard(match) for match in found.values())
    assert asked.brightness > 1.2 * plain.brightness
    assert asked.length > 1.4 * plain.length
    scores = found["brighter, longer"].scores
    assert scores["brighter"] == pytest.approx(1.0, abs=0.35)
    assert scores["mss"] < 4.0


def test_a_library_is_asked_by_what_it_heard(library: Library) -> None:
    _, rows = library.heard_at(60.0)
    qualities = contour_qualities(rows.reshape(len(rows), -1, BANDS))
    for text, quantity, way in (("bright", "brightness", 1), ("dying", "held", -1)):
        matcher = Matcher(TOY, [Recall(library, share=1.0), Audition()], workers=1)
        budget = Budget(12, 300.0)
        target = described(text, 60.0, by="descriptors")
        events = list(matcher.stream(target, budget=budget, top=3))
        numbers = {
            int(m.lineage[0].split(":")[1]) for event in events for m in getattr(event, "matches", ())
        }  # fmt: skip
        chosen = np.mean(qualities[quantity][list(numbers)])
        assert way * chosen > way * np.mean(qualities[quantity])


def test_stay_near_and_lock_hold_for_words_too(library: Library) -> None:
    base = library.preset(5)
    locked = sorted(base.values)[0]
    matcher = Matcher(TOY, [Recall(library), Audition()], workers=1)
    match = matcher.match(described("bright", by="descriptors"), near=base, lock=[locked], budget=Budget(12, 300.0))[0]
    assert match.lineage[0] in ("near", "start:near")
    assert match.preset.values[locked] == base.values[locked]


def test_another_synths_library_is_refused(library: Library) -> None:
    matcher = Matcher("vital", [Recall(library)], workers=1)
    with pytest.raises(InputError, match="patches of toy, not of vital"):
        matcher.match(described("bright", by="descriptors"), budget=Budget(4, 60.0))


def test_both_sides_of_clap_meet(library: Library, tiny_networks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENURA_EMBEDDERS", str(tiny_networks))
    assert clap_is_here()
    clap = open_clap(fetch=False)
    texts = clap.texts(["warm plucked bass", "a bell"])
    assert texts.shape == (2, 16)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1.0, atol=1e-5)
    assert not np.allclose(texts[0], texts[1])
    assert np.array_equal(clap.texts(["a bell"])[0], texts[1])
    with pytest.raises(InputError, match="a text is empty"):
        clap.texts([" "])
    target = described("warm plucked bass")
    assert target.words is not None
    assert target.words.by == "clap"
    assert target.note.pitch == 36
    matches = Matcher(TOY, [Recall(library, share=1.0), Audition()], workers=1).match(target, budget=Budget(10, 300.0))
    for match in matches:
        cosine = float(clap.sounds([match.audio])[0] @ texts[0])
        assert match.distance == pytest.approx(10.0 * (1.0 - cosine), abs=1e-4)
        assert match.scores == {"clap": pytest.approx(cosine, abs=1e-5)}
    assert [match.distance for match in matches] == sorted(match.distance for match in matches)
    assert described("qwertyuiop").words is not None  # what our own words do not know, CLAP may
    assert replace(target, words=None).audible


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without weights and libraries."""
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    for name in ("MENURA_EMBEDDERS", "MENURA_LIBRARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_missing_weights_are_told_and_never_fetched(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed: pip install -e '.[reference]'")
    assert not clap_is_here()
    assert command(["match", "--text", "bright", "--text-by", "clap", "--out", "x"]) == 1
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    for word in ("weights are not here", "776 MB", "vocab.json", TEXT_WEIGHTS.source, "--fetch"):
        assert word in told
    assert list(bare.iterdir()) == []
    target = described("bright")
    assert target.words is not None
    assert target.words.by == "descriptors"


def test_the_command_answers_words(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--synth", "toy", "--renders", "16", "--top", "2", "--seconds", "300", "--workers", "1"]
    assert command(["match", "--text", "short bright glorp", *arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert "'glorp'" in err
    assert "no library of toy" in err
    told = json.loads(out)
    assert told["words"]["answered_by"] == "descriptors"
    assert set(told["matches"][0]["scores"]) == {"short", "bright"}
    folder = bare / "short-bright-glorp-menura"
    card = json.loads((folder / "card.json").read_text())
    assert card["words"]["text"] == "short bright glorp"
    assert card["track"] == "words"
    report = (folder / "report.html").read_text()
    assert "menura&#x27;s own descriptors (short, bright)" in report
    assert "“bright”" in report


def test_bad_words_are_refused_before_the_work(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_audio(bare / "a.wav", Audio(0.1 * np.sin(np.arange(RATE) * 0.05), RATE))
    for arguments, said in (
        ([], "give a sound, or words"),
        (["--text", "glorp", "--text-by", "descriptors"], "known are"),
        (["--text", "bright dark", "--text-by", "descriptors"], "opposite things"),
        (["a.wav", "--text", "bass"], "bass"),
        (["a.wav", "--text", "brighter", "--text-by", "clap"], "words without a sound"),
        (["--fetch", "a.wav"], "--fetch"),
        (["--text-by", "clap", "a.wav"], "--text-by"),
    ):
        assert command(["match", *arguments, "--out", "x"]) == 2
        told = capsys.readouterr().err
        assert said in told
        assert len(told.splitlines()) == 1, told
        assert not (bare / "x").exists()
