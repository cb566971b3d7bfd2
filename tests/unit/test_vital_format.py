"""The `.vital` file: what is kept, and what is refused before the engine sees it."""

from __future__ import annotations

import base64
import copy
import itertools
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.errors import PresetError
from menura.note import Note
from menura.preset import Preset, Route
from menura.synths.vital.engine import Engine
from menura.synths.vital.format import read_vital, write_vital
from menura.synths.vital.init import initial, sample, shape, wavetable, with_settings, with_texts
from menura.synths.vital.player import in_fork
from menura.synths.vital.synth import Vital

VITAL = Vital()


def document() -> dict[str, Any]:
    return json.loads(write_vital(initial()))


def packed(found: dict[str, Any]) -> bytes:
    return json.dumps(found).encode()


def stored(floats: np.ndarray) -> str:
    return base64.b64encode(floats.astype("<f4").tobytes()).decode()


def people(archive: Path, count: int) -> list[tuple[str, bytes]]:
    """The first presets of an archive, streamed; `benchmarks/vital_roundtrip.py` takes all of them."""
    with tarfile.open(archive, "r|xz") as files:
        members = itertools.islice((member for member in files if member.isfile()), count)
        opened = ((member.name, files.extractfile(member)) for member in members)
        return [(name, content.read()) for name, content in opened if content is not None]


@pytest.fixture(scope="module")
def presets_by_people(shared_data: Path) -> list[tuple[str, bytes]]:
    licensed = people(shared_data / "vital_dev_licensed_ccby_ccbysa.tar.xz", 40)
    return [*licensed, *people(shared_data / "vital_dev.tar.xz", 20)]


def test_presets_by_people_keep_their_state(presets_by_people: list[tuple[str, bytes]]) -> None:
    assert len(presets_by_people) == 60
    for name, raw in presets_by_people:
        preset = read_vital(raw)
        written = write_vital(preset)
        assert json.loads(written) == json.loads(raw), name
        assert read_vital(written) == preset, name
        assert VITAL.freeze(VITAL.freeze(preset)) == VITAL.freeze(preset)


def test_presets_by_people_keep_their_sound(presets_by_people: list[tuple[str, bytes]]) -> None:
    engine = Engine()
    note = Note(48.0, 0.8, 0.15, 0.25)
    for name, raw in presets_by_people[::7]:
        frozen = json.loads(raw)
        settings = frozen["settings"]
        settings.update({f"osc_{number}_random_phase": 0.0 for number in (1, 2, 3)}, sample_random_phase=0.0)
        for slot, entry in enumerate(settings["modulations"], 1):
            if entry["source"].startswith("random") or entry["destination"].endswith("random_phase"):
                settings[f"modulation_{slot}_bypass"] = 1.0

        def original(engine: Engine, bare: bytes = packed(frozen)) -> np.ndarray:
            engine.load(bare)
            return engine.play(note, 44_100, tune=0.0)

        sound, _ = in_fork(engine, original, samples=round(note.total * 44_100))
        ours = VITAL.render(VITAL.freeze(VITAL.read(VITAL.write(VITAL.read(raw)))), note).samples
        assert np.abs(sound - ours).max() <= 1e-6, name


def test_the_space_holds_presets_by_people(presets_by_people: list[tuple[str, bytes]]) -> None:
    rng = np.random.default_rng(0)
    for name, raw in presets_by_people[::4]:
        preset = read_vital(raw)
        assert VITAL.space.decode(VITAL.space.encode(preset), preset) == preset, name
        vector = VITAL.space.sample(rng, 1)[0]
        np.testing.assert_array_equal(VITAL.space.encode(VITAL.space.decode(vector, preset)), vector)


def test_the_initial_patch_is_the_engines() -> None:
    import vita

    engine = vita.Synth()
    theirs = json.loads(engine.to_json())
    ours = document()
    assert set(theirs) == set(ours)
    assert set(theirs["settings"]) == set(ours["settings"])
    for name, value in theirs["settings"].items():
        if isinstance(value, float):
            assert ours["settings"][name] == value, name
    assert ours["settings"]["lfos"] == theirs["settings"]["lfos"]
    table, other = ours["settings"]["wavetables"][0], theirs["settings"]["wavetables"][0]
    waves = [found["groups"][0]["components"][0]["keyframes"][0]["wave_data"] for found in (table, other)]
    mine, engines = (np.frombuffer(base64.b64decode(wave), "<f4") for wave in waves)
    np.testing.assert_allclose(mine, engines, atol=2e-6)


