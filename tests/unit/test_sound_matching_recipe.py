"""The recipe of sound matching from a proxy to its tables, with the toy synth as the real engine in the loop."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.audio import Audio, write_audio
from menura.errors import InputError
from menura.note import Note
from menura.synths.registry import synth_of
from recipes import RECIPES, recipe_named

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")
pytest.importorskip("lightning_fabric", reason="Lightning Fabric is not installed: pip install -e '.[train]'")

from menura.models.spectrogram_cnn import read_cnn  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def asked(recipe: Any, monkeypatch: pytest.MonkeyPatch, out: Path, stage: str, *more: str) -> None:
    common = ["--synth", "toy", "--size", "tiny", "--out", str(out), "--accelerator", "cpu"]
    monkeypatch.setattr(sys, "argv", ["", stage, *common, "--threads", "1", "--workers", "1", *more])
    recipe.main()


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny corpora of the toy and a proxy."""
    out = tmp_path_factory.mktemp("proxies")
    recipe = recipe_named("neural_proxies")
    with pytest.MonkeyPatch.context() as patch:
        for stage in ("corpus", "train"):
            asked(recipe, patch, out, stage, "--embedder", "mel128", "--encoder", "TFM")
    return out


def proxy_file(out: Path) -> Path:
    return out / "toy" / "runs" / "TFM-mel128-96-0" / "proxy-l1.safetensors"


def test_from_a_proxy_to_the_tables(
    proxies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = recipe_named("sound_matching"), tmp_path / "run"
    shutil.copytree(proxies, out)
    proxy = ("--proxy", str(proxy_file(out)))
    recordings = tmp_path / "recordings"
    for number, pitch in enumerate((60, 72)):
        times = np.arange(44_100) / 44_100.0
        tone = 0.5 * np.sin(2.0 * np.pi * 440.0 * 2.0 ** ((pitch - 69) / 12.0) * times) * np.exp(-3.0 * times)
        write_audio(recordings / f"{number}.wav", Audio(tone[None].astype(np.float32), 44_100))
    manifest = recordings / "manifest.csv"
    manifest.write_text("file,midi_pitch\n0.wav,60\n1.wav,72\n", encoding="utf-8")
    asked(recipe, monkeypatch, out, "targets", *proxy)
    asked(recipe, monkeypatch, out, "train", *proxy)
    runs = out / "toy" / "matching" / "drawn" / "runs"
    assert {path.name for path in runs.iterdir()} == {"ploss-0", "mix-0", "switch-0"}
    network, space, card = read_cnn(runs / "mix-0" / "estimator.safetensors")
    assert card["embedder"]["name"] == "mel128"
    assert card["best"]["metric"] == "audio"
    assert network.head.dim == space.dim
    capsys.readouterr()
    asked(recipe, monkeypatch, out, "evaluate", *proxy, "--real", str(manifest))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["arm"] for line in lines] == ["truth", "usual", "ploss", "mix", "switch"]
    # The engine plays the target's own parameters as the target; nothing else is as near.
    assert lines[0]["in-domain"]["audio"] < 0.05
    assert min(line["in-domain"]["audio"] for line in lines[1:]) > 0.5
    assert set(lines[1]) > {"recordings, played at C4", "recordings, played at its pitch"}
    scores = json.loads((out / "toy" / "matching" / "drawn" / "mix-0.json").read_text())
    assert set(scores["sets"]["in-domain"]["rows"][0]) >= {"continuous_l1", "toggle_accuracy", "choice_accuracy", "mel"}
    assert "continuous_l1" not in scores["sets"]["recordings, played at C4"]["rows"][0]
    asked(recipe, monkeypatch, out, "table")
    text = capsys.readouterr().out
    assert text == (out / "sound-matching.md").read_text()
    assert [line.split(",")[0] for line in text.splitlines() if line.startswith("Table")] == [
        "Table 5",
        "Table 6",
        "Table 6",
    ]
    assert "mn20" in text
    assert f"| {card['best']['step']} of 12 |" in text
    assert sum(" PLoss |" in line for line in text.splitlines()) == 3
    # All is there: nothing is trained again.
    written = {path: path.stat().st_mtime_ns for path in runs.rglob("state.pt")}
    asked(recipe, monkeypatch, out, "train", *proxy)
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("state.pt")} == written


