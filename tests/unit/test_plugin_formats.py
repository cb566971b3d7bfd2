"""Preset files of plug-ins: nothing is lost, one value can be changed, and what is something else is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.errors import PresetError
from menura.preset import Preset
from menura.synths.plugins.controls import Control, Probe
from menura.synths.plugins.document import of_document, split_tail, to_document, with_tail
from menura.synths.plugins.fxp import Fxp, program
from menura.synths.plugins.h2p import H2p
from menura.synths.plugins.noisemaker import NoiseMakerPreset
from menura.synths.plugins.surge import SurgePatch

PROBE = Probe(
    plugin="Tone.so",
    format="vst2",
    uid=b"Tone".hex(),
    version=1,
    content="",
    host="none",
    controls=(Control(0, "Level", "", 0.5), Control(1, "Wave", "", 0.0, (0.0, 0.5, 1.0), ("a", "b", "c"))),
    chunk=True,
    bend=2.0,
    silent=False,
)
floats = st.floats(0, 1, width=32)
H2P = b"""/*@Meta
Author:
'A. Nyone \xe9'
*/
#AM=Diva
#Vers=10001
#nm=2
#ms=none
#ms=LFO1
#cm=main
CcOp=100.00
#cm=ENV1
Atk=9.00
Dec=10.00
#cm=FX1
Module='Chorus1'
// Section for ugly compressed binary Data
// DON'T TOUCH THIS
$$$$37056
?gibberish=1?
"""
TAL = """<?xml version="1.0" encoding="UTF-8"?>
<tal curprogram="0" version="1.7">
  <programs>
    <program programname="B&amp;ss \u00e9" note="a > b" cutoff="0.52" filtertype='0.0909' midilearn="on">
      <splinePoints><splinePoint isStartPoint="1" centerPointX="0"/></splinePoints>
    </program>
  </programs>
