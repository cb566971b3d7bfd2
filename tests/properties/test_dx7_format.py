"""DX7 files: whatever a valid voice is, it comes back from each of its forms; what is damaged is told or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.errors import PresetError
from menura.synths.dx7.controls import NAME_SIZE, controls
from menura.synths.dx7.format import (
    BANK_SIZE,
    check_voice,
    checksum,
    initial_voice,
    name_bytes,
    name_of,
    pack,
    read_dumps,
    read_voices,
    silent,
    unpack,
    valid,
    write_bank,
    write_voice,
)
from menura.synths.dx7.synth import Dx7, preset_of, voice_of

DX7 = Dx7()
VOICES = st.builds(
    lambda values, name: bytes(values) + name,
    st.tuples(*(st.integers(0, control.high) for control in controls())),
    st.binary(min_size=NAME_SIZE, max_size=NAME_SIZE).map(lambda name: bytes(code & 0x7F for code in name)),
)
JUNK = st.binary(max_size=40).map(lambda junk: junk.replace(b"\xf0", b""))


def packed(voice: bytes) -> bytes:
    return pack(np.frombuffer(voice, np.uint8)[None]).tobytes()


@given(VOICES)
def test_packing_loses_nothing(voice: bytes) -> None:
    assert unpack(np.frombuffer(packed(voice), np.uint8)[None])[0].tobytes() == voice
    assert max(packed(voice)) < 0x80


@given(VOICES)
def test_a_voice_comes_back_from_its_file_and_its_preset(voice: bytes) -> None:
    assert read_voices(write_voice(voice)) == [voice]
    preset = DX7.read(write_voice(voice))
    assert voice_of(preset) == voice
    assert DX7.read(DX7.write(preset)) == preset
    assert DX7.read(DX7.write(preset)).name == preset.name
    assert DX7.space.decode(DX7.space.encode(preset), DX7.init()) == preset


@given(st.lists(VOICES, min_size=1, max_size=32))
def test_a_bank_holds_its_voices_and_initial_ones(voices: list[bytes]) -> None:
    bank = write_bank(voices)
    assert len(bank) == 4104
    assert read_voices(bank) == voices + [initial_voice()] * (32 - len(voices))
    assert bank[:6] == bytes((0xF0, 0x43, 0, 9, 0x20, 0))
    assert sum(bank[6:-1]) % 128 == 0
    assert [voice_of(preset) for preset in DX7.read_bank(bank)][: len(voices)] == voices
    assert DX7.read(bank).origin["voice"] == 1


@given(VOICES, VOICES, JUNK, JUNK, JUNK)
def test_whatever_lies_around_messages_is_passed_over(
    first: bytes, second: bytes, before: bytes, between: bytes, after: bytes
) -> None:
    data = before + write_voice(first, channel=15) + between + write_bank([second]) + after
    found = read_dumps(data)
    assert [dump.voices[0] for dump in found] == [first, second]
    assert not any(dump.faults for dump in found)


@given(VOICES)
def test_bare_bodies_are_read(voice: bytes) -> None:
    for body in (voice, voice + b"\x3f", packed(voice), packed(voice) * 32):
        assert read_voices(body)[-1] == voice


@given(VOICES, st.integers(0, 127))
def test_a_wrong_checksum_is_told_and_read_on(voice: bytes, other: int) -> None:
    message = bytearray(write_voice(voice))
    right = message[-2]
    message[-2] = other
    preset = DX7.read(bytes(message))
    assert voice_of(preset) == voice
    assert ("faults" in preset.origin) == (other != right)
    assert read_dumps(bytes(message[:-2]))[0].faults == ("the checksum is missing",)


@given(VOICES, st.integers(0, 144), st.integers(1, 20))
def test_a_value_out_of_range_is_refused_by_name(voice: bytes, place: int, above: int) -> None:
    control = controls()[place]
    value = min(control.high + above, 0x7F)
    broken = voice[:place] + bytes((value,)) + voice[place + 1 :]
    with pytest.raises(PresetError, match=f"{control.name} {value}; it goes from 0 to {control.high}"):
        check_voice(broken)
    assert not valid(np.frombuffer(broken, np.uint8)[None])[0]
    body = bytes((0xF0, 0x43, 0, 0, 1, 0x1B)) + broken + bytes((checksum(broken), 0xF7))
    with pytest.raises(PresetError, match=control.name):
        DX7.read(body)
    with pytest.raises(PresetError, match=control.name):
        write_voice(broken)


@given(VOICES, st.integers(7, 150))
def test_a_dump_that_breaks_off_is_refused(voice: bytes, size: int) -> None:
    with pytest.raises(PresetError, match=f"breaks off after {size - 6} of 155 bytes"):
        read_dumps(write_voice(voice)[:size])


@given(st.text(max_size=14))
def test_any_name_can_be_written_and_is_kept_once_written(name: str) -> None:
    stored = name_bytes(name)
    assert len(stored) == NAME_SIZE
    assert max(stored) < 0x80
    kept = name_of(bytes(145) + stored)
    assert name_bytes(kept) == stored


def test_names_are_readable() -> None:
    assert name_of(bytes(145) + b"E.PIANO 1 ") == "E.PIANO 1"
    assert name_bytes("Cellò – 01 long") == b"Cello ? 01"
    assert name_of(bytes(145) + bytes((0x5C, 0x7E, 0x7F)) + b"       ") == "¥→←"


def test_real_time_bytes_inside_of_a_dump_are_passed_over() -> None:
    message = write_voice(initial_voice())
    assert read_voices(message[:50] + b"\xf8\xfe" + message[50:]) == [initial_voice()]


def test_a_voice_without_levels_is_valid_and_silent() -> None:
    nothing = DX7.init().with_values(op1_output_level=0.0)
    assert silent(voice_of(nothing))
    assert not silent(initial_voice())
    assert DX7.read(DX7.write(nothing)) == nothing


def test_one_broken_voice_does_not_cost_its_bank() -> None:
    bank = bytearray(write_bank([initial_voice()]))
    bank[6 + 128] = 127
    assert len(DX7.read_bank(bytes(bank))) == 31
    assert [preset.origin["voice"] for preset in DX7.read_bank(bytes(bank))][:2] == [1, 3]
    with pytest.raises(PresetError, match="no voice of the file can be used; the first: DX7 voice"):
        DX7.read_bank(bytes((127,)) * BANK_SIZE)


def test_a_voice_of_a_bank_is_named_by_its_place(tmp_path: Path) -> None:
    second = DX7.init().with_values(algorithm=31.0)
    path = tmp_path / "bank.syx"
    path.write_bytes(DX7.write_bank([DX7.init(), second]))
    found = DX7.read(tmp_path / "bank.syx#2")
    assert found == second
    assert found.origin == {"voice": 2, "file": "bank.syx"}
    with pytest.raises(PresetError, match="there is no voice 33; the file holds 32"):
        DX7.read(tmp_path / "bank.syx#33")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"feedback": 8.0}, "feedback is 8.0; give a whole number from 0 to 7"),
        ({"feedback": 0.5}, "feedback is 0.5; give a whole number"),
        ({"feedback": -1.0}, "feedback is -1.0; give a whole number"),
        ({"feedback": float("nan")}, "feedback is nan"),
        ({"feedback": 1e30}, "feedback is 1e"),
        ({"cutoff": 1.0}, "no control 'cutoff'"),
    ],
)
def test_presets_that_are_no_voice_are_refused(values: dict[str, float], words: str) -> None:
    with pytest.raises(PresetError, match=words):
        DX7.write(DX7.init().with_values(**values))


def test_a_preset_may_leave_controls_at_their_defaults() -> None:
    from menura.preset import Preset

    assert voice_of(Preset("dx7", {}, name="INIT VOICE")) == initial_voice()


def test_voices_by_people(shared_data: Path) -> None:
    table = np.load(shared_data / "dx7_voices.npy")[::20]
    voices = unpack(table)
    good = valid(voices)
    assert 0.8 < good.mean() < 0.95
    np.testing.assert_array_equal(unpack(pack(voices[good])), voices[good])
    for row in voices[good][::5]:
        preset = preset_of(row.tobytes())
        assert DX7.read(DX7.write(DX7.space.decode(DX7.space.encode(preset), DX7.init()))) == preset
    for row in voices[~good][::5]:
        with pytest.raises(PresetError, match="goes from 0 to"):
            preset_of(row.tobytes())
