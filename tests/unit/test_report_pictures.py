"""Pictures of sounds say what the sounds do."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menura.audio import Audio
from menura.report import pictures

RATE = 44_100


def sine(hz: float, seconds: float = 1.0, level: float = 0.5) -> Audio:
    at = np.arange(round(seconds * RATE)) / RATE
    return Audio((level * np.sin(2 * np.pi * hz * at)).astype(np.float32)[None], RATE)


def pixels(png: bytes) -> np.ndarray:
    """The palette's positions in an indexed PNG, read back by its chunks."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, {}
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        found[kind] = body
        at += 12 + length
    columns, rows = struct.unpack(">II", found[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:]


@pytest.mark.parametrize("hz", [110.0, 1000.0, 9000.0])
def test_a_sine_is_brightest_at_its_frequency(hz: float) -> None:
    levels = pictures.spectrogram_db(sine(hz), 1.0)
    row = int(np.argmax(levels[:, levels.shape[1] // 2]))
    assert row / levels.shape[0] == pytest.approx(pictures.row_of_hz(hz), abs=0.015)


def test_what_is_beyond_the_end_or_half_the_rate_is_dark() -> None:
    levels = pictures.spectrogram_db(sine(1000.0, 0.5), 1.0)
    assert levels[:, -levels.shape[1] // 3 :].max() < levels.max() - 80
    slow = Audio(sine(1000.0).samples[:, ::4], RATE // 4)
    assert pictures.spectrogram_db(slow, 1.0)[: pictures.spectrogram_db(slow, 1.0).shape[0] // 8].max() < -100


def test_the_difference_has_the_sign_of_the_answer() -> None:
    quiet, loud = (pictures.spectrogram_db(sine(1000.0, level=level), 1.0) for level in (0.05, 0.5))
    reference = float(loud.max())
    row = round(pictures.row_of_hz(1000.0) * quiet.shape[0])
    middle = quiet.shape[1] // 2
    assert pixels(pictures.difference_png(quiet, loud, reference))[row, middle] > 31
    assert pixels(pictures.difference_png(loud, quiet, reference))[row, middle] < 31
    assert (pixels(pictures.difference_png(loud, loud, reference)) == 31).all()


@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 9),
    data=st.data(),
)
def test_a_png_holds_its_pixels(rows: int, columns: int, data: st.DataObject) -> None:
    flat = data.draw(st.lists(st.integers(0, 3), min_size=rows * columns, max_size=rows * columns))
    indices = np.array(flat, np.uint8).reshape(rows, columns)
    palette = [(0, 0, 0, 255), (255, 0, 0, 255), (0, 255, 0, 0), (0, 0, 255, 9)]
    assert (pixels(pictures.png(indices, palette)) == indices).all()


def test_envelopes_are_in_decibels() -> None:
    levels = pictures.envelope_db(sine(500.0, 1.0, level=0.5), 2.0, 200)
    assert levels[40] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.2)
    assert levels[150] == -120.0
    assert pictures.level_db(sine(500.0, level=1.0)) == pytest.approx(-3.01, abs=0.02)
    assert pictures.level_db(Audio(np.zeros((1, 100), np.float32), RATE)) == -120.0


def test_a_line_stays_in_its_box() -> None:
    path = pictures.line_path(np.array([10.0, 0.0, -30.0, -120.0]), 0.0)
    assert path == "M0 0.0L333 0.0L667 50.0L1000 100.0"