</tal>
"""


# ---------------------------------------------------------------------- VST2


@given(st.lists(floats, max_size=40), st.text(max_size=60), st.binary(min_size=4, max_size=4), st.integers(0, 9_999))
def test_a_program_of_parameters_is_lossless(values: list[float], name: str, uid: bytes, version: int) -> None:
    made = program(uid, version, name, values)
    data = made.to_bytes()
    found = Fxp.of_bytes(data)
    assert found.to_bytes() == data
    assert (found.kind, list(found.values), found.uid, found.version) == ("FxCk", values, uid, version)
    assert len(found.name) == 28
    assert struct.unpack(">i", data[4:8])[0] == len(data) - 8


@given(st.sampled_from(["FPCh", "FBCh"]), st.binary(max_size=200), st.binary(max_size=9))
def test_chunks_are_lossless_and_kept_apart(kind: str, chunk: bytes, after: bytes) -> None:
    rest = after if kind == "FPCh" else bytes(128) + after
    data = Fxp(kind, b"Tone", 3, chunk=chunk, count=1, rest=rest).to_bytes()
    found = Fxp.of_bytes(data)
    assert (found.chunk, found.kind, found.to_bytes()) == (chunk, kind, data)


def test_the_current_program_of_a_bank_is_read() -> None:
    programs = [program(b"Tone", 1, f"program {number}", [0.25 * number, 1.0]).to_bytes() for number in range(3)]
    head = struct.pack(">4si4siiiii", b"CcnK", 0, b"FxBk", 2, struct.unpack(">i", b"Tone")[0], 1, 3, 2)
    data = head + bytes(124) + b"".join(programs)
    found = Fxp.of_bytes(data)
    assert (found.values, found.title) == ((0.5, 1.0), "program 2")
    assert found.to_bytes() == data


@given(st.binary(max_size=120))
def test_bytes_of_anything_are_refused_in_words(data: bytes) -> None:
    for read in (Fxp.of_bytes, SurgePatch.of_bytes, H2p.of_bytes, NoiseMakerPreset.of_bytes):
        with pytest.raises(PresetError):
            read(data)


@pytest.mark.parametrize("length", [4, 20, 27, 40, 59, 61, 63])
def test_a_file_that_is_cut_short_is_refused(length: int) -> None:
    whole = Fxp("FPCh", b"Tone", 1, chunk=b"1234", count=1).to_bytes()
    assert len(whole) == 64
    with pytest.raises(PresetError):
        Fxp.of_bytes(whole[:length])


# ---------------------------------------------------------------------- menura's own


@given(floats, floats, st.text(max_size=20))
def test_a_document_is_lossless(level: float, wave: float, name: str) -> None:
    preset = Preset("plugin:Tone.so", {"Level": level, "Wave": 2 * wave}, name=name, blocks={"state": "AAEC"})
    data = to_document(preset, PROBE)
    found = of_document(data, PROBE, "plugin:Tone.so")
    assert found == preset
    assert found.name == name
    assert to_document(found, PROBE) == data


@given(st.binary(min_size=1, max_size=300), st.binary(max_size=300))
def test_a_tail_is_found_again_unless_the_file_was_changed(body: bytes, document: bytes) -> None:
    whole = with_tail(body, document)
    assert whole.startswith(body)
    assert split_tail(whole) == (body, document)
    changed = bytes([whole[0] ^ 1]) + whole[1:]
    assert split_tail(changed) == (changed, None)
    assert split_tail(body + b"menura-tail-1\n")[1] is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"plugin": {"uid": "other", "name": "Else"}}, "for the plug-in Else"),
        ({"values": {"Loudness": 0.5}}, "no control 'Loudness'"),
        ({"values": {"Level": 1.5}}, "its range is 0 to 1"),
        ({"values": {"Level": True}}, "give a number"),
        ({"values": {"Wave": 2.5}}, "its range is 0 to 2"),
        ({"blocks": {"state": "???"}}, "no base64"),
        ({"format": "menura-plugin-9"}, "does not say format"),
        ({"values": None}, "are missing"),
    ],
)
def test_a_document_that_does_not_fit_is_refused(change: dict[str, object], word: str) -> None:
    import json

    good = json.loads(to_document(Preset("x", {"Level": 0.5}), PROBE))
    with pytest.raises(PresetError, match=word):
        of_document(json.dumps({**good, **change}).encode(), PROBE, "x")


# ---------------------------------------------------------------------- native formats


def test_every_surge_patch_is_lossless(shared_data: Path) -> None:
    read = others = routed = 0
    for path in sorted((shared_data / "surge_fxp").rglob("*.fxp")):
        data = path.read_bytes()
        if data[:4] != b"CcnK":
            others += 1  # one is bare XML
            with pytest.raises(PresetError, match="does not begin with CcnK"):
                SurgePatch.of_bytes(data)
            continue
        patch = SurgePatch.of_bytes(data)
        assert patch.to_bytes() == data
        assert len(patch.values) > 500
        assert patch.about["name"]
        routed += patch.routes > 0
        read += 1
    assert (read, others) == (263, 1)
    assert routed == 191


def test_one_value_of_a_surge_patch_is_changed(shared_data: Path) -> None:
    data = next((shared_data / "surge_fxp").rglob("Rapture*.fxp")).read_bytes()
    patch = SurgePatch.of_bytes(data)
    changed = SurgePatch.of_bytes(patch.with_value("a_osc1_pitch", 1.5).to_bytes())
    assert changed.values["a_osc1_pitch"] == 1.5
    assert {k: v for k, v in changed.values.items() if v != patch.values[k]} == {"a_osc1_pitch": 1.5}
    with pytest.raises(PresetError, match="no setting"):
        patch.with_value("a_osc9_pitch", 0.0)


def test_h2p_is_lossless_and_one_value_is_changed() -> None:
    found = H2p.of_bytes(H2P)
    assert found.to_bytes() == H2P
    assert found.instrument == "Diva"
    assert found.sections == {
        "main": {"CcOp": "100.00"},
        "ENV1": {"Atk": "9.00", "Dec": "10.00"},
        "FX1": {"Module": "'Chorus1'"},
    }
    changed = found.with_value("ENV1", "Atk", "42.50")
    assert changed.to_bytes() == H2P.replace(b"Atk=9.00", b"Atk=42.50")
    for section, key in (("ENV1", "Rel"), ("ENV9", "Atk"), ("FX1", "?gibberish")):
        with pytest.raises(PresetError, match="the preset has no"):
            found.with_value(section, key, "1")
    with pytest.raises(PresetError, match="one line"):
        found.with_value("ENV1", "Atk", "1\n#cm=x")
    windows = H2P.replace(b"\n", b"\r\n")
    assert H2p.of_bytes(windows).sections == found.sections
    assert H2p.of_bytes(windows).to_bytes() == windows


def test_noisemaker_presets_are_lossless_and_one_value_is_changed() -> None:
    data = TAL.encode()
    found = NoiseMakerPreset.of_bytes(data)
    assert found.to_bytes() == data
    assert (found.name, found.version) == ("B&ss é", 1.7)
    assert found.values == {"cutoff": 0.52, "filtertype": 0.0909}
    assert found.with_value("filtertype", 0.5).to_bytes() == data.replace(b"'0.0909'", b'"0.5"')
    renamed = found.with_value("programname", 'A "new" <one>')
    assert NoiseMakerPreset.of_bytes(renamed.to_bytes()).name == 'A "new" <one>'
    with pytest.raises(PresetError, match="no setting 'absent'"):
        found.with_value("absent", 0.0)
    for bad in ("<tal/>", "<html/>", TAL.replace("<tal", "<!DOCTYPE tal []><tal"), TAL.replace("</tal>", "")):
        with pytest.raises(PresetError):
            NoiseMakerPreset.of_bytes(bad.encode())
