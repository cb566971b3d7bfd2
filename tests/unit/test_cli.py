"""The command line: what it says, where it says it, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from menura.audio import read_audio
from menura.cli import main
from menura.synths.dx7.hexter import hexter
from menura.synths.registry import synth_of

RATE = 44_100


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in this process, in an empty folder, with caches and presets of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / ".cache"))
    monkeypatch.setenv("MENURA_VITAL_PRESETS", str(tmp_path / ".presets"))
    monkeypatch.delenv("MENURA_DEBUG", raising=False)

    def go(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return go


def pluck(seconds: float = 0.5, hz: float = 220.0) -> np.ndarray:
    at = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * hz * at) * np.exp(-6 * at)).astype(np.float32)


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    path = tmp_path / "init.vital"
    synth = synth_of("vital")
    path.write_bytes(synth.write(synth.freeze(synth.init())))
    return path


def refused(ended: Ended, code: int = 2) -> str:
    """One line on stderr, nothing on stdout, no traceback; answers with the line."""
    assert ended.code == code, ended
    assert ended.out == ""
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("menura: ")
    assert "Traceback" not in ended.err
    return lines[0]


def test_version_and_help(run: Run) -> None:
    assert re.fullmatch(r"menura \d+\.\d+\.\d+\n", run("--version").out)
    shown = run("--help")
    assert shown.code == 0
    for command in ("match", "render", "info", "doctor", "synths", "bench", "dataset"):
        assert command in shown.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("match",),
        ("nonsense",),
        ("match", "a.wav", "--nonsense"),
        ("match", "a.wav", "--track", "nonsense"),
        ("match", "a.wav", "--top", "0"),
        ("match", "a.wav", "--renders", "many"),
        ("match", "a.wav", "--synth", "nonsense"),
        ("match", "a.wav", "--note", "H9"),
        ("match", "a.wav", "--note", "300"),
        ("match", "a.wav", "--near", "absent.vital"),
        ("render", "init.vital"),
        ("render", "absent.vital", "--out", "x.wav"),
        ("info", "absent.wav"),
        ("bench", "match", "--manifest", "absent.csv", "--out", "x.json"),
    ],
)
def test_what_cannot_be_understood_is_one_line_and_2(run: Run, arguments: tuple[str, ...], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", pluck(), RATE)
    refused(run(*arguments))
    assert not list(tmp_path.glob("x.*"))
    assert not (tmp_path / "a-menura").exists()


def bad_sounds(folder: Path) -> dict[str, Path]:
    """Every sound that nothing can be made of."""
    made = {name: folder / f"{name}.wav" for name in ("no-samples", "silent", "nan", "one-ms", "zero-bytes", "text")}
    soundfile.write(made["no-samples"], np.zeros(0, np.float32), RATE)
    soundfile.write(made["silent"], np.zeros(RATE, np.float32), RATE)
    soundfile.write(made["nan"], np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    soundfile.write(made["one-ms"], pluck(0.001), RATE)
    made["zero-bytes"].write_bytes(b"")
    made["text"].write_text("not a sound, just words\n" * 50)
    made["truncated"] = folder / "truncated.wav"
    soundfile.write(made["truncated"], pluck(), RATE)
    made["truncated"].write_bytes(made["truncated"].read_bytes()[:8000])
    made["broken-flac"] = folder / "broken.flac"
    soundfile.write(made["broken-flac"], pluck(), RATE)
    made["broken-flac"].write_bytes(made["broken-flac"].read_bytes()[:3000])
    made["folder"] = folder / "folder.wav"
    made["folder"].mkdir()
    made["absent"] = folder / "absent.wav"
    return made


BAD_SOUNDS = [
    "no-samples",
    "silent",
    "nan",
    "one-ms",
    "zero-bytes",
    "text",
    "truncated",
    "broken-flac",
    "folder",
    "absent",
]


@pytest.mark.parametrize("command", ["match", "info"])
@pytest.mark.parametrize("kind", BAD_SOUNDS)
def test_a_bad_sound_is_refused_before_anything_is_written(run: Run, command: str, kind: str, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    path = bad_sounds(source)[kind]
    line = refused(run(command, str(path)))
    assert path.name in line
    assert ";" in line  # what was seen; what to do
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


def odd_sounds(folder: Path) -> dict[str, Path]:
    """Sounds that are unusual, and usable."""
    made = {name: folder / f"{name}.wav" for name in ("eight-channels", "384-khz", "clipped", "long")}
    soundfile.write(made["eight-channels"], np.stack([pluck() / (n + 1) for n in range(8)], axis=1), RATE)
    at = np.arange(384_000 // 2) / 384_000
    soundfile.write(made["384-khz"], 0.5 * np.sin(2 * np.pi * 220 * at) * np.exp(-6 * at), 384_000)
    soundfile.write(made["clipped"], np.clip(pluck() * 8, -1, 1), RATE)
    with soundfile.SoundFile(made["long"], "w", 8000, 1) as file:  # one hour
        minute = np.tile(pluck(60.0)[::5][:8000], 60).astype(np.float32)
        for _ in range(60):
            file.write(minute)
    return made


@pytest.mark.parametrize("kind", ["eight-channels", "384-khz", "clipped", "long"])
def test_an_odd_sound_is_understood(run: Run, kind: str, tmp_path: Path) -> None:
    ended = run("info", str(odd_sounds(tmp_path)[kind]), "--json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["clipped"] == (kind == "clipped")
    assert told["channels"] == (8 if kind == "eight-channels" else 1)
    assert bool(told["warnings"]) == (kind in ("clipped", "long"))


@pytest.mark.parametrize("command", ["info", "render"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"settings": {}}',
        b'{"synth_version": "1.5.5", "settings": {"filter_1_cutoff": 1e30}}',
        b'{"synth_version": "1.5.5", "settings": {"filter_1_cutoff": NaN}}',
        b'{"synth_version": "1.5.5", "settings": {"volume": "loud"}}',
    ],
)
def test_a_broken_preset_is_refused(run: Run, command: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.vital"
    path.write_bytes(content)
    line = refused(run(command, str(path), *(("--out", "x.wav") if command == "render" else ())))
    assert "broken.vital" in line
    assert not (tmp_path / "x.wav").exists()


def test_render_plays_the_note_that_was_asked_for(run: Run, preset: Path, tmp_path: Path) -> None:
    ended = run("render", str(preset), "--note", "A4", "--hold", "0.5", "--total", "1.0", "--out", "a.wav", "--json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert (told["seconds"], told["note"], told["sample_rate"]) == (1.0, 69, RATE)
    audio = read_audio(tmp_path / "a.wav")
    assert audio.samples.shape == (2, RATE)
    held = audio.mono[: RATE // 2]
    assert np.argmax(np.abs(np.fft.rfft(held * np.hanning(held.size)))) * RATE / held.size == pytest.approx(440, abs=2)

    before = (tmp_path / "a.wav").read_bytes()
    assert "--force" in refused(run("render", str(preset), "--out", "a.wav"))
    assert (tmp_path / "a.wav").read_bytes() == before
    assert run("render", str(preset), "--out", "a.wav", "--force", "--rate", "22050").code == 0
    assert read_audio(tmp_path / "a.wav").sample_rate == 22_050
    refused(run("render", str(preset), "--out", "b.txt"))
    refused(run("render", str(preset), "--out", "b.wav", "--velocity", "0"))
    assert not list(tmp_path.glob("b.*"))


def test_info_tells_what_a_preset_is_made_of(run: Run, preset: Path) -> None:
    told = json.loads(run("info", str(preset), "--json").out)
    assert told["kind"] == "preset"
    assert told["synth"] == "vital"
    plain = run("info", str(preset))
    assert plain.code == 0
    assert "Oscillator 1" in plain.out


def test_info_tells_what_a_sound_plays(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "[bold]a.wav", pluck(1.0), RATE)
    told = json.loads(run("info", str(tmp_path / "[bold]a.wav"), "--json").out)
    assert told["pitch_name"] == "A3"
    assert told["pitch"] == pytest.approx(57.0, abs=0.2)
    assert told["sustaining"] is False
    plain = run("info", str(tmp_path / "[bold]a.wav"))
    assert "[bold]a.wav" in plain.out  # markup in a name is text


def test_synths_lists_vital(run: Run) -> None:
    told = json.loads(run("synths", "--json").out)
    vital = next(row for row in told["synths"] if row["name"] == "vital")
    assert vital["usable"]
    assert vital["suffix"] == ".vital"
    assert "vital" in run("synths").out


def test_synths_says_that_an_engine_is_absent(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENURA_HEXTER", str(tmp_path / "nowhere.so"))
    hexter.cache_clear()
    try:
        dx7 = next(row for row in json.loads(run("synths", "--json").out)["synths"] if row["name"] == "dx7")
    finally:
        hexter.cache_clear()
    assert dx7["usable"] is False
    assert "apt install hexter" in dx7["engine"]
    assert dx7["suffix"] == ".syx"  # voices are read and written all the same


def test_doctor_finds_this_machine_well(run: Run) -> None:
    ended = run("doctor", "--workers", "1", "--json")
    told = json.loads(ended.out)
    assert ended.code == 0, told
    assert told["ok"]
    assert all(row["ok"] for row in told["checks"])
    engine = next(row["found"] for row in told["checks"] if row["check"] == "vital engine")
    assert abs(float(re.search(r"at ([\d.]+) Hz", engine)[1]) - 440) <= 1  # type: ignore[index]


def test_json_holds_even_where_the_input_is_refused(run: Run) -> None:
    ended = run("info", "absent.wav", "--json")
    assert ended.code == 2
    told = json.loads(ended.out)
    assert told["exit_code"] == 2
    assert "absent.wav" in told["error"]


def test_a_defect_of_ours_is_one_line_and_a_log(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a defect\nin two lines")

    monkeypatch.setattr("menura.audio.read_audio", broken)
    soundfile.write(tmp_path / "a.wav", pluck(), RATE)
    line = refused(run("info", "a.wav"), code=1)
    assert "ZeroDivisionError: a defect in two lines" in line
    log = Path(line.rsplit(" ", 1)[1])
    assert "Traceback" in log.read_text()
    assert "Traceback" in run("--debug", "info", "a.wav").err


def test_a_place_that_cannot_be_written_is_refused(run: Run, preset: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", pluck(), RATE)
    (tmp_path / "taken").write_text("mine")
    for place in ("/proc/menura", "taken/below"):
        refused(run("render", str(preset), "--out", f"{place}/x.wav"))
        refused(run("match", "a.wav", "--out", place))
    refused(run("match", "a.wav", "--out", "taken", "--force"))
    assert (tmp_path / "taken").read_text() == "mine"


def test_starting_is_quick_because_the_heavy_rooms_stay_closed() -> None:
    heavy = ("numpy", "scipy", "soundfile", "vita", "cma", "matplotlib", "menura.audio", "menura.matching.matcher")
    script = f"import sys, menura.cli.app; print([name for name in {heavy} if name in sys.modules])"
    source = Path(__file__).resolve().parents[2] / "src"
    environment = {**os.environ, "PYTHONPATH": str(source)}
    answer = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout.strip() == "[]"


def test_every_option_is_in_the_documents(repository: Path) -> None:
    import typer

    from menura.cli.app import app

    text = (repository / "docs" / "cli.md").read_text()
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        assert f"## menura {name}" in text
        for inner in getattr(command, "commands", {"": command}).values():
            section = text.split(f"## menura {name}", 1)[1].split("\n## ", 1)[0]
            for parameter in inner.params:
                for option in parameter.opts:
                    if option.startswith("--") and option != "--help":
                        assert re.search(rf"{option}\b", section), f"menura {name} {option} is not in docs/cli.md"
