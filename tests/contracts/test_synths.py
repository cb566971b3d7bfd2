"""What every synth promises; see `menura.synths.base`."""

from __future__ import annotations

import os

import numpy as np
import pytest

from engines import installed
from menura.errors import MenuraError, PresetError
from menura.note import Note
from menura.preset import Preset
from menura.synths.base import Synth
from menura.synths.plugins.surge_engine import find_surgepy
from menura.synths.registry import SYNTHS, synth_of

SURGE = ("surge-xt",) if find_surgepy() else ()
"""Where its own Python module is there: no package index has it. The plug-in is checked by `menura synths verify`."""
EXPECTED = {"dx7", "toy", "vital"}
PLUGINS = (
    "plugin:http://drobilla.net/plugins/mda/DX10",
    "plugin:http://drobilla.net/plugins/mda/JX10",
    "plugin:Nekobi-vst.so",
)
"""Plug-ins of two formats, polyphonic and monophonic, as Debian has them (mda-lv2, dpf-plugins-vst)."""
OTHERS = tuple(os.environ.get("MENURA_TEST_SYNTHS", "").split())
"""Synths of other packages, by name; docs/guides/adding-a-synth.md."""
WITH_CHANCE = ("toy", "vital")
"""Synths whose initial preset is another sound each time; the DX7's engine is given the same chance each time."""
WITH_ROUTES = ("toy", "vital")
SHORT = Note(57.0, 0.8, 0.2, 0.3)
PLAIN = {
    "dx7": {},
    "plugin:http://drobilla.net/plugins/mda/JX10": {"OSC Mix": 0.0},
    "toy": {"wave": 0.0, "attack": -10.0},
    "vital": {"env_1_attack": 0.0},
}
TOUCHED = {
    "dx7": {"op1_velocity_sensitivity": 7.0},
    "plugin:http://drobilla.net/plugins/mda/JX10": {"ENV Rel": 0.2},
    "surge-xt": {"A Velocity > VCA Gain": 0.0, "A Amp EG Release": 0.0},
    "plugin:Nekobi-vst.so": {"Cutoff": 0.0, "Env Mod": 0.1, "VCF Resonance": 0.5, "Accent": 1.0, "Waveform": 1.0},
    "toy": {},
    "vital": {"velocity_track": 1.0},
}
"""What makes the initial preset answer to velocity."""


@pytest.fixture(params=[*sorted(EXPECTED), *PLUGINS, *SURGE, *OTHERS])
def synth(request: pytest.FixtureRequest) -> Synth:
    return installed(request.param)


def sampled(synth: Synth, n: int, seed: int = 7) -> list[Preset]:
    rng = np.random.default_rng(seed)
    space = synth.space.lock("modulations") if "modulations" in synth.space.groups else synth.space
    return [synth.freeze(preset) for preset in space.decode_all(space.sample(rng, n), synth.init())]


def test_the_expected_synths_are_there() -> None:
    assert set(SYNTHS.names()) >= EXPECTED


def test_is_a_synth(synth: Synth) -> None:
    assert isinstance(synth, Synth)
    assert synth.suffix.startswith(".")
    assert synth.version.split()[1]


def test_renders_stereo_of_the_length_asked_for(synth: Synth) -> None:
    for total, sample_rate in ((0.3, 44_100), (0.1, 48_000), (0.70001, 22_050)):
        sound = synth.render(synth.init(), Note(60.0, 0.8, 0.05, total), sample_rate=sample_rate)
        assert sound.samples.shape == (2, round(total * sample_rate))
        assert sound.samples.dtype == np.float32
        assert sound.sample_rate == sample_rate
        assert np.isfinite(sound.samples).all()
        assert np.abs(sound.samples).max() > 0.01


def test_sampled_presets_render(synth: Synth) -> None:
    for preset in sampled(synth, 3):
        assert np.isfinite(synth.render(preset, SHORT).samples).all()


def test_a_frozen_preset_repeats(synth: Synth) -> None:
    preset = synth.freeze(synth.init())
    first = synth.render(preset, SHORT).samples
    for other in sampled(synth, 2):
        synth.render(other, SHORT)
    np.testing.assert_allclose(synth.render(preset, SHORT).samples, first, atol=1e-6)
    assert synth.freeze(preset) == preset