def test_presets_by_people_are_split_and_played(
    proxies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out, toy = recipe_named("sound_matching"), tmp_path / "run", synth_of("toy")
    shutil.copytree(proxies, out)
    monkeypatch.setitem(recipe.SIZES, "tiny", replace(recipe.SIZES["tiny"], steps=4, checks=1))
    named = ("--proxy", str(proxy_file(out)), "--presets", "human")
    with pytest.raises(SystemExit):
        asked(recipe, monkeypatch, out, "targets", *named)
    assert "with --bank" in capsys.readouterr().err
    bank = tmp_path / "bank"
    bank.mkdir()
    for number, vector in enumerate(toy.space.sample(np.random.default_rng(4), 64)):
        # A drawn wave holds its harmonics beside the space, as a wavetable does: not of these.
        vector[toy.space.index("wave")] = min(vector[toy.space.index("wave")], 2.0 / 3.0)
        (bank / f"{number}.toy").write_bytes(toy.write(toy.space.decode(vector, toy.init())))
    asked(recipe, monkeypatch, out, "targets", *named, "--bank", str(bank))
    counts = {
        line.split(":")[0]: int(line.split()[1]) for line in capsys.readouterr().err.splitlines() if "peak" in line
    }
    assert set(counts) == {"train", "validation", "test"}
    assert counts["train"] > counts["validation"] > 0 < counts["test"]
    asked(recipe, monkeypatch, out, "train", *named, "--schedule", "switch")
    asked(recipe, monkeypatch, out, "evaluate", *named, "--schedule", "switch")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["arm"] for line in lines] == ["truth", "usual", "switch"]
    assert lines[0]["in-domain"]["audio"] < 0.05 < lines[2]["in-domain"]["audio"]
    asked(recipe, monkeypatch, out, "table")
    assert " human presets, 4 steps of 8" in capsys.readouterr().out


def test_wrong_proxies_are_refused(
    proxies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = recipe_named("sound_matching"), tmp_path / "run"
    shutil.copytree(proxies, out)
    path = proxy_file(out)
    card = json.loads(path.with_suffix(".json").read_text())

    def refused(*more: str) -> str:
        with pytest.raises(SystemExit) as ended:
            asked(recipe, monkeypatch, out, "train", *more)
        assert ended.value.code == 2
        told = capsys.readouterr().err
        assert "Traceback" not in told
        return told

    assert "give --proxy FILE" in refused()
    named = ("--proxy", str(path))
    path.with_suffix(".json").write_text(json.dumps({**card, "source_space": "0" * 16}))
    assert "train one with this version" in refused(*named)
    other = {**card, "embedder": {"name": "mel128", "fingerprint": "0" * 64}}
    path.with_suffix(".json").write_text(json.dumps(other))
    assert "take weights that were trained with this embedder" in refused(*named)
    other = {**card, "embedder": {"name": "mfcc40", "fingerprint": "0" * 64}}
    path.with_suffix(".json").write_text(json.dumps(other))
    assert "keeps no mfcc40" in refused(*named)
    assert not (out / "toy" / "matching").exists()


def test_a_killed_run_comes_to_the_same_weights(proxies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, out, twin = recipe_named("sound_matching"), tmp_path / "run", tmp_path / "twin"
    shutil.copytree(proxies, out)
    asked(recipe, monkeypatch, out, "targets", "--proxy", str(proxy_file(out)))
    shutil.copytree(out, twin)
    more = ["--schedule", "mix", "--steps", "240"]
    common = ["--synth", "toy", "--size", "tiny", "--accelerator", "cpu", "--threads", "1", "--workers", "1"]
    command = [sys.executable, str(RECIPES / "sound_matching.py"), "train", *common, "--out", str(out)]
    command += ["--proxy", str(proxy_file(out)), *more]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    run = out / "toy" / "matching" / "drawn" / "runs" / "mix-0"
    deadline = time.monotonic() + 240.0
    while not (run / "state.pt").exists():
        assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (run / "estimator.safetensors").exists()
    asked(recipe, monkeypatch, out, "train", "--proxy", str(proxy_file(out)), *more)
    asked(recipe, monkeypatch, twin, "train", "--proxy", str(proxy_file(twin)), *more)
    twins = twin / "toy" / "matching" / "drawn" / "runs" / "mix-0" / "estimator.safetensors"
    assert (run / "estimator.safetensors").read_bytes() == twins.read_bytes()


def test_recordings_are_as_long_and_loud_as_what_was_learnt(tmp_path: Path) -> None:
    recipe_named("sound_matching")
    targets = recipe_named("sound_targets")
    times = np.arange(88_200) / 44_100.0
    tone = np.concatenate([np.zeros(22_050), 0.02 * np.sin(2.0 * np.pi * 523.25 * times)])
    write_audio(tmp_path / "sounds" / "C5.wav", Audio(tone[None].astype(np.float32), 44_100))
    (tmp_path / "sounds" / "manifest.csv").write_text("file,midi_pitch\nC5.wav,72\n", encoding="utf-8")
    told = Namespace(real=str(tmp_path / "sounds"), workers=1)
    _, (found,) = targets.recordings(5, tmp_path, 0.4, told)
    assert float(np.abs(found.samples).max()) == pytest.approx(0.4, abs=0.01)
    assert found.samples.shape == (48_000,)
    assert found.notes["at its pitch"] == Note(72.0, 0.8, 1.0, 1.5)
    # Heard as it is, and an octave lower.
    rows = {how: int(picture.astype(np.float32).mean(axis=0).argmax()) for how, picture in found.pictures.items()}
    assert rows["at its pitch"] < rows["at C4"]
    (tmp_path / "sounds" / "C5.wav").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no sound that can be used"):
        targets.recordings(5, tmp_path, 0.4, told)