def test_the_engine_takes_what_is_written_and_gives_it_back() -> None:
    import vita

    preset = replace(
        initial().with_values(osc_1_level=0.25, filter_1_on=1.0),
        name="Näme \u2713",
        routes=(Route("lfo_1", "osc_1_tune", 0.5, 3, bipolar=True, power=2.0), Route("env_2", "filter_1_cutoff", -0.5)),
    )
    engine = vita.Synth()
    assert engine.load_json(write_vital(preset).decode())
    back = read_vital(engine.to_json().encode())
    assert back.name == preset.name
    assert back.values["osc_1_level"] == 0.25
    assert back.routes == (
        Route("env_2", "filter_1_cutoff", -0.5, 1),
        Route("lfo_1", "osc_1_tune", 0.5, 3, bipolar=True, power=2.0),
    )


def test_versions_are_those_that_vital_accepts() -> None:
    found = document()
    assert found["synth_version"] == "1.5.5"
    found["synth_version"] = "1.0.7"
    assert json.loads(write_vital(read_vital(packed(found)).with_values(volume=1.0)))["synth_version"] == "1.0.7"
    found["synth_version"] = "99999.9.9"
    assert json.loads(write_vital(read_vital(packed(found))))["synth_version"] == "1.5.5"


def test_nothing_unknown_is_lost() -> None:
    found = document()
    found["tuning"] = {"scale": [0.0, 1.5], "name": None}
    found["settings"]["future_control"] = 0.25
    found["settings"]["future_block"] = [{"deep": [True, None, "\u00e9"]}]
    found["settings"]["modulations"][4]["line_mapping"] = shape([0.0, 1.0], [1.0, 0.0])
    found["settings"]["modulations"][4]["future"] = "x"
    found["settings"]["modulation_9_amount"] = 0.5
    del found["preset_name"]
    preset = read_vital(packed(found))
    assert preset.values["future_control"] == 0.25
    assert preset.values["modulation_9_amount"] == 0.5
    assert json.loads(write_vital(preset)) == found


def test_names_and_texts_are_written() -> None:
    preset = replace(with_texts(initial(), author="A", comments="B", macro1="WIDE"), name="C")
    found = json.loads(write_vital(preset))
    assert (found["preset_name"], found["author"], found["comments"], found["macro1"]) == ("C", "A", "B", "WIDE")
    assert read_vital(write_vital(preset)).name == "C"


def test_routes_find_free_slots() -> None:
    preset = replace(initial(), routes=(Route("lfo_1", "osc_1_tune", 0.1, 1), Route("lfo_2", "osc_1_pan", 0.2)))
    found = json.loads(write_vital(preset))["settings"]
    assert [slot["source"] for slot in found["modulations"][:3]] == ["lfo_1", "lfo_2", ""]
    assert found["modulation_2_amount"] == 0.2


Change = Callable[[dict[str, Any]], Any]


def in_settings(**changes: Any) -> Change:
    return lambda found: found["settings"].update(changes)


def first_component(found: dict[str, Any]) -> dict[str, Any]:
    return found["settings"]["wavetables"][0]["groups"][0]["components"][0]


