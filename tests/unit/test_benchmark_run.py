"""Runs of the benchmark on the toy synth: accidents, interruptions, and the same table whatever happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from menura.audio import Audio, write_audio
from menura.datasets.item import Item, SoundSet
from menura.errors import InputError, OutputError, UnknownNameError
from menura.evaluation import runner
from menura.evaluation.arms import ARMS, INIT, RANDOM_BEST, arms_of
from menura.evaluation.benchmark import run_benchmark
from menura.evaluation.results import ROWS, RunFolder, in_order, read_rows, read_run, safe_name
from menura.synths.registry import synth_of

RATE = 44_100
ARMS_HERE = ("init", "random", "random-best", "cmaes")
FEW = {"synth": "toy", "renders": 8, "metrics": ("mss", "sot"), "playing": False, "top": 2}


def tone(hz: float, seconds: float = 0.4) -> Audio:
    time_ = np.arange(int(seconds * RATE)) / RATE
    wave = np.sum([np.sin(2 * np.pi * hz * k * time_) / k for k in range(1, 9)], axis=0)
    return Audio((0.3 * wave).astype(np.float32), RATE)


@pytest.fixture
def sounds(tmp_path):
    """Three tones of two instruments, the files in a folder of their own."""
    items = []
    for number, pitch in enumerate((45, 57, 64)):
        path = tmp_path / "sounds" / f"tone {pitch}.wav"
        write_audio(path, tone(440.0 * 2.0 ** ((pitch - 69) / 12)))
        items.append(
            Item(id=f"tones/{pitch}", sound=path, pitch=float(pitch), category="tone", source=f"maker{number % 2}")
        )
    return SoundSet("three-tones", tuple(items), {"made by": "a test"})


def stripped(folder):
    """Rows in the run's order without what a clock says."""
    rows = in_order(read_rows(folder), read_run(folder))
    for row in rows:
        for name in ("seconds", "engine_seconds"):
            row.pop(name, None)
        row["curve"] = [[renders, mss] for renders, _, mss in row.get("curve", [])]
    return rows


def test_every_arm_on_every_sound_whatever_the_workers(sounds, tmp_path):
    lines = []
    run_benchmark(sounds, ARMS_HERE, tmp_path / "a", workers=2, tell=lines.append, **FEW)
    rows = stripped(tmp_path / "a")
    assert [(row["item"], row["arm"]) for row in rows] == [
        (item.key, arm) for item in sounds.items for arm in ARMS_HERE
    ]
    assert not [row for row in rows if "error" in row]
    assert len(lines) == 12
    assert "left" in lines[0]
    assert "left" not in lines[-1]
    for row in rows:
        assert row["metrics"]["mss"] == row["best_of"]["1"] >= min(row["best_of"].values())
        assert (tmp_path / "a" / row["files"]["preset"]).read_bytes().startswith(b"{")
        assert row["curve"] == sorted(row["curve"])
        assert row["renders"] <= (2 if row["arm"] in ("init", "random") else 8)
    by_arm = {arm: np.mean([r["metrics"]["mss"] for r in rows if r["arm"] == arm]) for arm in ARMS_HERE}
    assert by_arm["random-best"] < by_arm["random"]
    run_benchmark(sounds, ARMS_HERE, tmp_path / "b", workers=0, **FEW)
    assert stripped(tmp_path / "b") == rows
    run_benchmark(sounds, ["random-best"], tmp_path / "c", workers=0, seed=1, **FEW)
    assert [r["metrics"] for r in stripped(tmp_path / "c")] != [r["metrics"] for r in rows if r["arm"] == "random-best"]


def test_an_interrupted_run_goes_on_and_does_nothing_twice(sounds, tmp_path):
    whole, cut, told = tmp_path / "whole", tmp_path / "cut", []
    run_benchmark(sounds, ["init", "random-best"], whole, workers=0, **FEW)

    def stop_after_two(line):
        told.append(line)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_benchmark(sounds, ["init", "random-best"], cut, workers=0, tell=stop_after_two, **FEW)
    with (cut / ROWS).open("a") as file:
        file.write('{"arm": "init", "item": "tones/64", "metr')  # a line that a kill cut short
    before = (cut / ROWS).read_text().splitlines()[:2]
    folder = run_benchmark(sounds, ["init", "random-best"], cut, workers=2, tell=told.append, **FEW)
    assert stripped(cut) == stripped(whole)
    assert (cut / ROWS).read_text().splitlines()[:2] == before
    assert len((cut / ROWS).read_text().splitlines()) == 6 == len(folder.rows)
    run_benchmark(sounds, ["init", "random-best"], cut, workers=2, **FEW)
    assert len(read_rows(cut)) == 6
    run_benchmark(sounds, ["random"], cut, workers=0, **FEW)  # one more arm
    assert [arm["name"] for arm in read_run(cut)["arms"]] == ["init", "random-best", "random"]
    assert len(read_rows(cut)) == 9
    with pytest.raises(OutputError, match="seed"):
        run_benchmark(sounds, ["init"], cut, workers=0, seed=5, **FEW)
    assert len(read_rows(cut)) == 9
    run_benchmark(sounds, ["init"], cut, workers=0, seed=5, force=True, **FEW)
    assert len(read_rows(cut)) == 3


