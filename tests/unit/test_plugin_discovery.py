"""Where plug-ins are looked for, what names one, which lists of names decide, and how steps are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.errors import EngineError, InputError, UnknownNameError
from menura.synths.plugins.controls import Control, Probe, kind_of, space_of
from menura.synths.plugins.ear import hidden_steps
from menura.synths.plugins.folders import at_path, folders, locate, plugins, short_name
from menura.synths.plugins.names import names_for
from menura.synths.plugins.player import wheel
from menura.synths.plugins.probe import steps_of
from menura.synths.registry import SYNTHS, synth_of

TURTLE = """@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix ex: <http://example.org/> .

<http://example.org/full>
\ta lv2:Plugin ,
\t\tlv2:InstrumentPlugin ;
\tlv2:port [ a lv2:InputPort ] .

ex:short a lv2:InstrumentPlugin, lv2:Plugin .

ex:effect
\ta lv2:Plugin , lv2:DelayPlugin .
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable, name in (("LV2_PATH", "lv2"), ("VST_PATH", "vst"), ("VST3_PATH", "vst3")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    bundle = tmp_path / "lv2" / "ex.lv2"
    bundle.mkdir()
    (bundle / "manifest.ttl").write_text("@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n")
    (bundle / "ex.ttl").write_text(TURTLE)
    (tmp_path / "vst" / "Maker").mkdir()
    (tmp_path / "vst" / "Maker" / "Tone-vst.so").write_bytes(b"tone")
    (tmp_path / "vst" / "notes.txt").write_text("no plug-in")
    binary = tmp_path / "vst3" / "Tone.vst3" / "Contents" / "x86_64-linux"
    binary.mkdir(parents=True)
    (binary / "Tone.so").write_bytes(b"tone 3")
    return tmp_path


def ours(place: Path) -> set[tuple[str, str]]:
    return {(one.format, one.stem) for one in plugins() if one.file.startswith(str(place))}


def test_plugins_are_found_by_format(place: Path) -> None:
    assert ours(place) == {("lv2", "full"), ("lv2", "short"), ("vst2", "Tone"), ("vst3", "Tone")}


def test_names_lead_to_plugins_and_back(place: Path) -> None:
    for one in plugins():
        if one.file.startswith(str(place)):
            assert locate(short_name(one)) == one
    assert locate("http://example.org/short").format == "lv2"
    assert locate("tone").format == "vst3"
    assert locate("Tone-vst.so").format == "vst2"
    assert locate(str(place / "vst" / "Maker" / "Tone-vst.so")).format == "vst2"
    assert short_name(locate("Tone-vst.so")) == "Tone-vst.so"


def test_two_files_of_one_name_are_told_by_their_path(place: Path) -> None:
    twin = place / "elsewhere" / "Tone-vst.so"
    twin.parent.mkdir()
    twin.write_bytes(b"another")
    assert short_name(at_path(twin)) == str(twin)


def test_what_is_not_there_is_told(place: Path) -> None:
    with pytest.raises(UnknownNameError, match="menura synths scan"):
        locate("Nothing of this name")
    with pytest.raises(UnknownNameError, match=r"no LV2 plug-in has the URI .*; looked in .*lv2"):
        locate("http://example.org/effect")
    with pytest.raises(EngineError, match="there is no plug-in at"):
        locate(str(place / "absent.so"))
    with pytest.raises(EngineError, match="is no plug-in that menura can host"):
        locate(str(place / "vst" / "notes.txt"))
    with pytest.raises(InputError, match="names no plug-in"):
        synth_of("plugin:")
    assert "plugin:whatever" in SYNTHS
    assert not any(name.startswith("plugin:") for name in SYNTHS.names())


def test_each_platform_has_its_folders() -> None:
    assert Path("/usr/lib/vst3") in folders("vst3", platform="linux", environment={})
    assert Path("/Library/Audio/Plug-Ins/VST3") in folders("vst3", platform="darwin", environment={})
    assert Path("/Library/Audio/Plug-Ins/Components") in folders("au", platform="darwin", environment={})
    assert folders("au", platform="linux", environment={}) == []
    windows = {"COMMONPROGRAMFILES": r"C:\Common", "PROGRAMFILES": r"C:\Programs"}
    assert [str(one) for one in folders("vst3", platform="win32", environment=windows)] == [r"C:\Common\VST3"]
    named = {"VST_PATH": "/a:/b", "LV2_PATH": "/c"}
    assert folders("vst2", platform="linux", environment=named)[:2] == [Path("/a"), Path("/b")]
    assert folders("lv2", platform="linux", environment=named) == [Path("/c")]


# ---------------------------------------------------------------------- lists of names


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("MIDI Ch. 3 CC 74", "midi"),
        ("Osc Drift", "chance"),
        ("Reverb Size", "effects"),
        ("Delay Time", "effects"),
        ("LFO Delay", ""),
        ("Master Volume", "output"),
        ("Volume", "output"),
        ("Osc 1 Volume", ""),
        ("Bypass", "bypass"),
        ("Program", "program"),
        ("Pitch Bend Range", "player"),
        ("Cutoff", ""),
        ("VCF Reso", ""),
    ],
)
def test_the_packaged_lists_say_what_is_left_alone(name: str, role: str) -> None:
    assert names_for("any").role(name) == role