BROKEN: dict[str, tuple[Change, str]] = {
    "control far out of range": (in_settings(filter_1_cutoff=1e30), "filter_1_cutoff"),
    "control far below": (in_settings(osc_1_transpose=-1e6), "osc_1_transpose"),
    "indexed control out of range": (in_settings(filter_1_model=8.0), "filter_1_model"),
    "indexed control below": (in_settings(osc_1_unison_voices=0.0), "osc_1_unison_voices"),
    "control is text": (in_settings(osc_1_level="loud"), "osc_1_level"),
    "control is null": (in_settings(osc_1_level=None), "osc_1_level"),
    "control is true": (in_settings(osc_1_on=True), "osc_1_on"),
    "control is a list": (in_settings(volume=[1]), "volume"),
    "slot amount is text": (in_settings(modulation_2_amount="x"), "modulation_2_amount"),
    "slot amount far out of range": (in_settings(modulation_2_amount=1e9), "modulation_2_amount"),
    "unknown control too large": (in_settings(future=1e300), "future"),
    "settings missing": (lambda found: found.pop("settings"), "settings"),
    "settings empty": (lambda found: found.update(settings={}), "settings"),
    "settings null": (lambda found: found.update(settings=None), "settings"),
    "version missing": (lambda found: found.pop("synth_version"), "synth_version"),
    "version a number": (lambda found: found.update(synth_version=1.5), "synth_version"),
    "version words": (lambda found: found.update(synth_version="new"), "synth_version"),
    "version before the first": (lambda found: found.update(synth_version="0.9.0"), "synth_version"),
    "author a number": (lambda found: found.update(author=3), "author"),
    "name a number": (lambda found: found.update(preset_name=3), "preset_name"),
    "sample missing": (lambda found: found["settings"].pop("sample"), "sample"),
    "sample empty": (in_settings(sample={}), "sample"),
    "sample null": (in_settings(sample=None), "sample"),
    "sample length negative": (lambda found: found["settings"]["sample"].update(length=-5), "length"),
    "sample length huge": (lambda found: found["settings"]["sample"].update(length=10**12), "length"),
    "sample shorter than its length": (lambda found: found["settings"]["sample"].update(length=10**6), "shorter"),
    "sample no base64": (lambda found: found["settings"]["sample"].update(samples="!!!!"), "base64"),
    "sample rate zero": (lambda found: found["settings"]["sample"].update(sample_rate=0), "sample_rate"),
    "modulations missing": (lambda found: found["settings"].pop("modulations"), "modulations"),
    "too many modulations": (
        lambda found: found["settings"]["modulations"].extend([{"source": "", "destination": ""}] * 36),
        "100 modulations",
    ),
    "modulation without source": (lambda found: found["settings"]["modulations"][0].pop("source"), "modulation 1"),
    "modulation is text": (lambda found: found["settings"]["modulations"].__setitem__(0, "x"), "modulation 1"),
    "line mapping broken": (
        lambda found: found["settings"]["modulations"][0].update(line_mapping={"num_points": 9}),
        "line_mapping",
    ),
    "lfos missing": (lambda found: found["settings"].pop("lfos"), "lfos"),
    "nine lfos": (lambda found: found["settings"]["lfos"].append(shape([0, 1], [0, 1])), "lfos"),
    "lfo points do not match": (lambda found: found["settings"]["lfos"][2].update(num_points=40), "lfo 3"),
    "lfo powers do not match": (lambda found: found["settings"]["lfos"][2].update(powers=[0.0]), "lfo 3"),
    "lfo of 101 points": (
        lambda found: found["settings"]["lfos"][0].update(num_points=101, points=[0.0] * 202, powers=[0.0] * 101),
        "lfo 1",
    ),
    "lfo point is null": (lambda found: found["settings"]["lfos"][0]["points"].__setitem__(0, None), "lfo 1"),
    "lfo point far away": (lambda found: found["settings"]["lfos"][0]["points"].__setitem__(0, 1e9), "lfo 1"),
    "lfo is null": (lambda found: found["settings"]["lfos"].__setitem__(0, None), "lfo 1"),
    "two wavetables": (lambda found: found["settings"]["wavetables"].pop(), "wavetables"),
    "wavetable null": (lambda found: found["settings"]["wavetables"].__setitem__(1, None), "wavetable 2"),
    "wavetable without groups": (lambda found: found["settings"]["wavetables"][0].pop("groups"), "groups"),
    "wavetable too old": (lambda found: found["settings"]["wavetables"][0].update(version="0.3.0"), "version"),
    "component unknown": (lambda found: first_component(found).update(type="Wave Sauce"), "Wave Sauce"),
    "component type missing": (lambda found: first_component(found).pop("type"), "type"),
    "component style out of range": (lambda found: first_component(found).update(interpolation_style=9), "style"),
    "no keyframes": (lambda found: first_component(found).update(keyframes=[]), "keyframes"),
    "keyframe position out of range": (
        lambda found: first_component(found)["keyframes"][0].update(position=257),
        "position",
    ),
    "wave data missing": (lambda found: first_component(found)["keyframes"][0].pop("wave_data"), "wave_data"),
    "wave data no base64": (
        lambda found: first_component(found)["keyframes"][0].update(wave_data="*" * 8),
        "base64",
    ),
    "wave data too short": (
        lambda found: first_component(found)["keyframes"][0].update(wave_data=stored(np.zeros(2047))),
        "2048 float32",
    ),
    "wave data not finite": (
        lambda found: first_component(found)["keyframes"][0].update(wave_data=stored(np.full(2048, np.nan))),
        "not finite",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_presets_are_refused_by_name(case: str) -> None:
    change, word = BROKEN[case]
    found = document()
    change(found)
    with pytest.raises(PresetError, match=word) as caught:
        read_vital(packed(found))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "1e999", "9" * 40, "1" + "0" * 5000],
)
def test_numbers_that_are_none_are_refused(text: str) -> None:
    raw = write_vital(initial()).replace(b'"volume":5473.04052734375', b'"volume":' + text.encode())
    assert text.encode() in raw
    with pytest.raises(PresetError):
        read_vital(raw)


