"""The spectral metrics against auraloss, torchaudio and librosa: stored numbers always, live where torch is."""

from __future__ import annotations

import importlib.util
import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from menura.evaluation.metrics import measure_all

SCRIPT = Path(__file__).with_name("make_metric_references.py")
GOLDEN: dict[str, dict[str, float]] = json.loads(SCRIPT.with_name("metrics.json").read_text(encoding="utf-8"))
REFERENCE = ("torch", "auraloss", "librosa")


@pytest.fixture(scope="module")
def pairs() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))["pairs"]()


def test_the_golden_file_holds_every_pair_and_metric(pairs):
    assert set(GOLDEN) == set(pairs)
    for values in GOLDEN.values():
        assert set(values) == {"stft", "mstft", "mel", "mfccd", "logmel"}


@pytest.mark.parametrize("name", GOLDEN)
def test_equals_the_stored_references(name, pairs):
    rate, target, prediction = pairs[name]
    ours = measure_all(GOLDEN[name], target, prediction, rate)
    assert ours == pytest.approx(GOLDEN[name], rel=1e-3)


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in REFERENCE),
    reason="needs torch, auraloss and librosa: pip install 'menura[dev,reference]'",
)
def test_equals_what_auraloss_says_here_and_now(pairs):
    # In a process of its own: torch's threads stay out of the process that forks engines.
    run = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=True)
    live: dict[str, dict[str, float]] = json.loads(run.stdout)
    assert set(live) == set(pairs)
    for name, (rate, target, prediction) in pairs.items():
        assert {"stft", "mstft", "mel", "logmel"} <= set(live[name])
        assert measure_all(live[name], target, prediction, rate) == pytest.approx(live[name], rel=1e-3), name
