"""Surge XT through its Python module: found without being loaded, called in the right order, its numbers taken over.

The module itself is not there where menura is developed: `surgepy_surface` stands for its outside. What it sounds like
is asked in tests/contracts/test_synths.py, where it is importable.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from menura.errors import EngineError, PresetError, RenderError
from menura.note import Note
from menura.synths.plugins.adapters import SurgeXt
from menura.synths.plugins.folders import short_name
from menura.synths.plugins.fxp import Fxp
from menura.synths.plugins.host import open_plugin
from menura.synths.plugins.spec import plain
from menura.synths.plugins.surge_engine import find_surgepy
from menura.synths.plugins.worker import isolated
from menura.synths.pool import RenderPool

SURFACE = Path(__file__).parents[1] / "surgepy_surface.py"
RATE = 44_100
SETTLED = 138
"""Blocks of 32 samples in the tenth of a second before a note."""


def put(folder: Path, text: str) -> None:
    """A package `surgepy` in a folder."""
    (folder / "surgepy").mkdir()
    (folder / "surgepy" / "__init__.py").write_text(text)


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No module of that name is loaded, before and after."""
    monkeypatch.delitem(sys.modules, "surgepy", raising=False)
    importlib.invalidate_caches()
    yield
    sys.modules.pop("surgepy", None)


@pytest.fixture
def surface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None) -> ModuleType:
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    put(tmp_path, SURFACE.read_text())
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("surgepy")


def played(note: Note, bend: int = 0, sample_rate: int = RATE, values: dict[str, float] | None = None) -> np.ndarray:
    location = find_surgepy()
    assert location is not None
    instance = open_plugin(location, sample_rate)
    rows = {row.name: row.index for row in instance.described()}
    for name, raw in (values or {}).items():
        instance.set(rows[name], raw)
    sys.modules["surgepy"].calls.clear()
    return instance.play(note, sample_rate, bend)


def test_it_is_found_without_being_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None) -> None:
    put(tmp_path, "raise RuntimeError('loaded')")
    monkeypatch.syspath_prepend(tmp_path)
    found = find_surgepy()
    assert found is not None
    assert found.file == str(tmp_path / "surgepy" / "__init__.py")
    # As pip builds it: the binary in the package decides what it does, so its content is what a probe is kept by.
    binary = tmp_path / "surgepy" / f"_surgepy{EXTENSION_SUFFIXES[0]}"
    binary.write_bytes(b"")
    found = find_surgepy()
    assert found is not None
    assert (found.file, found.stem, short_name(found)) == (str(binary), "Surge XT", "surgepy")
    assert "surgepy" not in sys.modules
    monkeypatch.setitem(sys.modules, "surgepy", None)
    assert find_surgepy() is None


