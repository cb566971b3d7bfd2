"""What the README says to type works: its Python runs, its commands parse, its make targets exist."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from documents import blocks, commands, example, parse
from menura.audio import Audio, write_audio
from menura.synths.registry import synth_of

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture
def pluck(repository: Path) -> ModuleType:
    return example(repository, "pluck")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pluck: ModuleType) -> Path:
    """A folder with the sound that the README speaks of, as the current one."""
    write_audio(tmp_path / "cello.wav", Audio(pluck.pluck(196.0, seconds=1.0), 44_100))
    (tmp_path / "recordings.csv").write_text("file\ncello.wav\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("code", blocks(README, "python"), ids=lambda code: code.strip().splitlines()[-1][:40])
def test_python_runs(code: str, desk: Path) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    if "best.save" in code:
        assert synth_of("vital").read(desk / "cello.vital").values


@pytest.mark.parametrize("line", commands(README))
def test_commands_parse(line: str, desk: Path) -> None:
    parse(line)


def test_there_are_commands_and_code() -> None:
    assert len(commands(README)) >= 6
    assert len(blocks(README, "python")) >= 2


def test_make_targets_exist(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"make (\w+)", "\n".join(blocks(README, "sh")))
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
