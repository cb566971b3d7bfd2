"""Laws of sounds and their files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from menura.audio import Audio, encode_audio, measure_loudness, read_audio
from menura.errors import AudioError

RATES = st.sampled_from([8_000, 22_050, 44_100, 48_000])
SOUNDS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.integers(1, 3_000)),
    elements=st.floats(-1, 1, width=32),
    fill=st.floats(-1, 1, width=32),
)


def as_file(data: bytes, suffix: str) -> Audio:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        path.write_bytes(data)
        return read_audio(path)


@given(SOUNDS, RATES)
def test_a_float_wav_is_what_libsndfile_reads(samples: np.ndarray, rate: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.wav"
        path.write_bytes(encode_audio(Audio(samples, rate)))
        back, back_rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert back_rate == rate
    np.testing.assert_array_equal(back.T, samples)


@given(SOUNDS, RATES)
def test_trimming_takes_a_part_and_never_the_loudest(samples: np.ndarray, rate: int) -> None:
    audio = Audio(samples, rate)
    trimmed = audio.trim()
    count = trimmed.samples.shape[1]
    assert count <= samples.shape[1]
    assert trimmed.peak == audio.peak
    places = np.lib.stride_tricks.sliding_window_view(samples, count, axis=1)
    assert any(np.array_equal(places[:, k], trimmed.samples) for k in range(places.shape[1]))


@given(SOUNDS, RATES, st.integers(0, 8_000))
def test_a_silent_lead_costs_nothing_that_sounds(samples: np.ndarray, rate: int, lead: int) -> None:
    trimmed = Audio(np.pad(samples, ((0, 0), (lead, 0))), rate).trim(tail=False).samples
    assert np.max(np.abs(trimmed)) == np.max(np.abs(samples))
    # What is kept ends as the sound ends.
    shared = min(trimmed.shape[1], samples.shape[1])
    np.testing.assert_array_equal(trimmed[:, -shared:], samples[:, -shared:])


@given(SOUNDS, RATES, RATES)
def test_resampling_keeps_the_length_in_seconds(samples: np.ndarray, rate: int, wanted: int) -> None:
    turned = Audio(samples, rate).resample(wanted)
    assert turned.samples.shape == (samples.shape[0], max(1, round(samples.shape[1] * wanted / rate)))
    assert np.isfinite(turned.samples).all()


@given(SOUNDS, RATES, st.floats(-60, 20))
def test_loudness_follows_the_gain(samples: np.ndarray, rate: int, db: float) -> None:
    audio = Audio(samples, rate)
    one, two = measure_loudness(audio), measure_loudness(audio.gain(db))
    if one.peak_dbfs > -100:
        assert two.peak_dbfs - one.peak_dbfs == pytest.approx(db, abs=1e-3)
        assert two.rms_dbfs - one.rms_dbfs == pytest.approx(db, abs=1e-3)


@given(st.binary(max_size=3_000), st.sampled_from([".wav", ".mp3", ".ogg", ".flac", ".aiff", ".raw", ""]))
def test_any_bytes_are_a_sound_or_one_line(data: bytes, suffix: str) -> None:
    try:
        audio = as_file(data, suffix)
    except AudioError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(audio.samples).all()


@given(
    st.sampled_from([".wav", ".flac", ".ogg", ".aiff", ".mp3"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    st.floats(0.1, 1),
)
def test_a_damaged_file_is_a_sound_or_one_line(suffix: str, changes: list[tuple[float, int]], kept: float) -> None:
    wave = 0.5 * np.sin(np.arange(4_410) * 0.06)
    data = bytearray(encode_audio(Audio(wave, 44_100), suffix))
    for place, value in changes:
        data[int(place * min(len(data), 200))] = value
    try:
        audio = as_file(bytes(data[: max(1, int(kept * len(data)))]), suffix)
    except AudioError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(audio.samples).all()
        assert audio.seconds <= 12.0
