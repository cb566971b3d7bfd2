"""Packaged specs of instruments: they load, their numbers are the sources', and they fit a plug-in that has them."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from menura.errors import EngineError, PresetError
from menura.preset import Preset
from menura.synths.dx7.controls import controls as dx7_controls
from menura.synths.dx7.format import unpack, valid
from menura.synths.dx7.synth import Dx7, voice_of
from menura.synths.plugins.adapters import Dexed, installed
from menura.synths.plugins.controls import Control, Probe
from menura.synths.plugins.dexed import dx7_name, raws_of_voice, voice_of_raws
from menura.synths.plugins.spec import INSTRUMENTS, Spec, adapt, plain, spec_of
from menura.synths.registry import SYNTHS, synth_of
from misbehaving import built

SEARCHED = {"dexed": 100, "diva": 173, "surge-xt": 162, "tal-noisemaker": 59}


@pytest.fixture(params=INSTRUMENTS)
def spec(request: pytest.FixtureRequest) -> Spec:
    return spec_of(request.param)


def stand_ins(spec: Spec) -> list[Control]:
    """Controls as a plug-in would have them: the spec's, in another spelling, and one that is not searched."""
    found = [
        Control(number, line.control.replace("_", " ").title(), "", line.positions[0] if line.positions else line.low)
        for number, line in enumerate(spec.lines)
    ]
    return [*found, Control(len(found), "Something Else", "", 0.3)]


def test_counts_and_kinds_are_those_of_the_source(spec: Spec) -> None:
    kinds = Counter(line.kind for line in spec.lines)
    kinds["continuous"] += kinds.pop("steps", 0) if spec.name != "surge-xt" else 0
    if spec.name == "surge-xt":
        assert kinds.pop("continuous") == spec.counts["continuous"] == 130
        assert sum(kinds.values()) == spec.counts["positions"] == 32
    else:
        assert kinds == Counter(spec.counts)
    assert len(spec.lines) == SEARCHED[spec.name] == sum(spec.counts.values())


def test_every_line_makes_sense(spec: Spec) -> None:
    assert len({line.control for line in spec.lines}) == len(spec.lines)
    for line in spec.lines:
        assert plain(line.control) == line.control
        assert line.group
        assert 0.0 <= line.low < line.high <= 1.0
        assert list(line.positions) == sorted(set(line.positions))
        assert all(0.0 <= raw <= 1.0 for raw in line.positions)
        assert bool(line.positions) == (line.kind != "continuous")
        assert line.kind != "toggle" or len(line.positions) == 2
        assert not line.labels or len(line.labels) == len(line.positions)


def test_a_spec_becomes_a_space(spec: Spec, rng: np.random.Generator) -> None:
    adapted = adapt(spec, spec.name, stand_ins(spec))
    assert adapted.missing == ()
    assert adapted.space.dim == len(spec.lines)
    assert "Something Else" not in adapted.space
    by_name = {control.name: control for control in adapted.controls}
    values = {control.name: control.value(control.default) for control in adapted.controls}
    init = Preset(spec.name, values)
    for vector in adapted.space.sample(rng, 5):
        preset = adapted.space.decode(vector, init)
        np.testing.assert_array_equal(adapted.space.encode(preset), vector)
        for line in spec.lines:
            control = next(one for one in adapted.controls if plain(one.name) == line.control)
            raw = control.raw(preset.values[control.name])
            assert line.low - 1e-6 <= raw <= line.high + 1e-6
            assert not line.positions or min(abs(raw - one) for one in line.positions) < 1e-6
        assert by_name["Something Else"].raw(preset.values["Something Else"]) == pytest.approx(0.3)


def test_steps_that_are_not_searched_come_back() -> None:
    # Diva's modulation sources: 16 of 24 are left out, the first among them, where a fresh instance may stand.
    control = Control(0, "a", "", 0.0, (14 / 23, 15 / 23, 16 / 23), ("x", "y", "z"))
    for raw in (0.0, 0.3, 14 / 23, 0.62, 0.9, 1.0):
        assert control.raw(control.value(raw)) == pytest.approx(raw, abs=1e-7)
        assert control.bounds[0] <= control.value(raw) <= control.bounds[1]