@pytest.mark.parametrize("cut", [1, 100, 5_000, 60_000])
def test_cut_files_are_refused(cut: int) -> None:
    with pytest.raises(PresetError):
        read_vital(write_vital(initial())[:-cut])


def test_text_that_is_no_unicode_is_refused() -> None:
    raw = write_vital(replace(initial(), name="here"))
    with pytest.raises(PresetError):
        read_vital(raw.replace(b'"here"', rb'"\ud800"'))
    with pytest.raises(PresetError):
        write_vital(replace(initial(), name="\ud800"))


def test_a_control_may_lie_a_little_outside_of_its_range() -> None:
    # Presets by people do: the engine plays them as they are.
    found = document()
    found["settings"].update(flanger_dry_wet=0.7072, compressor_band_upper_ratio=1.052, beats_per_minute=0.0167)
    preset = read_vital(packed(found))
    assert preset.values["flanger_dry_wet"] == 0.7072
    assert json.loads(write_vital(preset)) == found


def test_a_missing_sample_is_silence_for_the_engine() -> None:
    settings = initial().blocks["settings"]
    bare = with_settings(initial(), sample={**settings["sample"], "samples": ""}).with_values(
        sample_on=1.0, osc_1_on=0.0, sample_random_phase=0.0
    )
    assert json.loads(write_vital(bare))["settings"]["sample"]["samples"] == ""
    for length in (1, 2, 3, 4, 44_100):
        sized = with_settings(bare, sample={**settings["sample"], "samples": "", "length": length})
        whole = json.loads(write_vital(sized, for_engine=True))["settings"]["sample"]["samples"]
        assert base64.b64decode(whole, validate=True) == bytes(2 * length)
    assert np.abs(VITAL.render(bare, Note(60, 0.8, 0.1, 0.2)).samples).max() < 1e-6


def test_presets_made_in_memory_are_checked_too() -> None:
    for broken in (
        initial().with_values(filter_1_cutoff=1e30),
        initial().with_values(volume=float("nan")),
        replace(initial(), routes=tuple(Route("lfo_1", "osc_1_tune") for _ in range(65))),
        replace(initial(), routes=(Route("lfo_1", "osc_1_tune", slot=2), Route("lfo_1", "osc_1_pan", slot=2))),
        replace(initial(), routes=(Route("lfo_1", "osc_1_tune", 1e9),)),
        replace(initial(), blocks={}),
        Preset("vital", {}),
    ):
        with pytest.raises(PresetError):
            VITAL.render(broken)
        with pytest.raises(PresetError):
            VITAL.write(broken)


def test_blocks_are_made_as_vital_stores_them() -> None:
    drawn = shape([0.0, 0.25, 1.0], [0.0, 1.0, 0.5], powers=[1.0, 0.0, 0.0], name="hit")
    assert drawn["points"] == [0.0, 1.0, 0.25, 0.0, 1.0, 0.5]
    table = wavetable(np.zeros((2, 2048)), [0, 256], blend="spectral")
    assert [frame["position"] for frame in table["groups"][0]["components"][0]["keyframes"]] == [0, 256]
    stereo = sample(np.zeros((2, 10)), 48_000)
    assert (stereo["length"], len(base64.b64decode(stereo["samples_stereo"]))) == (10, 20)
    for broken in (
        lambda: shape([0.0], [0.0, 1.0]),
        lambda: shape(list(np.linspace(0, 1, 101)), [0.0] * 101),
        lambda: wavetable(np.zeros((2, 2047)), [0, 256]),
        lambda: wavetable(np.zeros((2, 2048)), [0]),
        lambda: sample(np.zeros((3, 10)), 48_000),
        lambda: sample(np.zeros(0), 48_000),
    ):
        with pytest.raises(PresetError):
            broken()


def test_a_sine_in_the_table_is_a_sine() -> None:
    wave = np.sin(2 * np.pi * np.arange(2048) / 2048)
    table = wavetable([wave], [0])
    preset = with_settings(VITAL.freeze(initial()), wavetables=[copy.deepcopy(table) for _ in range(3)])
    sound = VITAL.render(preset, Note(69, 0.8, 1.0, 1.0)).mono[8_000:40_000]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    peak = int(np.argmax(spectrum))
    assert abs(peak * 44_100 / sound.size - 440) < 2
    assert spectrum[2 * peak - 5 : 2 * peak + 6].max() < 1e-3 * spectrum[peak]