def test_the_users_own_lists_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENURA_CONFIG", str(tmp_path))
    own = tmp_path / "plugins.toml"
    own.write_text(
        '[roles]\neffects = ["shimmer*"]\nodd = ["zap"]\n[groups]\nzaps = ["z*"]\n[kinds]\nchoice = ["colour"]\n'
        '[plugin."Tone.so"]\ninclude = ["volume"]\nexclude = ["cutoff"]\n'
    )
    names = names_for("Tone.so")
    assert [names.role(name) for name in ("Shimmer 2", "Zap", "Reverb Mix", "Volume", "Cutoff")] == [
        "effects",
        "odd",
        "effects",
        "",
        "excluded",
    ]
    assert names.group("zing") == "zaps"
    assert names.is_choice("Colour")
    assert names_for("Other.so").role("Volume") == "output"
    for text in ("[roles", '[roles]\neffects = "all"', "[roles]\neffects = [1]", "roles = 3"):
        own.write_text(text)
        with pytest.raises(InputError, match=r"plugins\.toml"):
            names_for("Tone.so")


# ---------------------------------------------------------------------- steps and kinds


@given(st.integers(2, 40), st.floats(0, 1))
def test_evenly_spaced_steps_are_found(count: int, default: float) -> None:
    grid = np.linspace(0.0, 1.0, 1025)
    found = steps_of([str(min(int(raw * count), count - 1)) for raw in grid], default)
    assert len(found) == count
    assert found == sorted(found)
    # Each value lies in its own step, and the default keeps its own.
    assert [min(int(raw * count), count - 1) for raw in found] == list(range(count))
    near = min(found, key=lambda raw: abs(raw - default))
    assert min(int(near * count), count - 1) == min(int(default * count), count - 1) or abs(near - default) < 1 / count


def test_what_glides_has_no_steps() -> None:
    grid = np.linspace(0.0, 1.0, 1025)
    assert steps_of([f"{raw:.4f}" for raw in grid], 0.5) == []
    assert steps_of(["on"] * 1025, 0.5) == []
    assert steps_of([f"{int(raw * 10) % 3}" for raw in grid], 0.5) == []  # texts that come back
    assert steps_of(["low" if raw < 0.4 else f"{raw:.4f}" for raw in grid], 0.5) == []
    assert steps_of(["a"] * 500 + ["b"] + ["c"] * 524, 0.5) == []  # a slope between two plateaus


def test_steps_are_heard_where_nothing_tells_of_them() -> None:
    def sound(level: float) -> np.ndarray:
        return np.full((2, 8), level, np.float32)

    assert hidden_steps(sound, 0.5) == []
    assert hidden_steps(lambda raw: sound(round(raw * 4)), 0.5) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert hidden_steps(lambda raw: sound(max(raw, 0.5)), 0.5) == []  # a dead half is no step


def test_kinds_follow_from_steps_texts_and_names() -> None:
    names = names_for("any")

    def kind(name: str, labels: tuple[str, ...], switch: bool = False) -> str:
        return kind_of(Control(0, name, "", 0.0, tuple(np.linspace(0, 1, len(labels)).tolist()), labels, switch), names)

    assert kind("Cutoff", ()) == "continuous"
    assert kind("Sync", ("Off", "On")) == "toggle"
    assert kind("Wave", ("Saw", "Square")) == "choice"
    assert kind("Whatever", ("x", "y"), switch=True) == "toggle"
    assert kind("Octave", ("-2", "-1", "0", "1", "2")) == "continuous"
    assert kind("Waveform", ("0", "1", "2")) == "choice"
    assert kind("Filter", ("Low", "Band", "High")) == "choice"


@given(st.floats(0, 1, width=32))
def test_raw_values_survive_the_preset(raw: float) -> None:
    for control in (Control(0, "a", "", 0.0), Control(0, "a", "", 0.0, (0.1, 0.4, 0.9), ("x", "y", "z"))):
        value = control.value(raw)
        assert control.raw(value) == pytest.approx(raw, abs=2e-6)
        assert control.bounds[0] <= value <= control.bounds[1]


def test_labels_that_are_alike_become_unlike() -> None:
    control = Control(0, "Wave", "", 0.5, (0.0, 0.5, 1.0), ("Saw", "Saw", ""))
    space = space_of(
        "x", [control, Control(1, "Reverb", "", 0.0), Control(2, "Stuck", "", 0.0, held=False)], names_for("")
    )
    assert space.names == ("Wave",)
    assert space["Wave"].choices == ("Saw", "Saw (2)", "-")
    assert space["Wave"].default == 1.0


def test_a_probe_survives_the_disk() -> None:
    control = Control(3, "Wave", "Hz", 0.5, (0.0, 1.0), ("a", "b"), True, True, False)
    probe = Probe("x", "vst2", "id", 1, "hash", "host", (control,), True, 2.0, False, inert=("Wave",))
    import json

    assert Probe.of_json(json.loads(json.dumps(probe.to_json()))) == probe
    with pytest.raises((KeyError, TypeError)):
        Probe.of_json({"controls": []})


@given(st.floats(0, 127), st.sampled_from([0.0, 2.0, 12.0, 48.0]))
def test_the_wheel_makes_up_for_what_the_key_leaves(pitch: float, semitones: float) -> None:
    key = min(max(int(np.floor(pitch + 0.5)), 0), 127)
    found = wheel(pitch, semitones)
    assert -8192 <= found <= 8191
    if semitones:
        assert key + found / 8192 * semitones == pytest.approx(pitch, abs=semitones / 8192)
    else:
        assert found == 0
