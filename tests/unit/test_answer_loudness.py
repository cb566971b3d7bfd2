"""Answers are as loud as their target, where the synth has a control for that alone."""

from __future__ import annotations

import numpy as np
import pytest

import menura
from engines import installed
from menura.audio import Audio

RATE = 44_100


def quiet_tone(peak: float) -> Audio:
    time = np.arange(RATE // 2) / RATE
    wave = np.sum([np.sin(2 * np.pi * 220.0 * k * time) / k**2 for k in range(1, 5)], axis=0)
    return Audio((peak * wave / np.abs(wave).max()).astype(np.float32), RATE)


@pytest.mark.parametrize("peak", [0.03, 0.12])
@pytest.mark.parametrize("synth", ["vital", "dx7"])
def test_an_answer_is_as_loud_as_the_target(synth: str, peak: float) -> None:
    installed(synth)
    target = quiet_tone(peak)
    best = menura.match(target, synth=synth, track="knobs", renders=16, top=1, note=57.0, workers=1)[0]
    ratio = np.sqrt(np.mean(best.audio.mono[: RATE // 2] ** 2) / np.mean(target.mono**2))
    assert abs(20.0 * np.log10(ratio)) < 3.0
