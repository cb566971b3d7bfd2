"""Manifests: what is read, and what is refused in one line."""

from __future__ import annotations

import pytest

from menura.errors import ManifestError
from menura.evaluation.manifest import read_manifest


def manifest(folder, text: str | bytes):
    path = folder / "sounds.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_all_columns(tmp_path):
    rows = read_manifest(
        manifest(
            tmp_path,
            "file,category,midi_pitch,pitch_ok,quick,comment\n"
            'a/b.wav,bowed,48,1,1,"with, comma"\n'
            "c.wav,brass,50,0,0,\n"
            "d.wav,,,,,\n",
        )
    )
    assert [(row.file, row.category, row.pitch, row.quick) for row in rows] == [
        ("a/b.wav", "bowed", 48.0, True),
        ("c.wav", "brass", None, False),
        ("d.wav", "", None, False),
    ]
    assert rows[0].path == tmp_path / "a" / "b.wav"


def test_the_file_column_alone_is_enough(tmp_path):
    rows = read_manifest(manifest(tmp_path, "\ufefffile\r\nx.wav\r\n\r\ny.wav\r\n"))
    assert [row.file for row in rows] == ["x.wav", "y.wav"]
    assert all(row.pitch is None and row.category == "" for row in rows)


def test_a_pitch_that_nobody_judged_is_believed(tmp_path):
    (row,) = read_manifest(manifest(tmp_path, "file,midi_pitch\nx.wav,61.5\n"))
    assert row.pitch == 61.5


def test_quick_and_limit(tmp_path):
    path = manifest(tmp_path, "file,quick\na,0\nb,1\nc,1\nd,1\n")
    assert [row.file for row in read_manifest(path, quick=True, limit=2)] == ["b", "c"]
    assert len(read_manifest(path, limit=99)) == 4


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "column file"),
        ("name,pitch\nx,1\n", "column file"),
        ("file,category\n", "no recordings"),
        ("file,category\n,bowed\n", "line 2"),
        ("file,midi_pitch\nx.wav,high\n", "midi_pitch"),
        ("file,midi_pitch,pitch_ok\nx.wav,200,1\n", "midi_pitch"),
        (b"\xff\xfe\x00file", "UTF-8"),
        ('file\n"x.wav\n', "CSV"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path, text, word):
    with pytest.raises(ManifestError, match=word) as caught:
        read_manifest(manifest(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_missing_folder_no_quick_rows_and_no_limit(tmp_path):
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / "absent.csv")
    with pytest.raises(ManifestError, match="folder"):
        read_manifest(tmp_path)
    path = manifest(tmp_path, "file\nx.wav\n")
    with pytest.raises(ManifestError, match="quick"):
        read_manifest(path, quick=True)
    with pytest.raises(ManifestError, match="limit"):
        read_manifest(path, limit=0)
