"""`bank.syx#3` is a preset wherever a command takes one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from menura.cli.app import run
from menura.cli.options import place_in_bank, read_preset
from menura.errors import PresetError
from menura.synths.dx7.synth import Dx7
from menura.synths.registry import synth_of

DX7 = Dx7()


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    path = tmp_path / "bank.syx"
    path.write_bytes(DX7.write_bank([DX7.init().with_values(algorithm=float(number)) for number in range(32)]))
    return path


def numbered(path: Path, number: str) -> Path:
    return path.with_name(f"{path.name}#{number}")


def test_a_number_names_a_voice(bank: Path) -> None:
    for number in ("1", "2", "32", "007"):
        synth, preset = read_preset(numbered(bank, number))
        assert synth.name == "dx7"
        assert preset.values["algorithm"] == int(number) - 1
        assert preset.origin == {"voice": int(number), "file": "bank.syx"}
    assert read_preset(bank)[1].values["algorithm"] == 0
    assert read_preset(numbered(bank, "3"), "dx7")[1] == read_preset(numbered(bank, "3"))[1]


def test_a_file_may_have_such_a_name_itself(tmp_path: Path) -> None:
    path = tmp_path / "take#2.vital"
    synth = synth_of("vital")
    path.write_bytes(synth.write(synth.init()))
    assert place_in_bank(path) == (path, None)
    assert read_preset(path)[1] == synth.init()
    assert place_in_bank(tmp_path / "#3") == (tmp_path / "#3", None)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("0", "there is no voice 0; the file holds 32"),
        ("33", "there is no voice 33; the file holds 32"),
        ("123456", "there is no voice 123456; the file holds 32"),
        ("x", "#x names no voice; give its place in the bank, as in bank.syx#1"),
        ("-1", "#-1 names no voice"),
        ("", "# names no voice"),
    ],
)
def test_a_number_that_names_none_is_told(bank: Path, number: str, told: str) -> None:
    with pytest.raises(PresetError) as refused:
        read_preset(numbered(bank, number))
    assert told in str(refused.value)
    assert str(refused.value).count("bank.syx: ") <= 1


def test_other_presets_are_no_banks(tmp_path: Path) -> None:
    synth = synth_of("vital")
    path = tmp_path / "a.vital"
    path.write_bytes(synth.write(synth.init()))
    with pytest.raises(PresetError, match=r"a\.vital holds one preset, not a bank; leave out #2"):
        read_preset(numbered(path, "2"))
    with pytest.raises(PresetError, match=r"gone\.syx does not exist"):
        read_preset(tmp_path / "gone.syx#2")


def test_commands_take_one(bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", f"{bank}#5", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["kind"], about["synth"], about["bytes"]) == ("preset", "dx7", 4104)
    assert about["id"] == read_preset(numbered(bank, "5"))[1].id
    assert run(["info", f"{bank}#40"]) == 2
    assert run(["render", f"{bank}#40", "--out", str(tmp_path / "a.wav")]) == 2
    assert capsys.readouterr().err.count("there is no voice 40; the file holds 32") == 2
    assert not (tmp_path / "a.wav").exists()
