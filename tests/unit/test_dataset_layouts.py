"""NSynth, FSD50K and plain folders as researchers have them on disk."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import soundfile

from menura.datasets.folder import folder_entries, pitch_in_name
from menura.datasets.fsd50k import fsd50k_entries, is_fsd50k
from menura.datasets.nsynth import is_nsynth, nsynth_entries
from menura.datasets.sets import load_set
from menura.errors import ManifestError
from menura.note import Note


def tone(path, sample_rate=16_000, seconds=0.1):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.5 * np.sin(np.arange(int(seconds * sample_rate)) * 0.2), sample_rate)


@pytest.fixture
def nsynth(tmp_path):
    notes = {}
    for instrument, pitch, velocity in (("bass_synthetic_068", 49, 25), ("bass_synthetic_068", 51, 25),
                                        ("flute_acoustic_002", 77, 100)):  # fmt: skip
        name = f"{instrument}-{pitch:03d}-{velocity:03d}"
        family, source, _ = instrument.split("_")
        notes[name] = {
            "note": 1, "note_str": name, "instrument": 2, "instrument_str": instrument, "pitch": pitch,
            "velocity": velocity, "sample_rate": 16000, "qualities": [0, 1], "qualities_str": ["dark"],
            "instrument_family": 0, "instrument_family_str": family, "instrument_source": 2,
            "instrument_source_str": source,
        }  # fmt: skip
        tone(tmp_path / "audio" / f"{name}.wav")
    (tmp_path / "examples.json").write_text(json.dumps(notes))
    return tmp_path


def test_nsynth_is_recognised_and_read(nsynth, tmp_path_factory):
    assert is_nsynth(nsynth)
    found = load_set(nsynth, folder=tmp_path_factory.mktemp("run"), synth="toy")
    first = found.items[0]
    assert first.id == "bass_synthetic_068-049-025"
    assert first.note == Note(49.0, 25 / 127, 3.0, 4.0)
    assert (first.pitch, first.category, first.source) == (49.0, "bass", "bass_synthetic_068")
    assert (first.tags, first.error, found.origin["kind"]) == (("dark",), "", "nsynth")


def test_nsynth_fields_can_be_filtered_by(nsynth):
    from menura.datasets.selection import keep

    entries = nsynth_entries(nsynth)
    assert len(keep(entries, {"instrument_source_str": "acoustic"})) == 1
    assert len(keep(entries, {"qualities_str": "dark", "velocity": "25"})) == 2


def test_a_note_of_nsynth_that_says_nothing_is_an_error_row(nsynth):
    notes = json.loads((nsynth / "examples.json").read_text())
    notes["broken"] = 3
    notes["no-pitch"] = {"velocity": 25}
    notes["../outside"] = {"pitch": 60, "velocity": 25}
    (nsynth / "examples.json").write_text(json.dumps(notes))
    found = {entry.item.id: entry.item.error for entry in nsynth_entries(nsynth)}
    assert found["broken"]
    assert found["no-pitch"]
    assert found["../outside"]
    assert sum(not error for error in found.values()) == 3


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_nsynth_without_notes_is_refused(nsynth, text):
    (nsynth / "examples.json").write_text(text)
    with pytest.raises(ManifestError):
        nsynth_entries(nsynth)


@pytest.fixture
def fsd50k(tmp_path):
    truth = tmp_path / "FSD50K.ground_truth"
    truth.mkdir()
    rows = {
        "dev": [["fname", "labels", "mids", "split"], ["64760", "Electric_guitar,Guitar,Music", "/m/1", "train"],
                ["12", "Rain", "/m/2", "val"]],
        "eval": [["fname", "labels", "mids"], ["37199", "Guitar,Music", "/m/3"]],
    }  # fmt: skip
    for part, lines in rows.items():
        with (truth / f"{part}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(lines)
        for line in lines[1:]:
            tone(tmp_path / f"FSD50K.{part}_audio" / f"{line[0]}.wav", 44_100)
    metadata = tmp_path / "FSD50K.metadata"
    metadata.mkdir()
    clips = {"64760": {"title": "riff", "license": "CC0", "uploader": "someone"}}
    (metadata / "dev_clips_info_FSD50K.json").write_text(json.dumps(clips))
    return tmp_path


def test_fsd50k_is_recognised_and_read(fsd50k, tmp_path_factory):
    assert is_fsd50k(fsd50k)
    found = load_set(fsd50k, folder=tmp_path_factory.mktemp("run"), synth="toy")
    assert [item.id for item in found.items] == ["dev/64760", "dev/12", "eval/37199"]
    first = found.items[0]
    assert (first.category, first.tags) == ("Electric_guitar", ("Electric_guitar", "Guitar", "Music"))
    assert (first.source, first.licence, first.pitch, first.error) == ("someone", "CC0", None, "")


def test_fsd50k_is_filtered_by_one_of_its_labels(fsd50k):
    from menura.datasets.selection import keep

    entries = fsd50k_entries(fsd50k)
    assert [entry.item.id for entry in keep(entries, {"labels": "Guitar"})] == ["dev/64760", "eval/37199"]
    assert [entry.item.id for entry in keep(entries, {"split": "test"})] == ["eval/37199"]


def test_fsd50k_with_a_broken_truth_is_refused(fsd50k):
    (fsd50k / "FSD50K.ground_truth" / "dev.csv").write_text("name\nx\n")
    with pytest.raises(ManifestError, match="fname"):
        fsd50k_entries(fsd50k)


def test_a_folder_of_sounds(tmp_path, tmp_path_factory):
    for name in ("piano/c4.wav", "piano/d4.wav", "kick.flac"):
        tone(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a sound")
    found = load_set(tmp_path, folder=tmp_path_factory.mktemp("run"), synth="toy")
    assert [item.id for item in found.items] == ["kick.flac", "piano/c4.wav", "piano/d4.wav"]
    assert [item.source for item in found.items] == [tmp_path.name, "piano", "piano"]
    assert all(item.pitch is None for item in found.items)


def test_a_folder_tells_pitches_only_where_asked(tmp_path):
    tone(tmp_path / "cello_C#3_f.wav")
    tone(tmp_path / "snare.wav")
    assert [entry.item.pitch for entry in folder_entries(tmp_path)] == [None, None]
    assert [entry.item.pitch for entry in folder_entries(tmp_path, pitch_from_name=True)] == [49.0, None]


@pytest.mark.parametrize(
    ("name", "pitch"),
    [("cello_C#3_f", 49.0), ("Bb2", 46.0), ("piano-a0", 21.0), ("arco_eb1_mf", 27.0), ("snare14", None), ("bd25", None),
     ("abc1", None), ("take2", None), ("guitar_E4_rr2", 64.0)],
)  # fmt: skip
def test_pitches_in_names(name, pitch):
    assert pitch_in_name(name) == pitch


def test_a_folder_without_sounds_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="holds no sounds"):
        folder_entries(tmp_path)
