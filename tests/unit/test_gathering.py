"""A library made of rendered corpora is the library that rendering anew would have made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from menura.datasets.corpus import Corpus
from menura.datasets.plan import plan_of
from menura.datasets.rendering import render_corpus
from menura.datasets.sampling import draw_preset, sampler_of
from menura.errors import CorpusError, InputError
from menura.features.embedders.timbre import timbre_network
from menura.library import library as libraries
from menura.library.building import Draft, fill
from menura.library.card import Card
from menura.library.gathering import gather
from menura.library.library import Library, default_folder, packaged_folder
from menura.library.listening import Ear, note_of
from menura.library.segment import decoded
from menura.note import Note
from menura.synths.registry import synth_of

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")

TOY = synth_of("toy")
PITCHES = (48.0, 60.0)
NOTES = (*(note_of(pitch) for pitch in PITCHES), Note(67.0, 0.5, 0.4, 1.5))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_networks import save_timbre

    torch.manual_seed(0)
    save_timbre(tmp_path_factory.mktemp("weights") / "timbre")
    return next(tmp_path_factory.getbasetemp().glob("weights*")) / "timbre"


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> list[Corpus]:
    found = []
    for seed in (0, 1):
        out = str(tmp_path_factory.mktemp("corpora") / str(seed))
        plan = plan_of(16, "uniform", "toy", seed=seed, notes=NOTES, embedders=("semitones/flat", "contour"))
        render_corpus(plan, out, workers=1)
        found.append(Corpus(out))
    return found


def made_of(folder: Path, corpora: list[Corpus], weights: Path) -> Library:
    made = Library(folder, Card.of(TOY, PITCHES, Ear(f"timbre={weights}", "contour")))
    assert gather(made, corpora, timbre_network(weights)[0]) == 16 * len(corpora)
    return Library.open(folder)


def test_it_is_the_library_that_rendering_anew_would_have_made(
    corpora: list[Corpus], weights: Path, tmp_path: Path
) -> None:
    gathered = made_of(tmp_path / "gathered", corpora, weights)
    sampler = sampler_of("uniform", TOY)
    drafts = (Draft(draw_preset(sampler, TOY, seed, index)) for seed in (0, 1) for index in range(16))
    filled = Library(tmp_path / "filled", gathered.card)
    fill(filled, drafts, workers=1)
    assert len(gathered) == len(filled) == 32
    compared = 0
    for number in range(len(filled)):
        if gathered.preset(number).values != filled.preset(number).values:
            continue  # a draw that a corpus replaced, since it was silent at the third note
        compared += 1
        place, other = gathered.segments[number // 16], filled.segments[0]
        for note in range(2):
            for one, same, within in ((place.fast, other.fast, 0.02), (place.close, other.close, 0.6)):
                found, wanted = decoded(one[number % 16, note]), decoded(same[number, note])
                np.testing.assert_allclose(found, wanted, atol=within)
    assert compared >= 24
    sound = TOY.render(gathered.preset(20), note_of(55.0))
    assert 20 in [hit.number for hit in gathered.search(sound, 55.0, 3)]


def test_what_was_gathered_is_not_gathered_again(corpora: list[Corpus], weights: Path, tmp_path: Path) -> None:
    library = made_of(tmp_path, corpora[:1], weights)
    assert gather(library, corpora, timbre_network(weights)[0]) == 32
    assert [segment.count for segment in Library.open(tmp_path).segments] == [16, 16]
    library.check()
    (library.folder / "segments" / "00001" / "patches.jsonl.xz").write_bytes(b"broken")
    with pytest.raises(InputError, match="damaged"):
        Library.open(tmp_path).preset(20)


def test_a_corpus_that_lacks_something_is_refused(corpora: list[Corpus], weights: Path, tmp_path: Path) -> None:
    network = timbre_network(weights)[0]
    ear = Ear(f"timbre={weights}", "contour")
    with pytest.raises(CorpusError, match=r"not \[72\.0\]; give corpora"):
        gather(Library(tmp_path, Card.of(TOY, (60.0, 72.0), ear)), corpora, network)
    with pytest.raises(CorpusError, match="keeps no mel128"):
        gather(Library(tmp_path, Card.of(TOY, PITCHES, Ear("mel128", "contour"))), corpora, network)
    assert not any(tmp_path.iterdir())


def test_the_packages_library_is_taken_where_the_user_has_none(
    corpora: list[Corpus], weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MENURA_LIBRARY", raising=False)
    monkeypatch.setattr(libraries, "PACKAGED", tmp_path / "package")
    brought = made_of(packaged_folder("toy"), corpora, weights)
    files = sorted(brought.folder.rglob("*"))
    library = Library.default("toy")
    assert library.folder == brought.folder
    assert library.search(TOY.render(library.preset(5), note_of(60.0)), 60.0, 1)[0].number == 5
    assert sorted(brought.folder.rglob("*")) == files, "the package was written to"
    assert list((tmp_path / "cache").rglob("*.faiss"))
    own = made_of(default_folder("toy"), corpora[:1], weights)
    assert Library.default("toy").folder == own.folder
