"""`menura dataset`: how it is called, what it says, how it ends."""

from __future__ import annotations

import json

import pytest

from menura.cli.app import run

RENDER = ["dataset", "render", "--count", "4", "--prior", "sparse", "--synth", "toy", "--workers", "1"]
SHORT = ["--notes", "C3,60", "--velocities", "0.5,1", "--hold", "0.1", "--total", "0.2", "--seed", "3"]


def test_render_info_and_check(tmp_path, capsys):
    out = str(tmp_path / "corpus")
    assert run([*RENDER, *SHORT, "--out", out]) == 0
    said = capsys.readouterr()
    assert "4 presets, 16 renders in 1 shards" in said.out
    assert "of 4 presets" in said.err
    assert run([*RENDER, *SHORT, "--out", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 16

    assert run(["dataset", "info", out]) == 0
    assert "whole" in (said := capsys.readouterr().out)
    assert "C3 at 0.5; C3 at 1; C4 at 0.5; C4 at 1" in said
    assert run(["dataset", "info", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["prior"] == "sparse"

    picture = tmp_path / "picture.png"
    assert run(["dataset", "check", out, "--picture", str(picture), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["whole"], found["rows"], found["damaged"]) == (True, 16, {})
    assert picture.stat().st_size > 10_000
    assert run(["dataset", "check", out]) == 0
    assert "rms_dbfs" in capsys.readouterr().out

    shard = tmp_path / "corpus" / "shards" / "00000.parquet"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-9])
    assert run(["dataset", "check", out]) == 1
    assert "00000.parquet: " in (said := capsys.readouterr().err)
    assert "delete it and run the same menura dataset render again" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "FOLDER"], "is not a corpus"),
        (["check", "FOLDER"], "is not a corpus"),
        (
            ["render", "--count", "4", "--prior", "absent", "--synth", "toy", "--out", "FOLDER/c"],
            "no sampler is called",
        ),
        (["render", "--count", "4", "--synth", "toy", "--velocities", "loud", "--out", "FOLDER/c"], "is no number"),
        (["render", "--count", "0", "--out", "FOLDER/c"], "greater than or equal to 1"),
    ],
)
def test_bad_input_ends_with_two(arguments, message, tmp_path, capsys):
    assert run(["dataset", *(argument.replace("FOLDER", str(tmp_path)) for argument in arguments)]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