def test_a_killed_run_leaves_no_process_and_goes_on(sounds, tmp_path):
    """SIGKILL of the whole command, as a power cut or the scheduler of a cluster does it."""
    out = tmp_path / "run"
    listed = [[item.id, str(item.sound), item.pitch] for item in sounds.items]
    script = textwrap.dedent(f"""
        from pathlib import Path
        from menura.datasets.item import Item, SoundSet
        from menura.evaluation.benchmark import run_benchmark
        if __name__ == "__main__":
            items = tuple(Item(id=i, sound=Path(s), pitch=p) for i, s, p in {listed!r})
            run_benchmark(SoundSet("s", items), ["random-best", "cmaes"], {str(out)!r}, workers=2, synth="toy",
                          renders=200, metrics=("mss",), playing=False)
    """)
    (tmp_path / "go.py").write_text(script)
    command = [sys.executable, str(tmp_path / "go.py")]
    running = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    until = time.monotonic() + 60.0
    while time.monotonic() < until and not ((out / ROWS).exists() and (out / ROWS).read_text().count("\n") >= 2):
        assert running.poll() is None
        time.sleep(0.02)
    children = _descendants(running.pid)
    assert len(children) >= 2
    running.send_signal(signal.SIGKILL)
    running.wait()
    held = (out / ROWS).read_text().splitlines()
    assert 2 <= len(held) < 6
    until = time.monotonic() + 15.0
    while time.monotonic() < until and any(_alive(pid) for pid in children):
        time.sleep(0.1)
    assert not [pid for pid in children if _alive(pid)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, timeout=120)
    after = (out / ROWS).read_text().splitlines()
    assert len(after) == 6 == len(read_rows(out))
    whole = [line for line in held if line.endswith("}")]
    assert after[: len(whole)] == whole


BROKEN = """
import os
from dataclasses import dataclass
from menura.evaluation.answer import Answer

@dataclass(frozen=True)
class Broken:
    name: str
    kind: str
    what: str = "an arm that goes wrong"
    track: str = "knobs"
    optimised: tuple = ()

    def answer(self, case):
        if self.kind == "raise":
            raise ZeroDivisionError("three by zero")
        if self.kind == "die":
            os._exit(11)
        if self.kind == "nothing":
            return Answer(note=case.target.note)
        preset = case.synth.init()
        return Answer(note=case.target.note, presets=(preset.__class__(
            **{**{f: getattr(preset, f) for f in preset.__dataclass_fields__ if f != "blocks"},
               "blocks": {"harmonics": [1.0], "fault": "crash"}}),))
"""


class Breaking(ProcessPoolExecutor):
    """Processes that die just before the third job is handed to them."""

    handed = 0

    def submit(self, fn, /, *args, **named):
        Breaking.handed += 1
        if Breaking.handed == 3:
            for process in list((self._processes or {}).values()):
                process.kill()
            until = time.monotonic() + 60
            while not self._broken and time.monotonic() < until:  # pyright: ignore[reportAttributeAccessIssue]
                time.sleep(0.01)
        return super().submit(fn, *args, **named)


def test_a_job_that_broken_processes_refuse_is_not_lost(sounds, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "ProcessPoolExecutor", Breaking)
    monkeypatch.setattr(Breaking, "handed", 0)
    run_benchmark(SoundSet("s", sounds.items[:2]), ["init", "random"], tmp_path / "run", workers=2, **FEW)
    assert Breaking.handed > 4
    assert len(read_rows(tmp_path / "run")) == 4


def test_accidents_cost_their_own_row(sounds, tmp_path, monkeypatch):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "broken_arms.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path / "code")
    from broken_arms import Broken  # pyright: ignore[reportMissingImports]

    missing = replace(sounds.items[0], id="gone", sound=tmp_path / "gone.wav")
    told = replace(sounds.items[0], id="bad row", error="line 7: the pitch is 'high'; give 0 to 127")
    (tmp_path / "noise.wav").write_bytes(b"no sound")
    junk = replace(sounds.items[0], id="junk", sound=tmp_path / "noise.wav")
    items = (*sounds.items[:2], missing, told, junk)
    arms = [Broken(kind, kind) for kind in ("raise", "die", "nothing", "crash")]
    run_benchmark(SoundSet("s", items), ["init", *arms], tmp_path / "run", workers=2, **FEW)
    rows = {(row["arm"], row["item"]): row for row in read_rows(tmp_path / "run")}
    assert len(rows) == 25
    for key in ("tones/45", "tones/57"):
        assert "metrics" in rows["init", key]
        assert "ZeroDivisionError: three by zero" in rows["raise", key]["error"]
        assert "process died" in rows["die", key]["error"]
        assert "neither a preset nor a sound" in rows["nothing", key]["error"]
        assert "does not render" in rows["crash", key]["error"]
    for key, said in (("gone", "gone.wav"), ("bad row", "line 7"), ("junk", "noise.wav")):
        assert all(said in rows[arm, key]["error"] for arm in ("init", "raise", "nothing", "crash"))
    # What was mended is done again on request, and nothing else.
    write_audio(tmp_path / "gone.wav", tone(220.0))
    told_lines = []
    run_benchmark(
        SoundSet("s", items), ["init"], tmp_path / "run", workers=0, retry=True, tell=told_lines.append, **FEW
    )
    rows = {(row["arm"], row["item"]): row for row in read_rows(tmp_path / "run")}
    assert "metrics" in rows["init", "gone"]
    assert sum(line.startswith("[") for line in told_lines) == 3