@pytest.mark.parametrize("synth_name", WITH_CHANCE)
def test_chance_is_heard_without_freezing(synth_name: str) -> None:
    # Otherwise the test above would pass whatever freeze does.
    synth = installed(synth_name)
    first, second = (synth.render(synth.init(), SHORT).samples for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


def test_files_are_lossless(synth: Synth) -> None:
    for preset in (synth.init(), *sampled(synth, 3)):
        assert synth.read(synth.write(preset)) == preset
        assert synth.write(synth.read(synth.write(preset))) == synth.write(preset)


def test_read_takes_paths(synth: Synth, tmp_path) -> None:
    path = tmp_path / f"a{synth.suffix}"
    path.write_bytes(synth.write(synth.init()))
    assert synth.read(path) == synth.init()
    with pytest.raises(PresetError):
        synth.read(tmp_path / "absent")
    with pytest.raises(PresetError):
        synth.read(tmp_path)


@pytest.mark.parametrize(
    "bad", [b"", b"\xff\xfe\x00", b"[]", b"{}", b"null", b'{"settings": {}}', b"[" * 100_000, b"1"]
)
def test_bad_bytes_are_refused(synth: Synth, bad: bytes) -> None:
    with pytest.raises(PresetError):
        synth.read(bad)


def test_presets_of_another_synth_are_refused(synth: Synth) -> None:
    stranger = Preset("other", {})
    for work in (synth.render, synth.write):
        with pytest.raises(PresetError):
            work(stranger)
    with pytest.raises(MenuraError):
        synth.space.encode(stranger)


def test_the_space_takes_the_initial_patch(synth: Synth) -> None:
    vector = synth.space.encode(synth.init())
    assert vector.shape == (synth.space.dim,)
    assert synth.space.decode(vector, synth.init()) == synth.init()
    np.testing.assert_array_equal(vector, synth.space.default)


@pytest.mark.parametrize("pitch", [69.0, 57.5, 45.25, 33.75])
def test_plays_in_tune(synth: Synth, pitch: float) -> None:
    preset = synth.freeze(synth.init()).with_values(**PLAIN.get(synth.name, {}))
    if synth.name == "plugin:Nekobi-vst.so":
        pitch = float(round(pitch))  # it has no pitch wheel
    note = Note(pitch, 0.8, 1.0, 1.0)
    sound = synth.render(preset, note).mono[8_000:]
    size = 8 * sound.size
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size), size))
    spectrum[: int(20 * size / 44_100)] = 0
    measured = np.argmax(spectrum) * 44_100 / size
    assert abs(1200 * np.log2(measured / note.frequency_hz)) < 5


def test_velocity_and_release_are_heard(synth: Synth) -> None:
    preset = synth.freeze(synth.init()).with_values(**TOUCHED.get(synth.name, {}))
    loud, soft = (synth.render(preset, Note(57, velocity, 0.2, 0.3)).samples for velocity in (1.0, 0.3))
    assert np.abs(soft).max() < 0.8 * np.abs(loud).max()
    note = Note(57, 0.8, 0.1, 1.5)
    ending = synth.render(preset, note).samples
    assert np.abs(ending[:, -1000:]).max() < 0.05 * np.abs(ending).max()


@pytest.mark.parametrize(("synth_name", "closed"), [("toy", "cutoff"), ("vital", "filter_1_cutoff")])
def test_a_closed_filter_is_darker(synth_name: str, closed: str) -> None:
    synth = synth_of(synth_name)
    switch = "filter_on" if synth_name == "toy" else "filter_1_on"
    preset = synth.freeze(synth.init()).with_values(**{switch: 1.0})

    def centroid(value: float) -> float:
        spectrum = np.abs(np.fft.rfft(synth.render(preset.with_values(**{closed: value}), SHORT).mono))
        return float((spectrum * np.arange(spectrum.size)).sum() / spectrum.sum())

    assert centroid(50.0) < 0.6 * centroid(120.0)


@pytest.mark.parametrize(
    ("synth_name", "attack", "values"),
    [("dx7", "op1_rate_1", (99, 20)), ("toy", "attack", (-8, 0)), ("vital", "env_1_attack", (0, 1))],
)
def test_a_longer_attack_is_longer(synth_name: str, attack: str, values: tuple[float, float]) -> None:
    synth = installed(synth_name)
    preset = synth.freeze(synth.init())
    note = Note(57, 0.8, 1.2, 1.2)

    def loudest_at(value: float) -> int:
        sound = np.abs(synth.render(preset.with_values(**{attack: float(value)}), note).mono)
        return int(np.argmax(np.convolve(sound, np.ones(2000), "valid") > 0.7 * 2000 * sound.mean()))

    assert loudest_at(values[0]) + 4_000 < loudest_at(values[1])


@pytest.mark.parametrize("synth_name", WITH_ROUTES)
def test_routes_are_heard(synth_name: str) -> None:
    synth = installed(synth_name)
    source, destination = ("wobble", "pitch") if synth.name == "toy" else ("lfo_1", "osc_1_tune")
    plain = synth.freeze(synth.init())
    space = synth.space
    vector = space.encode(plain)
    for name, choice in (("modulation_1_source", source), ("modulation_1_destination", destination)):
        parameter = space[name]
        vector[space.index(name)] = parameter.choices.index(choice) / (parameter.steps - 1)
    vector[space.index("modulation_1_amount")] = 0.9
    moved = space.decode(vector, plain)
    assert [(route.source, route.destination) for route in moved.routes] == [(source, destination)]
    assert np.abs(synth.render(moved, SHORT).samples - synth.render(plain, SHORT).samples).max() > 0.01
