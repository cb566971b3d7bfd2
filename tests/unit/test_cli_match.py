"""`menura match` and `menura bench` as a user runs them: processes, files, Ctrl-C."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from menura.synths.registry import synth_of

RATE = 44_100
TOY = ("--synth", "toy", "--track", "knobs")
"""What is tested here is the command, not the engine: the small synth is quick."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with one short sound in it."""
    at = np.arange(round(0.4 * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 220 * n * at) / n for n in range(1, 6)) * np.exp(-6 * at)
    soundfile.write(tmp_path / "pluck.wav", (0.3 * tone).astype(np.float32), RATE)
    return tmp_path


def start(place: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command as a process in a session of its own, as a terminal starts it."""
    environment = {**os.environ, "MENURA_CACHE": str(place / ".cache"), "MENURA_VITAL_PRESETS": str(place / ".presets")}
    source = Path(__file__).resolve().parents[2] / "src"
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(source), environment.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-c", "from menura.cli import main; main()", *arguments],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str], seconds: float = 120.0) -> tuple[int, str, str]:
    """Exit code, stdout and stderr; a process that does not end is killed with all its children."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, out, err


def check_whole(folder: Path) -> dict:
    """Every file that the card lists is there with its hash, every preset opens; answers with the card."""
    card = json.loads((folder / "card.json").read_text())
    assert card["matches"]
    names = {path.name for path in folder.iterdir()}
    assert names == {*card["files"], "card.json"}
    for name, digest in card["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    for match in card["matches"]:
        synth_of(match["synth"]).read(folder / match["files"]["preset"]["name"])
    return card


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str, str]:
    place = tmp_path_factory.mktemp("match")
    at = np.arange(round(0.4 * RATE)) / RATE
    soundfile.write(place / "<b>.wav", (0.4 * np.sin(2 * np.pi * 220 * at) * np.exp(-5 * at)).astype(np.float32), RATE)
    return place, *ended(start(place, "match", "<b>.wav", "--renders", "24", "--top", "2", "--install", "--out", "out"))


def test_a_match_writes_presets_sounds_cards_and_a_report(matched: tuple[Path, int, str, str]) -> None:
    place, code, out, err = matched
    assert code == 0, err
    card = check_whole(place / "out")
    assert "01-b.vital" in card["files"]
    assert card["budget"]["renders"] <= 24
    assert card["matches"][0]["distance"] <= card["matches"][-1]["distance"]
    assert "01-b.vital" in out
    assert card["matches"][0]["verdict"] in out
    assert "distance" in err  # progress goes to stderr
    assert "Traceback" not in err
    installed = sorted(path.name for path in (place / ".presets" / "menura").iterdir())
    assert installed == sorted(match["files"]["preset"]["name"] for match in card["matches"])


def test_an_existing_output_is_refused_before_the_work(matched: tuple[Path, int, str, str]) -> None:
    place = matched[0]
    before = {path.name: path.read_bytes() for path in (place / "out").iterdir()}
    began = time.monotonic()
    code, out, err = ended(start(place, "match", "<b>.wav", "--out", "out"))
    assert code == 2
    assert time.monotonic() - began < 15
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "--force" in err
    assert {path.name: path.read_bytes() for path in (place / "out").iterdir()} == before


def test_json_is_one_object_and_the_same_seed_the_same_answer(place: Path) -> None:
    told = []
    for out in ("a", "b"):
        arguments = ("--renders", "8", "--top", "1", "--seed", "3", "--seconds", "600", "--json", "--out", out)
        code, text, err = ended(start(place, "match", "pluck.wav", *TOY, "--note", "A3", *arguments))
        assert code == 0, err
        assert len(text.splitlines()) == 1
        told.append(json.loads(text))
        assert (place / told[-1]["report"]).is_file()
    assert told[0]["note"]["pitch"] == 57
    assert told[0]["matches"][0]["distance"] == told[1]["matches"][0]["distance"]
    assert (place / "a" / "01-pluck.toy").read_bytes() == (place / "b" / "01-pluck.toy").read_bytes()


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    """Reads stderr until a line has the word."""
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return
    raise AssertionError(f"the process ended without saying {word!r}")


def test_ctrl_c_keeps_the_best_so_far_whole(place: Path) -> None:
    process = start(place, "match", "pluck.wav", *TOY, "--renders", "100000", "--seconds", "300", "--out", "out")
    wait_for(process, "distance")
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to every process of the command
    code, out, err = ended(process, 60)
    assert code == 130, err
    card = check_whole(place / "out")
    assert card["budget"]["stopped_by"] == "cancelled"
    assert "01-pluck.toy" in out
    assert "Traceback" not in err
    assert sorted(path.name for path in place.iterdir() if not path.name.startswith(".")) == ["out", "pluck.wav"]


def test_two_ctrl_c_drop_everything_at_once(place: Path) -> None:
    process = start(place, "match", "pluck.wav", *TOY, "--renders", "100000", "--out", "out")
    wait_for(process, "proposes")
    os.kill(process.pid, signal.SIGINT)
    wait_for(process, "stopping")
    os.kill(process.pid, signal.SIGINT)
    code, out, err = ended(process, 60)
    assert code == 130
    assert "Traceback" not in err
    # Where the second came too late to drop anything, all is whole.
    if (place / "out").exists():
        check_whole(place / "out")
    else:
        assert out == ""
        assert err.splitlines()[-1] == "menura: stopped; nothing was written"
    assert not list(place.glob(".menura-*"))


def test_the_first_ctrl_c_asks_and_the_second_ends() -> None:
    from menura.cli.match import stopper

    cancel = threading.Event()
    stop = stopper(cancel)
    stop(signal.SIGINT, None)
    assert cancel.is_set()
    with pytest.raises(KeyboardInterrupt):
        stop(signal.SIGINT, None)


def test_near_and_lock_are_understood(place: Path) -> None:
    synth = synth_of("toy")
    locked = next(name for name in sorted(synth.init().values))
    (place / "near.toy").write_bytes(synth.write(synth.init()))
    arguments = ("--near", "near.toy", "--lock", locked, "--renders", "12", "--top", "1", "--json")
    code, out, err = ended(start(place, "match", "pluck.wav", *TOY, *arguments))
    assert code == 0, err
    assert json.loads(out)["report"] == "pluck-menura/report.html"
    card = check_whole(place / "pluck-menura")
    assert card["locked"] == [locked]
    found = synth.read(place / "pluck-menura" / "01-pluck.toy")
    assert found.values[locked] == synth.init().values[locked]
    for bad in (("--lock", "no_such_control"), ("--near", "pluck.wav"), ("--install",)):
        code, out, err = ended(start(place, "match", "pluck.wav", *TOY, *bad, "--out", "x"))
        assert (code, out) == (2, ""), err
        assert bad[-1] in err
        assert not (place / "x").exists()


def test_bench_ends_with_one_json_object(place: Path) -> None:
    (place / "set.csv").write_text("file,category,midi_pitch,pitch_ok\npluck.wav,plucked,57,1\nabsent.wav,bowed,60,1\n")
    arguments = ("--manifest", "set.csv", "--track", "random", "--synth", "toy", "--renders", "4", "--out", "b.json")
    code, out, err = ended(start(place, "bench", "match", *arguments))
    assert code == 0, err
    summary = json.loads(out.splitlines()[-1])
    assert set(summary) >= {"mss", "wmfcc", "sot", "rms", "n", "failures", "renders", "seconds", "engine_share"}
    assert summary["failures"] == 1
    assert summary["mss"]["mean"] > 0
    assert json.loads((place / "b.json").read_text())
    code, out, err = ended(start(place, "bench", "match", *arguments))
    assert code == 2  # finished results are not overwritten
    assert "--force" in err
    assert "Traceback" not in err
