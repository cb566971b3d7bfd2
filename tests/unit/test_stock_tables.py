"""The stock wavetables: sound in themselves, and in the engine at the right pitch."""

from __future__ import annotations

import numpy as np
import pytest

from menura.note import Note
from menura.synths.vital.init import with_settings
from menura.synths.vital.stock import FRAME, families, stock_table, table_names
from menura.synths.vital.synth import Vital
from menura.synths.vital.voice import SOURCES, stock_noise


def test_there_are_enough_and_each_has_its_own_name() -> None:
    names = table_names()
    assert len(names) >= 24
    assert len({name.casefold() for name in names}) == len(names)
    assert sorted(name for found in families().values() for name in found) == sorted(names)
    for family in ("analogue", "sync", "sweep", "formant", "vocal", "fm", "organ", "bell", "noise", "string"):
        assert families()[family]


@pytest.mark.parametrize("name", table_names())
def test_frames_are_clean(name: str) -> None:
    frames = stock_table(name).frames
    assert 5 <= len(frames) <= 16
    assert frames.shape[1] == FRAME
    assert np.isfinite(frames).all()
    assert np.abs(frames).max(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert np.abs(frames.mean(axis=1)).max() < 1e-5
    spectra = stock_table(name).spectra
    decibels = 20.0 * np.log10(spectra / spectra.max(axis=1, keepdims=True) + 1e-5)
    assert np.abs(np.diff(decibels, axis=0)).max(axis=1).min() > 1.0, "two keyframes sound the same"


@pytest.mark.parametrize("name", table_names())
def test_the_engine_plays_it_at_its_pitch(name: str) -> None:
    synth = Vital()
    tables = [stock_table(name).block()] * 3
    preset = with_settings(synth.init(), wavetables=tables)
    base = {"osc_1_random_phase": 0.0, "env_1_attack": 0.0, "osc_1_stereo_spread": 0.0}
    table = stock_table(name)
    for frame in (0.0, 256.0):
        sound = synth.render(preset.with_values(**base, osc_1_wave_frame=frame), Note(57, hold=0.5, total=0.5)).mono
        steady = sound[4410 : 4410 + 8820]
        spectrum = np.abs(np.fft.rfft(steady * np.hanning(steady.size)))
        # 8820 samples hold 44 periods of 220 Hz: harmonic k lies in bin 44 k.
        heard = np.array([spectrum[44 * k - 2 : 44 * k + 3].max() for k in range(1, 91)])
        between = np.array([spectrum[44 * k + 20 : 44 * k + 25].max() for k in range(1, 90)])
        wanted = table.spectrum_at(frame)[:90]
        assert between.max() < 0.01 * heard.max(), "there is sound between the harmonics of A3"
        shape, expected = heard / np.linalg.norm(heard), wanted / np.linalg.norm(wanted)
        assert np.abs(shape - expected).max() < 0.03


def test_blocks_are_small() -> None:
    import json

    sizes = [len(json.dumps(stock_table(name).block())) for name in table_names()]
    assert max(sizes) < 110_000
    assert len(json.dumps(stock_noise())) < 100_000


def test_every_table_can_be_chosen() -> None:
    assert {name for name, _ in SOURCES} == set(table_names())
