"""What the README says to type works: its Python runs, its commands parse, its make targets exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from menura.audio import Audio, write_audio
from menura.synths.registry import synth_of

README = Path(__file__).resolve().parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line.startswith("menura ")]


@pytest.fixture
def pluck(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("pluck", repository / "examples" / "pluck.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pluck: ModuleType) -> Path:
    """A folder with the sound that the README speaks of, as the current one."""
    write_audio(tmp_path / "cello.wav", Audio(pluck.pluck(196.0, seconds=1.0), 44_100))
    (tmp_path / "recordings.csv").write_text("file\ncello.wav\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.strip().splitlines()[-1][:40])
def test_python_runs(code: str, desk: Path) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    if "best.save" in code:
        assert synth_of("vital").read(desk / "cello.vital").values


@pytest.mark.parametrize("line", commands())
def test_commands_parse(line: str, desk: Path) -> None:
    import typer.main

    from menura.cli.app import app

    command: Any = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    for before, word in zip(["", *words], words, strict=False):
        if Path(word).suffix in (".wav", ".vital") and before != "--out":
            Path(word).parent.mkdir(exist_ok=True)
            Path(word).touch()
    # A group that does something by itself may stand alone.
    while hasattr(command, "commands") and (words or not command.invoke_without_command):
        assert words[0] in command.commands, f"no command {words[0]}"
        command = command.commands[words.pop(0)]
    # Parses, checks every option and value, runs nothing.
    command.make_context(command.name, words)


def test_there_are_commands_and_code() -> None:
    assert len(commands()) >= 6
    assert len(blocks("python")) >= 2


def test_make_targets_exist(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"make (\w+)", "\n".join(blocks("sh")))
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("frequency_hz", [41.2, 130.81, 440.0, 1318.5])
def test_the_demo_string_is_in_tune(pluck: ModuleType, frequency_hz: float) -> None:
    import numpy as np

    sound = pluck.pluck(frequency_hz)
    assert np.abs(sound).max() == pytest.approx(0.8, abs=1e-6)
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(sound[8_000:73_536] * np.hanning(65_536), size))
    frequencies = np.fft.rfftfreq(size, 1 / 44_100)
    near = np.abs(frequencies / frequency_hz - 1) < 0.03
    found = frequencies[near][np.argmax(spectrum[near])]
    assert abs(1_200 * np.log2(found / frequency_hz)) < 2.0


def test_the_demo_string_decays_and_repeats(pluck: ModuleType) -> None:
    import numpy as np

    sound = pluck.pluck(130.81, seed=3)
    early, late = (float(np.sqrt(np.mean(part**2))) for part in (sound[:11_025], sound[-22_050:-11_025]))
    assert late < 0.3 * early
    np.testing.assert_array_equal(sound, pluck.pluck(130.81, seed=3))
    assert not np.array_equal(sound, pluck.pluck(130.81, seed=4))
    with pytest.raises(ValueError, match="out of range"):
        pluck.pluck(10.0)