def test_a_control_with_steps_may_read_its_own_place_for_a_step() -> None:
    # Surge's switches are searched at 0.2505 and 0.7505, and read 0 and 1.
    switch = Control(0, "Mute", "", 0.0, (0.2505, 0.7505), ("off", "on"))
    assert switch.took(0.2505, 0.0)
    assert switch.took(0.7505, 1.0)
    assert not switch.took(0.2505, 1.0)
    glide = Control(1, "Cutoff", "", 0.0)
    assert glide.took(0.5, 0.51)
    assert not glide.took(0.5, 0.6)


def test_a_control_that_is_gone_is_told_and_another_instrument_refused(spec: Spec) -> None:
    controls = stand_ins(spec)
    adapted = adapt(spec, spec.name, controls[1:])
    assert adapted.missing == (spec.lines[0].control,)
    assert adapted.space.dim == len(spec.lines) - 1
    with pytest.raises(EngineError, match="is it another version"):
        adapt(spec, spec.name, controls[-3:])


def test_controls_that_do_not_stay_are_not_searched(spec: Spec) -> None:
    controls = stand_ins(spec)
    adapted = adapt(spec, spec.name, [replace(controls[0], held=False), *controls[1:]])
    assert adapted.space.dim == len(spec.lines) - 1


def test_each_instrument_is_a_synth_that_says_where_it_is_from(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spec.name in SYNTHS
    monkeypatch.setattr("menura.synths.plugins.adapters.installed", lambda _: None)
    with pytest.raises(EngineError, match="is not installed; looked for") as told:
        SYNTHS.get(spec.name)()
    assert spec.home in str(told.value)


def test_an_instrument_is_found_by_its_file_and_known_by_its_controls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("dawdreamer") is None and not os.environ.get("CI"):
        pytest.skip("the plug-in host is not installed: pip install 'menura[plugins]'")
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VST_PATH", str(tmp_path / "vst"))
    path = built(tmp_path / "vst", "Diva")
    found = installed(spec_of("diva"))
    assert found is not None
    assert found.place == str(path)
    with pytest.raises(EngineError, match="has 0 of the 173 controls of Diva"):
        synth_of.__wrapped__("diva")


def test_a_dx7_voice_goes_into_dexed_and_back(shared_data: Path) -> None:
    spec = spec_of("dexed")
    assert all(dx7_name(line.control) for line in spec.lines)
    names = {one.name for one in dx7_controls()}
    assert {dx7_name(line.control) for line in spec.lines} <= names
    assert dx7_name("cutoff") is None
    assert dx7_name("op1_switch") is None
    voices = unpack(np.load(shared_data / "dx7_voices.npy")[::200])
    kept = [bytes(voice) for voice in voices[valid(voices)]]
    assert len(kept) > 50
    for voice in kept:
        raws = raws_of_voice(voice)
        assert all(0.0 <= raw <= 1.0 for raw in raws.values())
        held = {name: float(np.float32(raw)) for name, raw in raws.items()}
        assert voice_of_raws(held)[:145] == voice[:145]


def test_dexed_takes_one_voice_of_a_bank(tmp_path: Path) -> None:
    spec = spec_of("dexed")
    adapted = adapt(spec, spec.name, stand_ins(spec))
    synth = object.__new__(Dexed)  # the plug-in is not there: its controls, as a probe would have them
    synth.name, synth.spec, synth._adapted = spec.name, spec, adapted
    synth.probe = Probe("Dexed", "vst3", "", 0, "", "", adapted.controls, True, 0.0, False)
    voices = [Dx7().init().with_values(algorithm=float(number)) for number in range(32)]
    (tmp_path / "bank.syx").write_bytes(Dx7().write_bank(voices))
    raws = raws_of_voice(voice_of(voices[6]))
    name = next(one.name for one in adapted.controls if dx7_name(plain(one.name)) == "algorithm")
    found = synth.read(tmp_path / "bank.syx#7")
    assert found.origin == {"voice": 7, "file": "bank.syx"}
    assert synth.probe.by_name[name].raw(found.values[name]) == pytest.approx(raws["algorithm"], abs=1e-6)
    assert found != synth.read(tmp_path / "bank.syx")
    with pytest.raises(PresetError, match="there is no voice 33"):
        synth.read(tmp_path / "bank.syx#33")
