"""The benchmark on the real engine: few renders of short sounds that the test makes itself."""

from __future__ import annotations

import json

import numpy as np
import pytest

from menura.audio import Audio, write_audio
from menura.errors import InputError, ManifestError, OutputError
from menura.evaluation.bench import run_bench
from menura.evaluation.playability import play
from menura.evaluation.summary import playability_shares, summarise, table_lines
from menura.note import Note
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

RATE = 44_100


@pytest.fixture
def manifest(tmp_path):
    """Two tones, one file that is not there and one that is no sound."""
    time = np.arange(int(0.4 * RATE)) / RATE
    for name, hz, decay in (("low", 110.0, 0.0), ("high", 440.0, 12.0)):
        wave = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 9)) * np.exp(-decay * time)
        write_audio(tmp_path / f"{name}.wav", Audio(0.3 * wave, RATE))
    (tmp_path / "broken.wav").write_bytes(b"no sound at all")
    path = tmp_path / "sounds.csv"
    path.write_text(
        "file,category,midi_pitch,pitch_ok,quick\n"
        "low.wav,bowed,45,1,1\nabsent.wav,bowed,,,0\nhigh.wav,plucked,,,1\nbroken.wav,plucked,,,0\n"
    )
    return path


def test_a_batch_with_failures(manifest, tmp_path):
    out, lines = tmp_path / "result.json", []
    summary = run_bench(manifest, out=out, track="random", renders=6, workers=1, playing=True, tell=lines.append)
    assert (summary["n"], summary["failures"]) == (4, 2)
    assert summary["renders"] == 12
    assert 0.0 < summary["engine_share"] <= 1.0
    assert summary["seconds"] > 0.0
    assert set(summary) >= {"mss", "wmfcc", "sot", "rms"}
    assert 0.0 < summary["mss"]["median"] < 80.0
    held = json.loads(out.read_text())
    assert held["complete"]
    assert held["summary"] == summary
    assert [("error" in row) for row in held["rows"]] == [False, True, False, True]
    assert "absent.wav" in held["rows"][1]["error"]
    low, high = held["rows"][0], held["rows"][2]
    assert (low["note"]["pitch"], low["pitch_from"], high["pitch_from"]) == (45.0, "set", "ear")
    assert high["note"]["pitch"] == pytest.approx(69.0, abs=0.05)
    assert low["preset_bytes"] > 1000
    assert low["play"]["softer_db"] <= 0.1
    assert sum(line.startswith("[") for line in lines) == 4
    assert any("FAILED" in line for line in lines)
    assert any(line.startswith("plucked") for line in lines)

    with pytest.raises(OutputError, match="finished"):
        run_bench(manifest, out=out, track="random", renders=6, workers=1)


def test_an_interrupted_batch_goes_on_where_it_stopped(manifest, tmp_path):
    out = tmp_path / "result.json"
    settings = {"track": "random", "renders": 4, "workers": 1, "quick": True}

    def stop_after_the_first(line: str) -> None:
        if line.startswith("[1/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_bench(manifest, out=out, tell=stop_after_the_first, **settings)
    first = json.loads(out.read_text())
    assert not first["complete"]
    assert len(first["rows"]) == 1
    with pytest.raises(OutputError, match="other settings"):
        run_bench(manifest, out=out, **{**settings, "renders": 5})
    summary = run_bench(manifest, out=out, **settings)
    held = json.loads(out.read_text())
    assert held["complete"]
    assert held["rows"][0] == first["rows"][0]
    assert summary["n"] == 2


def test_bad_requests_are_refused_before_any_work(manifest, tmp_path):
    with pytest.raises(InputError, match="track"):
        run_bench(manifest, out=tmp_path / "o.json", track="all")
    with pytest.raises(ManifestError):
        run_bench(tmp_path / "absent.csv", out=tmp_path / "o.json")
    assert not (tmp_path / "o.json").exists()
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(OutputError, match="no benchmark"):
        run_bench(manifest, out=tmp_path / "notes.json")
    assert (tmp_path / "notes.json").read_text() == "{}"


def test_playing_an_initial_patch():
    """The initial saw sustains, and its short release ends it."""
    preset = synth_of("vital").init()
    note = Note(57, hold=0.3, total=0.4)
    with RenderPool("vital", workers=1) as pool:
        held = play(preset, note, pool, sustaining=True)
        decaying = play(preset, note, pool, sustaining=False)
    assert held.sustains
    assert held.ends
    assert held.held_db == pytest.approx(0.0, abs=1.0)
    assert decaying.sustains is None
    assert decaying.ends is None


def test_numbers_of_nothing_are_null_not_nan():
    summary = summarise([{"file": "a", "category": "", "error": "gone", "seconds": 0.1}], workers=2)
    assert summary["mss"] == {"mean": None, "median": None}
    assert (summary["n"], summary["failures"], summary["engine_share"]) == (1, 1, 0.0)
    assert table_lines([], summarise([], 1))
    json.dumps(summary, allow_nan=False)


def test_shares_of_playability():
    played = [
        {"held_db": -3.0, "released_db": -80.0, "softer_db": -6.0},
        {"held_db": -20.0, "released_db": -80.0, "softer_db": 0.0},
        {"held_db": None, "released_db": None, "softer_db": -2.0},
    ]
    shares = playability_shares(played)
    assert shares["sustaining_targets"] == 2
    assert (shares["sustains"], shares["ends"], shares["sustains_and_ends"]) == (0.5, 1.0, 0.5)
    assert shares["softer_is_quieter"] == pytest.approx(2 / 3, abs=1e-3)