def test_a_module_that_does_not_load_or_is_another_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None
) -> None:
    put(tmp_path, "raise ImportError('undefined symbol: PyLong')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EngineError, match=r"does not load \(undefined symbol: PyLong\); build it again"):
        isolated("menura.synths.plugins.surge_engine:surge_version", seconds=60)
    (tmp_path / "surgepy" / "__init__.py").write_text("def createSurge(rate): return None\ngetVersion = str")
    found = find_surgepy()
    assert found is not None
    with pytest.raises(EngineError, match="does not know this version of the Python module surgepy"):
        open_plugin(found, RATE)


def test_a_note_is_played_in_whole_blocks_and_cut(surface: ModuleType) -> None:
    sound = played(Note(60.0, 0.8, 0.01, 0.025))
    assert surface.calls == [
        ("processMultiBlock", 0, SETTLED),
        ("playNote", 0, 60, 102, 0),
        ("processMultiBlock", SETTLED, 14),  # 441 samples held: 13.8 blocks
        ("releaseNote", 0, 60, 0),
        ("processMultiBlock", SETTLED + 14, 21),
    ]
    assert sound.shape == (2, 1102)
    assert sound.dtype == np.float32
    assert sound[0, 0] == SETTLED  # nothing of what came before the note, nothing of it lost
    assert sound[1, -1] == SETTLED + 34
    played(Note(60.0, 0.8, 2.0, 0.5))
    assert [call[0] for call in surface.calls] == ["processMultiBlock", "playNote", "processMultiBlock"]
    assert played(Note(60.0, 0.8, 0.05, 0.1), sample_rate=48_000).shape == (2, 4800)


def test_the_wheel_moves_by_the_range_of_the_scene_that_sounds(surface: ModuleType) -> None:
    def bent(pitch: float, **values: float) -> list[int]:
        named = {name.replace("_", " "): value for name, value in values.items()}
        played(Note(pitch, 0.8, 0.01, 0.01), values=named)
        return [call[2] for call in surface.calls if call[0] == "pitchBend"]

    assert bent(60.0) == []
    assert bent(60.25) == [1024]  # an eighth of two semitones
    assert bent(59.75) == [-1024]
    twelve, five = 0.005 + 0.99 * 12 / 24, 0.005 + 0.99 * 5 / 24
    assert bent(60.25, A_Pitch_Bend_Up_Range=twelve) == [round(0.25 / 12 * 8192)]
    assert bent(59.75, A_Pitch_Bend_Up_Range=twelve) == [-1024]
    assert bent(60.25, A_Pitch_Bend_Up_Range=0.005) == []  # it moves nothing: the nearest key
    assert bent(60.25, Active_Scene=0.995, B_Pitch_Bend_Up_Range=five) == [round(0.25 / 5 * 8192)]
    assert bent(60.25, Scene_Mode=0.67, Active_Scene=0.995, B_Pitch_Bend_Up_Range=five) == [1024]
    played(Note(60.0, 0.8, 0.01, 0.01), bend=4096)
    assert ("pitchBend", 0, 4096) in surface.calls


def test_raw_values_are_those_of_the_plug_in(surface: ModuleType) -> None:
    location = find_surgepy()
    assert location is not None
    instance = open_plugin(location, RATE)
    rows = {row.name: row for row in instance.described()}
    drift, split, retrigger = (rows[name] for name in ("A Osc Drift", "Split Point", "A Osc 1 Retrigger"))
    assert (drift.positions, retrigger.positions, retrigger.boolean) == ((), (0.0, 1.0), True)
    assert split.positions is not None
    assert (split.steps, split.positions[0], split.positions[-1]) == (128, 0.005, pytest.approx(0.995))
    for step, raw in enumerate(split.positions):  # as many steps as any control has, each met exactly
        instance.set(split.index, raw)
        assert instance.text(split.index) == f"{step}.00"
        assert instance.value(split.index) == float(np.float32(raw))
    instance.set(drift.index, 0.3)
    assert instance.value(drift.index) == pytest.approx(0.3, abs=1e-6)
    assert instance.standing()[drift.index] == instance.value(drift.index)
    with pytest.raises(RenderError, match="runs at 44100 Hz, not 48000"):
        instance.play(Note(), 48_000)


def test_the_synth_stands_on_it(surface: ModuleType) -> None:
    synth = SurgeXt()
    assert synth.suffix == ".fxp"
    assert synth.version.startswith("Surge XT ")
    assert synth.version.endswith(" in surgepy")
    assert {plain(name) for name in synth.space.names} == {line.control for line in synth.spec.lines}
    init = synth.init()
    moved = init.with_values(**{"A Osc 1 Volume": 0.25, "A Noise Mute": 0.0, "A LFO 1 Type": 4.0, "A Osc Drift": 0.5})
    data = synth.write(moved)
    assert data[:4] == b"CcnK"
    assert data[8:12] == b"FPCh"
    assert synth.read(data) == moved
    # Surge's own part alone, as Surge would write it.
    bare = Fxp.of_bytes(data)
    own = synth.read(Fxp("FPCh", b"cjs3", 1, bare.name, chunk=bare.chunk).to_bytes())
    assert own.name == "Init"
    assert own.values["A Osc 1 Volume"] == pytest.approx(0.25, abs=1e-6)
    assert synth.read(synth.write(own)) == own
    with pytest.raises(PresetError, match="'zzzz'"):
        synth.read(Fxp("FPCh", b"zzzz", 1, bare.name, chunk=bare.chunk).to_bytes())
    with pytest.raises(PresetError, match="Surge XT refused the patch"):
        synth.read(Fxp("FPCh", b"cjs3", 1, bare.name, chunk=b"<patch/>").to_bytes())
    with pytest.raises(PresetError, match="cut short"):
        synth.read(data[:100])
    still = synth.freeze(moved)
    changed = {name: value for name, value in still.values.items() if value != moved.values[name]}
    assert changed == {
        **{f"A Osc {number} Retrigger": 1.0 for number in (1, 2, 3)},
        "A Osc Drift": 0.0,
        "A Noise Mute": 1.0,
        "A LFO 1 Trigger Mode": 1.0,
        "A LFO 1 Type": 2.0,  # noise becomes square
    }
    assert synth.freeze(still) == still
    with RenderPool("surge-xt", workers=1) as pool:
        done = pool.render_many([(still, Note(60.0, 0.8, 0.1, 0.2)), (own, Note(60.0, 0.8, 0.1, 0.2))])
    assert [one.error for one in done] == [None, None]


def test_doctor_says_which_road_it_takes(surface: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from menura.cli.doctor import _plugins

    assert "Surge XT: 1.3.written-down by the Python module surgepy, " in _plugins()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "surgepy", None)
        patch.setattr("menura.synths.plugins.adapters.plugins", list)
        assert "Surge XT: not found (no Python module surgepy, no plug-in)" in _plugins()
        with pytest.raises(EngineError, match="looked for the Python module surgepy and for Surge XT, SurgeXT"):
            SurgeXt()
