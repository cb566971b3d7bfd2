"""`menura explain`: presets and matches in, tutorials out; bad input is refused before the work."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from menura.cli import main
from menura.explain.tutorial import execute, tutorial_of
from menura.synths.registry import synth_of


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as found:
        main(list(arguments))
    return int(found.value.code or 0)


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    toy = synth_of("toy")
    path = tmp_path / "dull.toy"
    path.write_bytes(toy.write(replace(toy.init().with_values(filter_on=1.0, cutoff=60.0), name="Dull *one*")))
    return path


def test_a_preset_is_told_in_markdown(preset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("explain", str(preset), "--hold", "0.2", "--total", "0.4", "--note", "C3") == 0
    text = capsys.readouterr().out
    assert text.startswith(r"# How to build “Dull \*one\*” with Toy")
    assert "at C3, velocity 102, held for 0.2 s" in text
    assert "- Cutoff: **60 semitones**" in text
    assert "darker" in text


def test_the_json_is_a_tutorial_that_executes(preset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy = synth_of("toy")
    out = tmp_path / "told.json"
    assert ended("explain", str(preset), "--out", str(out), "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    for found in (answer, json.loads(out.read_text())):
        assert execute(tutorial_of(found, toy.init())) == toy.read(preset)
    assert answer["files"] == [str(out)]
    assert ended("explain", str(preset), "--out", str(out)) == 2
    assert "--force" in capsys.readouterr().err
    assert ended("explain", str(preset), "--out", str(out), "--force") == 0


def test_a_match_is_told_beside_its_presets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    at = np.arange(17_640) / 44_100
    soundfile.write("tone.wav", 0.5 * np.sin(2 * np.pi * 220 * at) * np.exp(-4 * at), 44_100)
    match = ("match", "tone.wav", "--synth", "toy", "--track", "knobs", "--renders", "40", "--top", "2", "--out", "out")
    assert ended(*match) == 0
    capsys.readouterr()
    assert ended("explain", "out", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["note"]["pitch"] == pytest.approx(57, abs=0.5)  # the note that was matched
    assert answer["files"] == ["out/01-tone.tutorial.md", "out/01-tone.tutorial.json"]
    assert "with Toy" in Path("out/01-tone.tutorial.md").read_text()
    toy = synth_of("toy")
    assert execute(tutorial_of(answer, toy.init())) == toy.read(Path("out/01-tone.toy"))
    assert ended("explain", "out") == 2  # they are there
    presets = len(list(Path("out").glob("*.toy")))
    assert ended("explain", "out", "--rank", str(presets + 1)) == 2
    assert f"has {presets} presets" in capsys.readouterr().err


def test_bad_input_is_refused(preset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, word in (
        ((str(tmp_path),), "card.json"),
        ((str(preset), "--rank", "2"), "--rank"),
        ((str(preset), "--out", "told.pdf"), ".md"),
        ((str(preset), "--prose"), "--model"),
        ((str(preset), "--prose", "--model", "x", "--endpoint", "ftp://x"), "web address"),
        ((str(preset), "--note", "H9"), "H9"),
        (("absent.toy",), "does not exist"),
    ):
        assert ended("explain", *arguments) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert word in shown.err
        assert len(shown.err.splitlines()) == 1
    (tmp_path / "card.json").write_text('{"matches": [{"note": {}}]}')
    assert ended("explain", str(tmp_path)) == 2
    assert "not understood" in capsys.readouterr().err


def test_a_match_explains_its_nearest_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    at = np.arange(17_640) / 44_100
    soundfile.write("<tone>.wav", 0.5 * np.sin(2 * np.pi * 220 * at) * np.exp(-4 * at), 44_100)
    match = (
        "match",
        "<tone>.wav",
        "--synth",
        "toy",
        "--track",
        "knobs",
        "--renders",
        "30",
        "--top",
        "1",
        "--out",
        "out",
    )
    assert ended(*match, "--explain") == 0
    toy = synth_of("toy")
    tutorial = tutorial_of(json.loads(Path("out/01-tone.tutorial.json").read_text()), toy.init())
    assert execute(tutorial) == toy.read(Path("out/01-tone.toy"))
    page = Path("out/report.html").read_text()
    assert page.count("How to build it") == 1
    for step in tutorial.steps:
        assert f"<strong>{step.title}</strong>" in page
        for change in step.changes:
            assert change.value in page
    card = json.loads(Path("out/card.json").read_text())
    assert {"01-tone.tutorial.md", "01-tone.tutorial.json"} <= set(card["files"])
    capsys.readouterr()
    assert ended(*match, "--force") == 0  # a run without it takes the stale tutorial away
    assert not list(Path("out").glob("*.tutorial.*"))
    assert "How to build it" not in Path("out/report.html").read_text()
