"""A synth leaves the process as it found it: what is computed after a render is what was computed before."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from engines import installed

CODE = """
import sys
from menura.note import Note
from menura.synths.registry import synth_of

smallest = float.fromhex("0x0.0000000000001p-1022")
synth = synth_of(sys.argv[1])
synth.render(synth.init(), Note(hold=0.1, total=0.2))
assert smallest * 1.0 > 0.0, "denormal numbers are flushed to zero after a render"
"""


@pytest.mark.parametrize("name", ["vital", "toy", "dx7"])
def test_a_render_leaves_denormal_numbers_alone(name: str) -> None:
    installed(name)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    run = subprocess.run(
        [sys.executable, "-c", CODE, name], capture_output=True, text=True, check=False, env=environment
    )
    assert run.returncode == 0, run.stderr
