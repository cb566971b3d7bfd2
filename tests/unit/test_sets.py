"""Sets by name and by path."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from menura.datasets.sets import known_sets, load_set
from menura.datasets.table import as_table, read_tables, table_files
from menura.errors import ManifestError, UnknownNameError
from menura.note import Note
from menura.storage import hash_file


def tone(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.5 * np.sin(np.arange(4410) * 0.1), 44_100)
    return path


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working folder with three sounds and a manifest, and no sets of the user's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MENURA_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("MENURA_SETS", raising=False)
    for name in ("a", "b", "c"):
        tone(tmp_path / "data" / f"{name}.wav")
    (tmp_path / "data" / "manifest.csv").write_text(
        "file,source,category,midi_pitch,quick\na.wav,x,keys,60,1\nb.wav,x,keys,,0\nc.wav,y,pad,62,1\n"
    )
    return tmp_path


def load(word, place, **more):
    return load_set(word, folder=place / "run", synth="toy", workers=1, **more)


def test_a_manifest_by_its_path_and_by_its_folder(place):
    for word in ("data/manifest.csv", place / "data"):
        found = load(word, place)
        assert [item.id for item in found.items] == ["a.wav", "b.wav", "c.wav"]
        assert found.origin["kind"] == "manifest"
        assert found.origin["sha256"] == hash_file(place / "data" / "manifest.csv")
    assert not (place / "run").exists()


def test_a_set_by_its_name(place):
    (place / "sets.toml").write_text(
        '[quick]\nwhat = "the quick ones"\npath = "data/manifest.csv"\nwhere = { quick = 1, category = ["keys"] }\n'
    )
    assert known_sets()["quick"] == "the quick ones"
    found = load("quick", place)
    assert (found.name, [item.id for item in found.items]) == ("quick", ["a.wav"])


def test_files_of_sets_are_looked_up_in_order(place, monkeypatch):
    def name(path, what):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'[it]\nwhat = "{what}"\npath = "x"\n[{what}]\npath = "x"\n')

    name(place / "config" / "sets.toml", "users")
    assert known_sets()["it"] == "users"
    name(place / "benchmarks" / "sets.toml", "projects")
    assert known_sets()["it"] == "projects"
    name(place / "sets.toml", "here")
    assert known_sets()["it"] == "here"
    name(place / "named" / "sets.toml", "named")
    monkeypatch.setenv("MENURA_SETS", str(place / "named" / "sets.toml"))
    assert known_sets()["it"] == "named"
    assert {"users", "projects", "here", "named"} <= set(known_sets())
    assert len(table_files()) == 4


def test_paths_are_relative_to_the_file_that_names_them(place):
    (place / "benchmarks").mkdir()
    (place / "benchmarks" / "sets.toml").write_text('[it]\npath = "../data/manifest.csv"\n')
    assert len(load("it", place).items) == 3


def test_a_name_wins_over_a_path(place):
    (place / "sets.toml").write_text('[data]\npath = "data/a.wav"\n')
    assert len(load("data", place).items) == 1
    assert len(load("./data", place).items) == 3


def test_an_unknown_name_lists_what_there_is_and_where_it_looked(place):
    (place / "sets.toml").write_text('[cellos]\npath = "data"\n')
    with pytest.raises(UnknownNameError, match=r"(?s)cello'.*known: cellos.*sets\.toml.*did you mean 'cellos'"):
        load("cello", place)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[it", "not TOML"),
        ("it = 3", "write a table"),
        ('[it]\npath = "x"\ncuont = 3', "says 'cuont'"),
        ('[it]\npath = "x"\ncount = "3"', "count"),
        ('[it]\npath = "x"\ncount = 0', "1 or more"),
        ('[it]\npath = "x"\ncount = true', "count"),
        ('[it]\npath = "x"\nkind = "tape"', "tape"),
        ("[it]\nseed = 0", "no path"),
        ('[it]\npath = "x"\nnote = { pitch = 200 }', "note"),
        ('[it]\npath = "x"\nnote = { key = 20 }', "note"),
    ],
)
def test_a_table_that_cannot_be_followed_is_refused(place, text, word):
    (place / "sets.toml").write_text(text)
    with pytest.raises(ManifestError, match=word) as caught:
        known_sets()
    assert "sets.toml" in str(caught.value)


def test_a_variable_that_names_no_file_is_refused(place, monkeypatch):
    monkeypatch.setenv("MENURA_SETS", "nowhere.toml")
    with pytest.raises(ManifestError, match="MENURA_SETS"):
        known_sets()


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"path": "gone"}, "not there"),
        ({"path": "data/manifest.csv", "where": {"colour": "red"}}, "colour"),
        ({"path": "data/manifest.csv", "where": {"source": "z"}}, "no items left"),
        ({"path": "data/manifest.csv", "part": "half"}, "half"),
        ({"path": "data/text.txt"}, "is no set"),
    ],
)
def test_a_set_that_leads_nowhere_is_refused(place, said, word):
    (place / "data" / "text.txt").write_text("x")
    rows = [f'{key} = "{value}"' for key, value in said.items() if isinstance(value, str)]
    rows += [f'where = {{ {k} = "{v}" }}' for key in ("where",) if key in said for k, v in said[key].items()]
    (place / "sets.toml").write_text("[it]\n" + "\n".join(rows))
    with pytest.raises(ManifestError, match=word):
        load("it", place)


def test_sounds_that_cannot_be_used_are_error_rows(place):
    (place / "data" / "junk.wav").write_text("no sound")
    (place / "data" / "folder.wav").mkdir()
    good = hash_file(place / "data" / "a.wav")
    rows = ["file,sha256", f"a.wav,{good}", f"b.wav,{'0' * 64}", "gone.wav,", "junk.wav,", "folder.wav,"]
    (place / "data" / "manifest.csv").write_text("\n".join(rows))
    found = load("data", place)
    assert [bool(item.error) for item in found.items] == [False, True, True, True, True]
    assert found.origin["errors"] == 4
    words = ("sha256", "does not exist", "cannot be read", "cannot be read")
    for item, word in zip(found.items[1:], words, strict=True):
        assert word in item.error
        assert "\n" not in item.error


def test_limit_and_count(place):
    assert [item.id for item in load("data", place, limit=2).items] == ["a.wav", "b.wav"]
    (place / "sets.toml").write_text('[two]\npath = "data"\ncount = 2\nseed = 1\n')
    chosen = load("two", place)
    assert {item.source for item in chosen.items} == {"x", "y"}
    assert load("two", place, seed=9).items == chosen.items
    assert load("two", place, limit=1).items == chosen.items[:1]
    with pytest.raises(ManifestError, match="limit"):
        load("data", place, limit=0)


def test_parts_of_a_split_share_no_source(place):
    names = [f"s{number}" for number in range(30)]
    rows = "\n".join(f"a.wav,{name},{name}{take}" for name in names for take in range(2))
    (place / "data" / "manifest.csv").write_text(f"file,source,id\n{rows}\n")
    parts = "\n".join(f'[{part}]\npath = "data"\npart = "{part}"' for part in ("train", "validation", "test"))
    (place / "sets.toml").write_text(parts)
    found = {part: load(part, place).items for part in ("train", "validation", "test")}
    sources = [{item.source for item in items} for items in found.values()]
    assert sum(len(items) for items in found.values()) == 60
    assert sum(map(len, sources)) == 30


def test_conditions_of_a_set_and_of_a_run(place):
    (place / "sets.toml").write_text('[hard]\npath = "data"\nconditions = ["leading-silence"]\n')
    found = load("hard", place, conditions=["wrong-note"], limit=1)
    assert [item.key for item in found.items] == ["a.wav", "a.wav@leading-silence", "a.wav@wrong-note"]


def test_everything_a_table_may_say_is_kept(tmp_path):
    table = as_table(
        "it",
        {"path": "x", "note": {"pitch": 36, "hold": 2, "total": 3}, "where": {"n": 3, "b": True, "l": ["x", "y"]}},
        tmp_path,
    )
    assert table.path == tmp_path / "x"
    assert table.note == Note(36.0, 0.8, 2.0, 3.0)
    assert table.where == {"n": "3", "b": "1", "l": ("x", "y")}


def test_the_projects_own_sets_can_be_followed(repository):
    tables = {table.name: table for table in read_tables(repository / "benchmarks" / "sets.toml")}
    assert set(tables) >= {
        "real",
        "real-quick",
        "real-pairs",
        "human-60",
        "human-free",
        "synthetic-vital",
        "synthetic-human",
        "synthetic-jx10",
    }
    assert all(table.what for table in tables.values())


def test_the_recordings(shared_data, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(repository)
    quick = load_set("real-quick", folder=tmp_path, synth="toy")
    assert len(quick.items) == 55
    assert quick.origin["errors"] == 0
    assert len({item.category for item in quick.items}) >= 10
    assert len(load_set("real", folder=tmp_path, synth="toy").items) == 392
