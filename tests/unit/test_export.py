"""Results as files: whole or not at all, never over someone's work, and telling how they were made."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.audio import Audio, read_audio
from menura.errors import OutputError
from menura.export import RunFacts, export_matches, file_name, install, plain
from menura.features.pitch import NoteEstimate, estimate_note
from menura.matching.match import Match
from menura.matching.target import Target
from menura.note import Note
from menura.synths.registry import synth_of

NOTE = Note(45, hold=0.4, total=0.6)


@pytest.fixture(scope="module")
def matches() -> list[Match]:
    synth = synth_of("vital")
    made: list[Match] = []
    for number in range(3):
        preset = synth.freeze(synth.init().with_values(osc_1_transpose=float(-number)))
        made.append(
            Match(
                preset=preset,
                audio=synth.render(preset, NOTE),
                note=NOTE,
                distance=1.0 + number,
                scores={"mss": 1.5 + number, "rms": 0.99, "f0": float("nan")},
                lineage=("resynthesis", "refine"),
                verdict="very close",
                seed=7,
                versions={"menura": "0", "engine": synth.version},
            )
        )
    return made


@pytest.fixture(scope="module")
def target() -> Target:
    at = np.arange(round(0.6 * 44_100)) / 44_100
    audio = Audio((0.5 * np.sin(2 * np.pi * 110 * at)).astype(np.float32)[None], 44_100)
    estimate: NoteEstimate = estimate_note(audio, pitch=45.0)
    return Target(audio, NOTE, estimate, 'Cello <b>"x"</b>')


def snapshot(folder: Path) -> dict[str, str]:
    """Every file below a folder with its hash."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_everything_is_there_and_says_how_it_was_made(matches: list[Match], target: Target, tmp_path: Path) -> None:
    run = RunFacts(renders=41, seconds=3.5, stopped_by="renders", limits={"renders": 41, "seconds": 60.0})
    paths = export_matches(matches, target, tmp_path / "new" / "out", run=run)
    folder = tmp_path / "new" / "out"
    stems = [f"0{n}-cello-b-x-b" for n in (1, 2, 3)]
    assert [path.name for path in paths[:3]] == [f"{stem}.vital" for stem in stems]
    assert {path.name for path in folder.iterdir()} == {
        *(f"{stem}{ending}" for stem in stems for ending in (".vital", ".wav", ".card.json")),
        "report.html",
        "card.json",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["new"]  # no temporary folder stays
    assert [path.name for path in folder.parent.iterdir()] == ["out"]

    synth = synth_of("vital")
    for match, path in zip(matches, paths, strict=False):
        back = synth.read(path)
        assert back.values == match.preset.values
        assert back.blocks["author"] == "menura"
        for word in ("Cello", f"Distance {match.distance:.2f}", "resynthesis, refine", "Seed 7", "A2"):
            assert word in back.blocks["comments"]
        sound = read_audio(path.with_suffix(".wav"))
        assert np.array_equal(sound.samples, match.audio.samples)
        assert np.abs(synth.render(back, NOTE).samples - sound.samples).max() <= 1e-6

    card = json.loads((folder / "card.json").read_text())
    own = snapshot(folder)
    assert card["files"] == {name: digest for name, digest in own.items() if name != "card.json"}
    assert card["budget"] == {"limits": {"renders": 41, "seconds": 60.0}, "renders": 41, "seconds": 3.5} | {
        "stopped_by": "renders"
    }
    first = json.loads((folder / f"{stems[0]}.card.json").read_text())
    assert first["scores"] == {"mss": 1.5, "rms": 0.99, "f0": None}
    assert first["note"] == {"pitch": 45, "velocity": 0.8, "hold": 0.4, "total": 0.6, "name": "A2"}
    assert first["files"]["preset"]["sha256"] == own[f"{stems[0]}.vital"]
    assert first["versions"]["engine"] == synth.version
    assert (folder / "report.html").stat().st_size < 5_000_000


def test_nothing_is_overwritten_without_force(matches: list[Match], target: Target, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export_matches(matches, target, folder)
    (folder / "mine.txt").write_text("mine")
    before = snapshot(folder)
    with pytest.raises(OutputError, match="--force"):
        export_matches(matches[:1], target, folder)
    assert snapshot(folder) == before


def test_force_replaces_the_earlier_run_and_nothing_else(matches: list[Match], target: Target, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export_matches(matches, target, folder)
    (folder / "mine.txt").write_text("mine")
    (folder / "03-cello-b-x-b.vital").write_text("edited since: no longer ours")
    export_matches(matches[1:2], target, folder, force=True)
    assert {path.name for path in folder.iterdir()} == {
        "01-cello-b-x-b.vital",
        "01-cello-b-x-b.wav",
        "01-cello-b-x-b.card.json",
        "03-cello-b-x-b.vital",
        "report.html",
        "card.json",
        "mine.txt",
    }
    assert json.loads((folder / "card.json").read_text())["matches"][0]["distance"] == 2.0


def test_a_card_that_lists_foreign_files_takes_none_away(matches: list[Match], target: Target, tmp_path: Path) -> None:
    outside = tmp_path / "precious.txt"
    outside.write_text("precious")
    folder = tmp_path / "out"
    folder.mkdir()
    listed = {"../precious.txt": hashlib.sha256(b"precious").hexdigest(), str(outside): "x"}
    (folder / "card.json").write_text(json.dumps({"files": listed}))
    export_matches(matches[:1], target, folder, force=True)
    assert outside.read_text() == "precious"


def test_a_full_disk_leaves_no_half(matches: list[Match], target: Target, tmp_path: Path) -> None:
    """A limit on file size makes the system refuse mid-way, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    kept = tmp_path / "kept"
    export_matches(matches[:1], target, kept)
    before = snapshot(kept)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        with pytest.raises(OutputError):
            export_matches(matches, target, tmp_path / "fresh")
        with pytest.raises(OutputError):
            export_matches(matches[1:], target, kept, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert snapshot(kept) == before
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_read_only_folder_is_refused(matches: list[Match], target: Target, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        place = Path("/proc/menura-cannot-be-made")  # permissions do not bind root, but nothing can be made here
    else:
        (tmp_path / "locked").mkdir(mode=0o500)
        place = tmp_path / "locked" / "out"
    with pytest.raises(OutputError, match="choose another"):
        export_matches(matches, target, place)


def test_a_file_where_the_folder_should_be(matches: list[Match], target: Target, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("text")
    with pytest.raises(OutputError, match="is a file"):
        export_matches(matches, target, tmp_path / "taken", force=True)


def test_no_matches_still_make_a_whole_report(target: Target, tmp_path: Path) -> None:
    paths = export_matches([], target, tmp_path / "out")
    assert [path.name for path in paths] == ["report.html", "card.json"]


def test_a_sound_above_full_scale_is_kept_as_it_is(matches: list[Match], target: Target, tmp_path: Path) -> None:
    loud = replace(matches[0], audio=Audio(matches[0].audio.samples * 20, 44_100))
    paths = export_matches([loud], target, tmp_path / "out")
    assert np.array_equal(read_audio(paths[1]).samples, loud.audio.samples)


def test_installing_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "Presets"
    monkeypatch.setenv("MENURA_VITAL_PRESETS", str(place))
    source = tmp_path / "01-a.vital"
    source.write_bytes(b"one")
    assert install([source]) == [place / "menura" / "01-a.vital"]
    assert install([source]) == [place / "menura" / "01-a.vital"]
    source.write_bytes(b"two")
    assert install([source]) == [place / "menura" / "01-a 2.vital"]
    assert (place / "menura" / "01-a.vital").read_bytes() == b"one"
    with pytest.raises(OutputError, match="not installed"):
        install([tmp_path / "absent.vital"])


@given(st.text())
def test_names_are_plain(name: str) -> None:
    made = file_name(name)
    assert made
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(made) <= 60


def test_cards_hold_plain_values() -> None:
    assert plain({"a": np.float32(0.5), "b": (1, float("inf")), 3: [np.int64(2)]}) == {
        "a": 0.5,
        "b": [1, None],
        "3": [2],
    }