def test_arms_by_name_and_from_a_folder(sounds, tmp_path):
    toy = synth_of("toy")
    answers = tmp_path / "other tool"
    answers.mkdir()
    (answers / f"{safe_name('tones/45')}.toy").write_bytes(toy.write(toy.init()))
    write_audio(answers / f"{safe_name('tones/57')}.wav", tone(220.0))
    arms = [f"external:other={answers}", "noise-floor", "resampled", "resynthesis"]
    run_benchmark(sounds, arms, tmp_path / "run", workers=0, **FEW)
    rows = {(row["arm"], row["item"]): row for row in read_rows(tmp_path / "run")}
    assert "preset" in rows["other", "tones/45"]["files"]
    assert rows["other", "tones/57"]["metrics"]["mss"] < 0.5
    assert "tones_64" in rows["other", "tones/64"]["error"]
    assert "not known" in rows["noise-floor", "tones/45"]["skipped"]
    assert "pair" in rows["resampled", "tones/45"]["skipped"]
    assert "Vital" in rows["resynthesis", "tones/45"]["skipped"]
    with pytest.raises(UnknownNameError, match="random-best"):
        arms_of(["random-bets"])
    for wrong in ([], ["init", "init"], ["external:x"], [f"external:x={tmp_path / 'absent'}"]):
        with pytest.raises(InputError):
            arms_of(wrong)
    assert {"init", "random", "random-best", "cmaes", "resynthesis", "full", "noise-floor", "knobs"} <= set(ARMS)


def test_a_pair_is_judged_at_the_other_note(sounds, tmp_path):
    low, high = sounds.items[0], sounds.items[1]
    pair = Item(
        id="45 -> 57", sound=low.sound, pitch=45.0, judged=high.sound, judged_pitch=57.0, source="maker0", category="t"
    )
    run_benchmark(SoundSet("pairs", (pair,)), ["resampled", "random-best"], tmp_path / "run", workers=0, **FEW)
    rows = {row["arm"]: row for row in read_rows(tmp_path / "run")}
    assert rows["random-best"]["note"]["pitch"] == 57.0
    # A steady saw at twice the speed is the saw an octave up, for half as long.
    assert rows["resampled"]["metrics"]["sot"] < 0.5
    assert rows["resampled"]["note"]["pitch"] == 57.0


def test_the_floor_and_the_parameters_of_a_known_preset(tmp_path):
    toy = synth_of("toy")
    author = toy.init().with_values(phase_random=1.0, cutoff=80.0, filter_on=1.0)
    from menura.note import Note

    note = Note(57.0, 0.8, 0.3, 0.5)
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "a.toy").write_bytes(toy.write(toy.freeze(author)))
    (tmp_path / "truth" / "a.original.toy").write_bytes(toy.write(author))
    write_audio(tmp_path / "a.wav", toy.render(toy.freeze(author), note))
    item = Item(
        id="a", sound=tmp_path / "a.wav", note=note, pitch=57.0, preset=tmp_path / "truth" / "a.toy",
        original=tmp_path / "truth" / "a.original.toy", synth="toy",
    )  # fmt: skip
    run_benchmark(SoundSet("p", (item,)), ["noise-floor", "random-best"], tmp_path / "run", workers=0, **FEW)
    rows = {row["arm"]: row for row in read_rows(tmp_path / "run")}
    assert 0.0 < rows["noise-floor"]["metrics"]["mss"] < rows["random-best"]["metrics"]["mss"]
    assert rows["random-best"]["parameters"]
    assert "parameters" not in rows["noise-floor"]


def test_what_stands_in_the_way(sounds, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        run_benchmark(sounds, ["init"], tmp_path / "mine", workers=0, **FEW)
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["thesis.txt"]
    with pytest.raises(UnknownNameError):
        run_benchmark(sounds, ["init"], tmp_path / "r", workers=0, **{**FEW, "metrics": ("mse",)})
    with pytest.raises(InputError, match="workers"):
        run_benchmark(sounds, ["init"], tmp_path / "r", workers=-1, **FEW)
    with pytest.raises(InputError, match="cannot be sent"):
        run_benchmark(sounds, [replace(INIT, stages=lambda _s: [])], tmp_path / "s", workers=2, **FEW)
    assert RANDOM_BEST.optimised
    with pytest.raises(OutputError):
        read_run(tmp_path / "mine")
    assert RunFolder(tmp_path / "none").rows == []


def _descendants(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError):
                continue
            if parent == pid:
                found += [int(folder.name), *_descendants(int(folder.name))]
    return found


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
