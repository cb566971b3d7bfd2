"""A library finds the patch that made a sound, survives being killed, and refuses what it cannot compare."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from conftest import AsNobody
from menura.audio import Audio, write_audio
from menura.cli.app import run as command
from menura.datasets.sampling import draw_preset, sampler_of
from menura.errors import AudioError, InputError
from menura.events import Proposed
from menura.library import building
from menura.library.building import Draft, fill, user_presets
from menura.library.card import Card
from menura.library.library import Library
from menura.library.listening import Ear, note_of
from menura.library.packing import Parts, pack, unpack
from menura.library.segment import decoded, encoded
from menura.matching.audition import Audition
from menura.matching.budget import Budget
from menura.matching.matcher import Matcher
from menura.matching.retrieve import Retrieve
from menura.synths.registry import synth_of

TOY = synth_of("toy")
EAR = Ear("mel128", "contour")
NOTES = (48.0, 60.0)


def drafts(count: int, seed: int = 0) -> Iterator[Draft]:
    sampler = sampler_of("uniform", TOY)
    return (Draft(draw_preset(sampler, TOY, seed, index)) for index in range(count))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    made = Library(tmp_path_factory.mktemp("library") / "toy", Card.of(TOY, NOTES, EAR))
    fill(made, drafts(60), "uniform", workers=2)
    return Library.open(made.folder)


def test_it_finds_the_patch_that_made_a_sound(library: Library) -> None:
    found = 0
    for number in range(0, len(library), 5):
        sound = TOY.render(library.preset(number), note_of(55.0))
        hits = library.search(Audio(0.2 * sound.samples, sound.sample_rate), 55.0, 3, candidates=20)
        assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
        assert hits[0].note == 60.0
        found += number in [hit.number for hit in hits]
    assert found >= 0.75 * len(range(0, len(library), 5))


def test_embeddings_take_a_byte_a_number(rng: np.random.Generator) -> None:
    vectors = rng.standard_normal((5, 2, 32)) * np.geomspace(1e-3, 1e3, 10).reshape(5, 2, 1)
    vectors[4] = 0.0
    codes = encoded(vectors)
    assert codes.dtype.itemsize == 32 + 4
    error = np.abs(decoded(codes) - vectors).max(axis=-1)
    assert (error <= np.abs(vectors).max(axis=-1) / 253.0).all()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_one_that_cannot_be_written_is_searched(library: Library, public_folder: Path, as_nobody: AsNobody) -> None:
    shutil.copytree(library.folder, public_folder / "toy", ignore=shutil.ignore_patterns("index"))
    for path in public_folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    with as_nobody():
        hit = Library.open(public_folder / "toy").search(TOY.render(library.preset(3), note_of(48.0)), 48.0, 1)[0]
    assert hit.number == 3
    assert not (public_folder / "toy" / "index").exists()
    (public_folder / "toy").chmod(0o755)


def test_the_key_chooses_the_note(library: Library) -> None:
    sound = TOY.render(library.preset(3), note_of(48.0))
    hit = library.search(sound, 48.0, 1)[0]
    assert (hit.number, hit.note) == (3, 48.0)
    assert hit.distance < 70.0 / 254.0  # what a byte a number leaves of 70 dB


def test_a_build_goes_on_where_it_was_and_does_not_depend_on_workers(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "AT_ONCE", 16)
    whole = Library(tmp_path / "whole", Card.of(TOY, NOTES, EAR))
    fill(whole, drafts(60), "uniform", workers=1)
    parted = Library(tmp_path / "parted", Card.of(TOY, NOTES, EAR))

    def broken_off() -> Iterator[Draft]:
        yield from islice(drafts(60), 40)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(parted, broken_off(), "uniform", workers=2)
    again = Library.open(parted.folder)
    assert 0 < len(again) < len(whole)
    done = fill(again, drafts(60), "uniform", workers=2)
    assert done.read == 60
    assert [segment.sha256 for segment in again.segments] == [segment.sha256 for segment in whole.segments]
    assert fill(again, drafts(60), "uniform", workers=1).added == 0
    assert np.array_equal(np.concatenate([s.fast for s in whole.segments]), library.segments[0].fast)


def test_presets_come_back_whole(library: Library, tmp_path: Path) -> None:
    original = [draft.preset for draft in drafts(60)]
    assert all(library.preset(number) in original for number in range(len(library)))
    vital = synth_of("vital")
    preset = draw_preset(sampler_of("human", vital), vital, 0, 5)
    parts = Parts(tmp_path / "parts")
    line = json.loads(json.dumps(pack(preset, vital.init(), parts)))
    assert unpack(line, vital.init(), Parts(tmp_path / "parts")) == preset
    assert len(json.dumps(line)) < 20_000


def test_a_users_folder_is_added_once_and_named(library: Library, tmp_path: Path) -> None:
    own = Library(tmp_path / "own", library.card)
    own.save()
    folder = tmp_path / "presets" / "deep"
    folder.mkdir(parents=True)
    for index in range(3):
        (folder / f"mine {index}.toy").write_bytes(TOY.write(library.preset(index)))
    (folder / "broken.toy").write_bytes(b"{")
    for wanted in (3, 0):
        found = list(user_presets(own, tmp_path / "presets"))
        assert [one.split(": ")[0] for one in found if isinstance(one, str)] == [str(folder / "broken.toy")]
        assert fill(own, (one for one in found if isinstance(one, Draft)), workers=1).added == wanted
    hit = own.search(TOY.render(own.preset(1), note_of(60.0)), 60.0, 1)[0]
    assert hit.path == str((folder / "mine 1.toy").resolve())


def test_damage_and_other_makes_are_refused(library: Library, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no library"):
        Library.open(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(library.folder, copy)
    shutil.rmtree(copy / "index", ignore_errors=True)
    card = json.loads((copy / "library.json").read_text())

    def rewritten(**changes: object) -> Path:
        (copy / "library.json").write_text(json.dumps({**card, **changes}))
        return copy

    with pytest.raises(InputError, match="other weights"):
        Library.open(rewritten(fingerprints=["0", "1"]))
    with pytest.raises(InputError, match="another version of toy's parameters"):
        Library.open(rewritten(space="f00"))
    with pytest.raises(InputError, match="format 0"):
        Library.open(rewritten(format=0))
    with pytest.raises(InputError, match="is damaged"):
        Library.open(rewritten(segments=[{}]))
    damaged = Library.open(rewritten())
    (copy / "segments" / "00000" / "close.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match=r"close\.npy is missing or damaged"):
        damaged.check()
    with pytest.raises(InputError, match=r"close\.npy is missing or damaged"):
        damaged.search(TOY.render(TOY.init(), note_of(60.0)), 60.0)
    with pytest.raises(AudioError, match="silent"):
        library.search(Audio(np.zeros(44_100, np.float32), 44_100), 60.0)
    with pytest.raises(InputError, match="has no patches"):
        Library(tmp_path / "none", library.card).search(TOY.render(TOY.init()), 60.0)


def test_a_match_starts_from_its_hits(library: Library) -> None:
    target = TOY.render(library.preset(7), note_of(57.0))
    proposed = 0
    matches = []
    matcher = Matcher(TOY, [Retrieve(library, share=1.0), Audition()], workers=1)
    for event in matcher.stream(target, note=57.0, budget=Budget(12, 60.0)):
        proposed += event.count if isinstance(event, Proposed) else 0
        matches = getattr(event, "matches", matches)
    assert 0 < proposed <= 12
    assert matches[0].lineage[0] == "library:7"
    assert matches[0].scores["mss"] < 0.5


def test_the_command_builds_adds_searches_and_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path / "lib")

    def run(*words: str) -> tuple[int, str]:
        code = command(list(words))
        return code, capsys.readouterr().out

    build = ("library", "build", "--out", folder, "--synth", "toy", "--prior", "uniform", "--notes", "C4")
    assert run(*build, "--count", "4")[0] == 0
    code, out = run(*build, "--count", "6", "--json")
    assert (code, json.loads(out)["added"]) == (0, 2)
    sound = tmp_path / "sound.wav"
    write_audio(sound, TOY.render(Library.open(folder).preset(2), note_of(60.0)))
    code, out = run(
        "library", "search", folder, str(sound), "--note", "C4", "-n", "2", "--json", "--out", folder + "-hits"
    )
    assert (code, json.loads(out)["hits"][0]["number"]) == (0, 2)
    assert len(list(Path(folder + "-hits").glob("*.toy"))) == 2
    code, out = run("library", "info", folder, "--check", "--json")
    assert (code, json.loads(out)["patches"]) == (0, 6)
    monkeypatch.setenv("MENURA_LIBRARY", folder)
    code, out = run("library", "search", str(sound), "--synth", "toy", "-n", "1", "--json")
    assert (code, json.loads(out)["hits"][0]["number"]) == (0, 2)
    assert run("library", "search", folder, str(sound), str(sound))[0] == 2
    assert json.loads(run("library", "info", "--synth", "toy", "--json")[1])["folder"] == folder
    assert run(*build, "--fast", "mfcc40")[0] == 2
    assert run("library", "search", str(tmp_path), str(sound))[0] == 2
    assert run("library", "add", folder, str(tmp_path / "nowhere"))[0] == 2
