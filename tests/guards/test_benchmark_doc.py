"""What docs/benchmark.md says to do works: its code runs in order, and it names the arms and metrics there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from menura.audio import Audio, write_audio
from menura.evaluation.arms import ARMS
from menura.evaluation.metrics import METRICS
from menura.note import Note
from menura.synths.registry import synth_of

DOC = Path(__file__).resolve().parents[2] / "docs" / "benchmark.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOC.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_its_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = synth_of("toy")
    sound = toy.render(toy.init(), Note(57.0, hold=0.3, total=0.5))
    (tmp_path / "plucks").mkdir()
    lines = ["file,category,source,midi_pitch"]
    for number in range(2):
        write_audio(tmp_path / "plucks" / f"{number}.wav", Audio(sound.samples, sound.sample_rate))
        lines.append(f"{number}.wav,plucked,studio {number},57")
    (tmp_path / "plucks" / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "sets.toml").write_text("\n".join(blocks("toml")), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for registry in (ARMS, METRICS):  # what the page registers is gone after the test
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    names: dict[str, object] = {"__name__": "doc"}
    for code in blocks("python"):
        exec(compile(code, "docs/benchmark.md", "exec"), names)
    table = (tmp_path / "bench" / "plucks" / "table.md").read_text(encoding="utf-8")
    assert "| random-four | 2 | 0 | 0 |" in table
    assert "|Crest\\| dB → 0" in table
    assert (tmp_path / "bench" / "plucks" / "index.html").is_file()


def test_it_names_every_arm_and_metric() -> None:
    text = DOC.read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z0-9-]+)`", text[text.index("## Arms") : text.index("## Metrics")]))
    assert set(ARMS) <= told
    table = text[text.index("## Metrics") : text.index("**Product figures**")]
    assert all(METRICS.get(name).title in table for name in METRICS)
