"""Manifests of sets: what is read, what a bad row becomes, and what is refused as a whole."""

from __future__ import annotations

import json

import pytest

from menura.datasets.manifest import read_manifest
from menura.datasets.selection import keep
from menura.errors import ManifestError
from menura.note import Note


def manifest(folder, text: str | bytes, name: str = "sounds.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def items(path):
    return [entry.item for entry in read_manifest(path)]


def test_every_column_is_read(tmp_path):
    (item,) = items(
        manifest(
            tmp_path,
            "file,id,source,licence,category,articulation,tags,midi_pitch,pitch_ok,velocity,hold,total,sha256\n"
            'a/b.wav,cello 1,Lib,CC0,bowed,legato,"warm; dark",C#3,1,0.5,1.5,3,ABC\n',
        )
    )
    assert (item.id, item.sound, item.source, item.licence) == ("cello 1", tmp_path / "a" / "b.wav", "Lib", "CC0")
    assert (item.category, item.articulation, item.tags, item.sha256) == ("bowed", "legato", ("warm", "dark"), "abc")
    assert item.pitch == 49.0
    assert item.note == Note(49.0, 0.5, 1.5, 3.0)
    assert item.error == ""


def test_a_column_file_is_enough(tmp_path):
    found = items(manifest(tmp_path, "\ufefffile\r\nx.wav\r\n\r\ny.wav\r\n"))
    assert [(item.id, item.pitch, item.note) for item in found] == [("x.wav", None, None), ("y.wav", None, None)]


def test_a_doubtful_pitch_is_not_told(tmp_path):
    rows = "file,midi_pitch,pitch_ok\na.wav,48,1\nb.wav,48,0\nc.wav,48,\n"
    assert [item.pitch for item in items(manifest(tmp_path, rows))] == [48.0, None, None]
    assert [item.pitch for item in items(manifest(tmp_path, "file,midi_pitch\na.wav,48\n"))] == [48.0]


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"items": rows, "about": "x"}])
def test_json_says_the_same_as_csv(tmp_path, wrap):
    rows = [{"file": "a.wav", "midi_pitch": 48, "quick": True, "tags": ["a", "b"]}, {"file": "b.wav", "quick": False}]
    path = manifest(tmp_path, json.dumps(wrap(rows)), "sounds.json")
    found = read_manifest(path)
    assert [entry.item.pitch for entry in found] == [48.0, None]
    assert found[0].item.tags == ("a", "b")
    assert [entry.item.id for entry in keep(found, {"quick": "1"})] == ["a.wav"]


def test_bad_rows_stay_as_errors(tmp_path):
    text = "file,midi_pitch,velocity,id\na.wav,48,,one\n,48,,two\nc.wav,200,,three\nd.wav,48,2,four\ne.wav,48,x,one\n"
    found = items(manifest(tmp_path, text))
    assert len(found) == 5
    assert len({item.id for item in found}) == 5
    assert [bool(item.error) for item in found] == [False, True, True, True, True]
    assert "line 3" in found[1].error
    assert "200" in found[2].error
    assert "velocity" in found[3].error
    assert all("\n" not in item.error for item in found)


def test_an_id_that_is_there_twice_is_an_error_of_the_second(tmp_path):
    first, second, third = items(manifest(tmp_path, "file\na.wav\na.wav\na.wav\n"))
    assert first.error == ""
    assert "twice" in second.error
    assert "twice" in third.error
    assert len({first.id, second.id, third.id}) == 3


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a.csv", "name,pitch\nx,1\n", "no column file"),
        ("a.csv", "", "no column file"),
        ("a.csv", "file\n", "names no sounds"),
        ("a.csv", b"\xff\xfe\x00", "not a text file"),
        ("a.csv", 'file\n"unclosed\n', "not a CSV"),
        ("a.csv", "file,file\na,b\n", "two columns"),
        ("a.json", "{", "not JSON"),
        ("a.json", '{"sounds": []}', "no list"),
        ("a.json", "[]", "names no sounds"),
        ("a.json", "[" * 100_000, "not JSON"),
    ],
)
def test_a_manifest_that_cannot_be_followed_is_refused(tmp_path, name, text, word):
    with pytest.raises(ManifestError, match=word):
        read_manifest(manifest(tmp_path, text, name))


def test_a_missing_manifest_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / "none.csv")
    with pytest.raises(ManifestError, match="folder"):
        read_manifest(tmp_path)


def test_json_rows_that_are_no_objects_are_error_rows(tmp_path):
    good, bad = items(manifest(tmp_path, '[{"file": "a.wav"}, 3]', "a.json"))
    assert (good.error, bool(bad.error)) == ("", True)


def test_filters(tmp_path):
    entries = read_manifest(manifest(tmp_path, "file,kind\na,x\nb,y\nc,z\n"))
    assert [entry.item.id for entry in keep(entries, {"kind": ("x", "z")})] == ["a", "c"]
    assert [entry.item.id for entry in keep(entries, {"kind": "y", "file": "b"})] == ["b"]
    with pytest.raises(ManifestError, match="no column 'colour'"):
        keep(entries, {"colour": "red"})
