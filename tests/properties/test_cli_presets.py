"""Whatever a preset file holds, the command line answers in words."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menura.cli import main
from menura.synths.registry import synth_of


def answer(content: bytes) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `menura info --json` for a preset of that content."""
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "broken.vital"
        path.write_bytes(content)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(["info", str(path), "--json"])
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()


def check(content: bytes) -> None:
    code, out, err = answer(content)
    assert code in (0, 2), err
    assert isinstance(json.loads(out), dict)
    assert "Traceback" not in err
    assert len(err.splitlines()) == (0 if code == 0 else 1), err


@pytest.fixture(scope="module")
def whole() -> bytes:
    synth = synth_of("vital")
    return synth.write(synth.init())


@given(content=st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    check(content)


@settings(max_examples=30)
@given(data=st.data())
def test_a_preset_cut_or_overwritten_anywhere(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    put = data.draw(st.binary(max_size=8))
    check(whole[:at])
    check(whole[:at] + put + whole[at + len(put) :])


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}))


@settings(max_examples=60)
@given(data=st.data())
def test_a_preset_with_any_value_in_any_place(whole: bytes, data: st.DataObject) -> None:
    document = json.loads(whole)
    inner: Any = document
    while True:
        keys = sorted(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(inner[key], dict | list) and data.draw(st.booleans()):
            inner = inner[key]
            continue
        inner[key] = data.draw(VALUES)
        break
    check(json.dumps(document).encode())
