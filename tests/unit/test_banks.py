"""Preset banks: a fair choice, rendered once, everything left out counted."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.audio import read_audio
from menura.datasets.archive import Archive
from menura.datasets.item import SoundSet
from menura.datasets.sets import load_set
from menura.errors import ManifestError
from menura.note import Note
from menura.preset import Preset
from menura.storage import hash_file
from menura.synths.registry import synth_of

TOY = synth_of("toy")
Content = Preset | bytes


def patch(number: int, **values: float):
    """Presets that are far from each other in parameters and in sound."""
    rng = np.random.default_rng(number)
    drawn = {
        "wave": float(number % 3),
        "transpose": float(rng.integers(-24, 24)),
        "cutoff": float(rng.uniform(50, 130)),
        "filter_on": float(number % 2),
        "sustain": float(rng.uniform(0.2, 1.0)),
        "decay": float(rng.uniform(-3, 2)),
        "noise_level": float(rng.uniform(0, 1)),
    }
    return replace(TOY.init().with_values(**{**drawn, **values}), name=f"patch {number}")


def write(folder: Path, presets: Mapping[str, Content]) -> Path:
    for name, preset in presets.items():
        path = folder / f"{name}.toy"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(preset if isinstance(preset, bytes) else TOY.write(preset))
    return folder


@pytest.fixture
def bank(tmp_path):
    """Twelve patches of one author, two of another."""
    presets = {f"anna/p{number}": patch(number) for number in range(12)}
    presets |= {f"ben/q{number}": patch(100 + number) for number in range(2)}
    return write(tmp_path / "bank", presets)


def packed(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:xz") as tar:
        tar.add(folder, arcname="top")
    return path


def table(tmp_path, monkeypatch, **said):
    """Names a set "it" in a file of sets."""
    rows = "\n".join(f"{key} = {json.dumps(value)}" for key, value in said.items() if not isinstance(value, dict))
    tables = "\n".join(
        f"[it.{key}]\n" + "\n".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items())
        for key, value in said.items()
        if isinstance(value, dict)
    )
    (tmp_path / "sets.toml").write_text(f"[it]\n{rows}\n{tables}\n")
    monkeypatch.setenv("MENURA_SETS", str(tmp_path / "sets.toml"))
    return "it"


def load(name, folder, **more):
    return load_set(name, folder=folder, synth="toy", workers=1, **more)


def said(found: SoundSet, word: str) -> dict[str, Any]:
    told = found.origin[word]
    assert isinstance(told, dict)
    return told


def test_every_file_of_an_item_is_there_and_true(bank, tmp_path):
    found = load(bank, tmp_path / "run", limit=2)
    for item in found.items:
        assert item.preset
        assert item.original
        assert item.note
        frozen = TOY.read(item.preset)
        assert TOY.freeze(frozen) == frozen
        assert TOY.freeze(TOY.read(item.original)) == frozen
        assert item.original.read_bytes() == (bank / f"{item.id}.toy").read_bytes()
        sound = read_audio(item.sound)
        np.testing.assert_array_equal(sound.samples, TOY.render(frozen, item.note).samples)
        assert (item.sha256, item.pitch, item.note) == (hash_file(item.sound), 60.0, Note(60, 0.8, 1.0, 2.0))


def test_one_author_does_not_swamp_the_other(bank, tmp_path):
    found = load(bank, tmp_path / "run", limit=4)
    assert sorted(item.source for item in found.items) == ["anna", "anna", "ben", "ben"]


def test_a_tar_is_the_same_bank(bank, tmp_path):
    path = packed(bank, tmp_path / "bank.tar.xz")
    from_tar, from_folder = load(path, tmp_path / "a", limit=4), load(bank, tmp_path / "b", limit=4)
    assert [item.id for item in from_tar.items] == [item.id for item in from_folder.items]
    assert [item.sha256 for item in from_tar.items] == [item.sha256 for item in from_folder.items]


def test_a_limit_is_the_beginning_of_the_whole(bank, tmp_path):
    whole, few = load(bank, tmp_path / "a"), load(bank, tmp_path / "b", limit=5)
    assert [item.id for item in whole.items][:5] == [item.id for item in few.items]
    assert len(whole.items) + sum(said(whole, "left_out").values()) == 14


def test_the_seed_chooses(bank, tmp_path):
    choices = {
        tuple(item.id for item in load(bank, tmp_path / str(seed), limit=4, seed=seed).items) for seed in (1, 2, 3)
    }
    assert len(choices) > 1


def test_nothing_is_rendered_twice(bank, tmp_path, monkeypatch):
    run = tmp_path / "run"
    lines: list[str] = []
    first = load(bank, run, limit=3, tell=lines.append)
    assert lines == ["rendering 3 presets of toy"]
    lines.clear()
    assert load(bank, run, limit=3, tell=lines.append) == first
    assert lines == []
    # One more item costs one more render; a sound that was changed is made again.
    load(bank, run, limit=4, tell=lines.append)
    assert lines == ["rendering 1 presets of toy"]
    lines.clear()
    first.items[1].sound.write_bytes(b"RIFF")
    again = load(bank, run, limit=3, tell=lines.append)
    assert lines == ["rendering 1 presets of toy"]
    assert again == first
    assert hash_file(first.items[1].sound) == first.items[1].sha256


def test_an_index_that_was_cut_off_costs_what_it_lost(bank, tmp_path):
    run = tmp_path / "run"
    first = load(bank, run, limit=3)
    index = run / "made.jsonl"
    index.write_bytes(index.read_bytes()[:-400])
    assert load(bank, run, limit=3) == first
    assert load(bank, run, limit=3) == first


def test_twins_silence_and_wrecks_are_left_out_counted_and_replaced(tmp_path):
    twin = patch(0).with_values(sustain=patch(0).values["sustain"] * 0.99)
    presets: dict[str, Content] = {f"a/{number}": patch(number) for number in range(4)}
    presets |= {
        "a/twin": twin,
        "a/silent": patch(50, level=0.0, noise_level=0.0),
        "a/wreck": b"{",
        "a/crash": replace(patch(51), blocks={**patch(51).blocks, "fault": "crash"}),
    }
    found = load(write(tmp_path / "bank", presets), tmp_path / "run")
    assert found.origin["left_out"] == {"broken": 1, "failed": 1, "silent": 1, "twin in parameters": 1}
    assert len(found.items) == 4
    assert len({item.id for item in found.items} & {"a/0", "a/twin"}) == 1
    assert "crashed" in said(found, "examples")["failed"]
    assert not any(item.error for item in found.items)


def test_twins_in_sound_are_left_out(tmp_path):
    # A bypassed filter at another cutoff, and other knobs without effect: far apart on paper, the same to hear.
    one = patch(3, filter_on=0.0, wave=1.0)
    other = one.with_values(cutoff=8.0, wobble_rate=5.0)
    far = one.with_values(wave=0.0)
    where = write(
        tmp_path / "bank", {"a/one": one.with_values(cutoff=136.0, wobble_rate=-2.0), "a/other": other, "a/far": far}
    )
    found = load(where, tmp_path / "run")
    assert found.origin["left_out"] == {"twin in sound": 1}
    assert "a/far" in {item.id for item in found.items}


def test_twins_stay_where_asked(tmp_path, monkeypatch):
    write(tmp_path / "bank", {"a/one": patch(1), "a/two": patch(1).with_values(level=0.71)})
    name = table(tmp_path, monkeypatch, path="bank", kind="presets", twins=True)
    assert len(load(name, tmp_path / "run").items) == 2


def test_a_table_says_note_sources_licences_and_filters(bank, tmp_path, monkeypatch):
    name = table(
        tmp_path, monkeypatch, path="bank", kind="presets", note={"pitch": 36, "total": 1.5}, count=3,
        sources={"ben": "anna"}, licences={"anna": "CC0"}, where={"folder": "ben"},
    )  # fmt: skip
    found = load(name, tmp_path / "run")
    assert [item.source for item in found.items] == ["anna", "anna"]
    assert {item.licence for item in found.items} == {"CC0"}
    assert {item.note for item in found.items} == {Note(36, 0.8, 1.0, 1.5)}
    assert {item.id.split("/")[0] for item in found.items} == {"ben"}


def test_presets_in_a_manifest_state_their_own_notes(bank, tmp_path):
    rows = "file,midi_pitch,hold,total,category\nanna/p0.toy,36,0.5,1,bass\nben/q0.toy,,,,lead\nben/none.toy,,,,\n"
    (bank / "manifest.csv").write_text(rows)
    low, lead, missing = load(bank, tmp_path / "run").items
    assert (low.note, low.category) == (Note(36, 0.8, 0.5, 1.0), "bass")
    assert read_audio(low.sound).seconds == pytest.approx(1.0)
    assert (lead.note, lead.pitch) == (Note(), 60.0)
    assert missing.error


def test_a_preset_file_is_a_bank_of_one(bank, tmp_path):
    found = load(bank / "ben" / "q1.toy", tmp_path / "run")
    assert [item.id for item in found.items] == ["q1"]


def test_members_of_a_tar_are_not_trusted(tmp_path):
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("../outside.toy", "/etc/absolute.toy", "a/../../b.toy", "fine/ok.toy", "fine/._ok.toy"):
            data = TOY.write(patch(1))
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("fine/link.toy")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    archive = Archive(path, ".toy")
    assert archive.names == ("fine/ok.toy",)
    assert archive.left_out == {"unsafe name": 3}
    assert set(archive.read(["../outside.toy", "fine/ok.toy", "fine/link.toy"])) == {"fine/ok.toy"}
    found = load(path, tmp_path / "run")
    assert found.origin["unread"] == {"unsafe name": 3}
    assert not (tmp_path / "outside.toy").exists()


def test_a_member_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("menura.datasets.archive.LARGEST_FILE", 10)
    write(tmp_path / "bank", {"a/p": patch(1)})
    archive = Archive(tmp_path / "bank", ".toy")
    assert (archive.names, archive.left_out) == ((), {"too large": 1})


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"not a tar" * 100, lambda _: b""])
def test_a_broken_tar_is_refused(bank, tmp_path, damage):
    path = packed(bank, tmp_path / "bank.tar.xz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ManifestError, match=r"cannot be read as a tar|holds no"):
        load(path, tmp_path / "run")


def test_a_bank_without_presets_is_refused(tmp_path, monkeypatch):
    (tmp_path / "bank").mkdir()
    name = table(tmp_path, monkeypatch, path="bank", kind="presets")
    with pytest.raises(ManifestError, match=r"holds no \.toy presets"):
        load(name, tmp_path / "run")


def test_presets_by_people_are_rendered_and_kept(shared_data, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(repository)
    found = load_set("human-60", folder=tmp_path, limit=2, workers=1)
    vital = synth_of("vital")
    # The choice must stay what it is, else tables of different days are of different sets.
    assert [item.id for item in found.items] == [
        "Miserlou+VitalPresets/Presets/Sub FX Purr 2",
        "instatetragrammaton+Patches/Matt Tytel Vital/v1.0.8/StromaeEnfer",
    ]
    for item in found.items:
        assert not item.error
        assert item.preset
        assert item.original
        assert read_audio(item.sound).seconds == pytest.approx(2.0)
        assert vital.freeze(vital.read(item.original)) == vital.read(item.preset)
    assert found.origin["presets"] == 1769
