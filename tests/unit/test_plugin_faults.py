"""A plug-in that aborts, hangs, lies or plays no numbers costs one answer and a clear word."""

from __future__ import annotations

import importlib.util
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from menura.errors import EngineError, RenderError
from menura.note import Note
from menura.synths.plugins import scan
from menura.synths.plugins.folders import Location, at_path
from menura.synths.plugins.plugin import Plugin
from menura.synths.plugins.worker import isolated
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of
from misbehaving import ABORTS, EMPTY, HANGS, built

SHORT = Note(57.0, 0.8, 0.1, 0.2)
ABORT, HANG, NAN = 0.25, 0.5, 0.75


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("dawdreamer") is None and not os.environ.get("CI"):
        pytest.skip("the plug-in host is not installed: pip install 'menura[plugins]'")
    return tmp_path_factory.mktemp("plugins")


@pytest.fixture(scope="module")
def plugin(folder: Path) -> Plugin:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MENURA_CACHE", str(folder / "cache"))
        found = synth_of(f"plugin:{built(folder)}")
        assert isinstance(found, Plugin)
        return found


@pytest.fixture(autouse=True)
def cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENURA_CACHE", str(folder / "cache"))


def test_probing_finds_what_each_control_is(plugin: Plugin) -> None:
    probe = plugin.probe
    assert [one.name for one in probe.controls][-1] == "Nothing (2)"
    assert probe.by_name["Shape"].labels == ("Sine", "Hum", "Buzz")
    assert plugin.space["Shape"].kind == "choice"
    assert not probe.by_name["Stuck"].held
    assert plugin.space.names == ("Level", "Shape", "Nothing", "Nothing (2)")
    assert probe.inert == ("Nothing", "Nothing (2)")
    assert (probe.silent, probe.repeats, probe.chunk, probe.bend, probe.version) == (False, True, False, 0.0, 7)
    assert probe.uid == b"Menu".hex()


def test_chance_is_frozen(plugin: Plugin) -> None:
    first, second = (plugin.render(plugin.init(), SHORT).samples for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    frozen = plugin.freeze(plugin.init())
    first, second = (plugin.render(frozen, SHORT).samples for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("fault", "word"), [(ABORT, "crashed"), (HANG, "took longer than 2 s"), (NAN, "not finite")], ids=str
)
def test_a_fault_costs_one_render(plugin: Plugin, fault: float, word: str) -> None:
    good = plugin.freeze(plugin.init())
    bad = good.with_values(**{"Bypass Fault": fault})
    with RenderPool(plugin.name, workers=1, timeout=2.0) as pool:
        results = pool.render_many([(good, SHORT), (bad, SHORT), (good, SHORT)])
    assert [one.ok for one in results] == [True, False, True]
    assert word in str(results[1].error)
    assert results[0].audio is not None
    assert results[2].audio is not None
    np.testing.assert_array_equal(results[0].audio.samples, results[2].audio.samples)


def test_a_worker_that_is_killed_is_replaced(plugin: Plugin) -> None:
    good = plugin.freeze(plugin.init())
    with RenderPool(plugin.name, workers=1) as pool:
        assert pool.render_many([(good, SHORT)])[0].ok
        for process in pool.processes():
            os.kill(process, signal.SIGKILL)
        again = pool.render_many([(good, SHORT), (good, SHORT)])
    assert again[-1].ok


def test_the_caller_survives_a_crash(plugin: Plugin) -> None:
    bad = plugin.init().with_values(**{"Bypass Fault": ABORT})
    with pytest.raises(RenderError, match="crashed"):
        plugin.render(bad, SHORT)
    assert plugin.render(plugin.init(), SHORT).samples.any()


def test_a_control_that_is_dropped_is_told(plugin: Plugin) -> None:
    moved = plugin.init().with_values(Stuck=0.9)
    assert plugin.render(moved, SHORT).samples.any()  # it is known not to stay, and left alone
    believed = isolated("plugin_faults:dropped", plugin.location, plugin.probe, seconds=30.0)
    assert "did not take 1 of 1 controls: Stuck (0.500 for 0.900)" in believed


def test_scanning_survives_all_of_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder / "scan"
    built(place, "aborts", ABORTS)
    built(place, "empty", EMPTY)
    built(place, "good")
    built(place, "hangs", HANGS)
    (place / "text.so").write_text("no library")
    monkeypatch.setattr("menura.synths.plugins.scan.plugins", lambda: [at_path(one) for one in sorted(place.iterdir())])
    monkeypatch.setattr("menura.synths.plugins.scan.SECONDS", 3.0)
    lines = {Path(line.place).stem: line for line in scan.scan()}
    kinds = {name: line.kind for name, line in lines.items()}
    assert kinds == {
        "aborts": "broken",
        "empty": "instrument",
        "good": "instrument",
        "hangs": "broken",
        "text": "broken",
    }
    assert "SIGABRT" in lines["aborts"].problem
    assert "hung" in lines["hangs"].problem
    assert lines["good"].parameters == 7
    # Known lines hold: nothing is loaded again, so the one that hangs is told at once.
    monkeypatch.setattr("menura.synths.plugins.scan.isolated", None)
    assert list(scan.scan()) == list(lines.values())


def test_what_cannot_be_loaded_is_no_synth(folder: Path) -> None:
    place = folder / "broken"
    with pytest.raises(EngineError, match=r"cannot be used: it crashed: its process ended by SIGABRT"):
        Plugin(at_path(built(place, "aborts", ABORTS)))
    with pytest.raises(EngineError, match="there is no plug-in at"):
        synth_of(f"plugin:{place}/absent.so")


def test_work_that_raises_is_told_by_name() -> None:
    with pytest.raises(EngineError, match="it failed: ZeroDivisionError"):
        isolated("operator:truediv", 1, 0, seconds=30.0)
    assert isolated("operator:add", 1, 2, seconds=30.0) == 3
    location = Location("vst2", "/nowhere.so", "/nowhere.so")
    with pytest.raises(EngineError, match="does not load"):
        isolated("menura.synths.plugins.scan:glance", location, seconds=30.0)
