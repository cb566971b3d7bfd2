"""`menura synths scan`, `verify` and `bundle`, and what doctor says of plug-ins."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest

from menura.cli.app import run
from menura.errors import PresetError
from menura.synths.plugins.folders import at_path, plugins
from menura.synths.plugins.lv2 import preset_bundle
from menura.synths.registry import synth_of
from misbehaving import ABORTS, built

JX10 = "http://drobilla.net/plugins/mda/JX10"


@pytest.fixture(autouse=True)
def host() -> None:
    if importlib.util.find_spec("dawdreamer") is None and not os.environ.get("CI"):
        pytest.skip("the plug-in host is not installed: pip install 'menura[plugins]'")


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_scan_tells_what_there_is_and_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    paths = [built(tmp_path / "vst", "Good"), built(tmp_path / "vst", "Bad", ABORTS)]
    monkeypatch.setattr("menura.synths.plugins.scan.plugins", lambda: [at_path(path) for path in paths])
    monkeypatch.setenv("VST_PATH", str(tmp_path / "vst"))
    assert run(["synths", "scan", "--json"]) == 0
    answer = told(capsys)
    assert [(line["name"], line["kind"]) for line in answer["plugins"]] == [
        ("Good.so", "instrument"),
        ("Bad.so", "broken"),
    ]
    assert str(tmp_path / "vst") in answer["looked_in"]["vst2"]
    assert run(["synths", "scan"]) == 0
    shown = capsys.readouterr().out
    assert "plugin:Good.so" in shown
    assert "SIGABRT" in shown


def test_verify_prints_a_table_and_says_what_moves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    path = built(tmp_path)
    assert run(["synths", "verify", str(path), "--json"]) == 0
    answer = told(capsys)
    checks = {line["check"]: line for line in answer["checks"]}
    assert answer["ok"]
    assert {line["verdict"] for line in checks.values()} == {"ok", "note"}
    assert checks["every control moves the sound"]["found"] == "2 moved nothing: Nothing, Nothing (2)"
    assert checks["fresh instances"]["found"].startswith("16 of 16 presets repeat")
    assert checks[".fxp files"]["verdict"] == "ok"
    assert run(["synths", "verify", "toy"]) == 2
    assert "is no plug-in" in capsys.readouterr().err


def test_a_preset_becomes_a_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not any(one.place == JX10 for one in plugins(("lv2",))) and not os.environ.get("CI"):
        pytest.skip("JX10 is not installed: apt install mda-lv2")
    synth = synth_of(f"plugin:{JX10}")
    preset = tmp_path / "mine.menura"
    preset.write_bytes(synth.write(synth.init().with_values(**{"OSC Mix": 0.25, "Octave": 4.0})))
    assert run(["synths", "bundle", str(preset), "--synth", "JX10", "--out", str(tmp_path), "--json"]) == 0
    folder = Path(told(capsys)["bundle"])
    assert folder.name == "mine.preset.lv2"
    assert f"lv2:appliesTo <{JX10}>" in (folder / "manifest.ttl").read_text()
    body = " ".join((folder / "preset.ttl").read_text().split())
    assert 'rdfs:label "Init"' in body
    assert 'lv2:symbol "osc_mix" ; pset:value 0.25 ]' in body
    assert 'lv2:symbol "octave" ; pset:value 1.0 ]' in body
    assert body.count("lv2:symbol") == 24
    assert run(["synths", "bundle", str(preset), "--synth", "JX10", "--out", str(tmp_path)]) == 2  # it is there


def test_bundles_are_for_lv2_alone_and_quote_names() -> None:
    files = preset_bundle("http://x", 'A "b" \\ c\nd', "0f", b"<x/savedState>\n\ta pset:Preset ;\n\tlv2:port [ ] .\n")
    assert b'rdfs:label "A \\"b\\" \\\\ c d" ;' in files["preset.ttl"]
    with pytest.raises(PresetError, match="unknown shape"):
        preset_bundle("http://x", "a", "0f", b"CcnK")


def test_doctor_says_which_instruments_it_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    from menura.cli.doctor import _plugins

    text = _plugins()
    for word in ("dawdreamer 0.9.0", "Surge XT:", "Dexed:", "Diva:", "TAL-NoiseMaker:", "looked in", "plugins.toml"):
        assert word in text
