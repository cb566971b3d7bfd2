"""Pictures of sounds for the report: spectrograms, their difference, envelopes. Knows no preset and no page.

PNG is written here (indexed colours, one zlib stream), so that a report needs no plotting library.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio

Levels = NDArray[np.float64]
LOW_HZ, HIGH_HZ = 40.0, 18_000.0
"""Edges of every picture's frequency axis, which is logarithmic."""
RANGE_DB = 80.0
"""Levels from the reference down to this far below it are told apart."""
DIFFERENCE_DB = 30.0
"""The difference picture saturates here."""
_WINDOW_SECONDS = 0.046
_ROWS, _COLUMNS = 144, 420

_HEAT = ("#0a0a1a", "#1d1147", "#51127c", "#8f2a81", "#d3436e", "#f8765c", "#febb81", "#fcfdbf")
_TOO_LITTLE, _TOO_MUCH = (0x2B, 0x7B, 0xE4), (0xE8, 0x6A, 0x10)


def level_db(audio: Audio) -> float:
    """RMS level of the whole sound in dB below full scale, -120 at the least."""
    rms = float(np.sqrt(np.mean(np.square(audio.mono, dtype=np.float64)))) if audio.samples.size else 0.0
    return max(-120.0, 20.0 * float(np.log10(max(rms, 1e-6))))


def spectrogram_db(audio: Audio, seconds: float) -> NDArray[np.float64]:
    """Power spectrogram on a logarithmic frequency axis.

    Args:
        audio: any sound; its channels are averaged.
        seconds: length of the time axis; a shorter sound is followed by silence.

    Returns:
        (rows, columns) levels in dB, row 0 the highest band, floor -160.
    """
    rate = audio.sample_rate
    window = 1 << round(np.log2(_WINDOW_SECONDS * rate))
    centres = np.linspace(0.0, max(seconds, 0.01) * rate, _COLUMNS).astype(np.int64)
    padded = np.zeros(int(centres[-1]) + 2 * window, dtype=np.float64)
    mono = audio.mono[: padded.size - window // 2]
    padded[window // 2 : window // 2 + mono.size] = mono
    shape = np.hanning(window)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[centres] * shape
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / np.sum(shape) ** 2
    edges = np.geomspace(LOW_HZ, HIGH_HZ, _ROWS + 1) * window / rate
    bands = np.zeros((_ROWS, _COLUMNS))  # bands above half the sample rate stay empty
    last = power.shape[1] - 1
    for row, (low, high) in enumerate(itertools.pairwise(edges)):
        first, stop = int(np.ceil(low)), int(np.floor(high)) + 1
        if low >= last:
            continue
        if stop > first:
            bands[row] = power[:, first:stop].max(axis=1)
        else:  # narrower than one bin of the transform: read between the bins
            below = min(int(low), last - 1)
            share = (low + high) / 2 - below
            bands[row] = power[:, below] * (1 - share) + power[:, below + 1] * share
    return 10.0 * np.log10(np.maximum(bands[::-1], 1e-16))


def heat_png(levels_db: NDArray[np.float64], reference_db: float) -> bytes:
    """Picture of a spectrogram; `reference_db` is the brightest colour, RANGE_DB below it the darkest."""
    share = np.clip((levels_db - reference_db) / RANGE_DB + 1.0, 0.0, 1.0)
    return png(np.round(share * 95).astype(np.uint8), _gradient(_HEAT, 96))


def difference_png(target_db: NDArray[np.float64], answer_db: NDArray[np.float64], reference_db: float) -> bytes:
    """Signed picture: orange where the answer has more than the target, blue where less, clear where alike."""
    floor = reference_db - RANGE_DB
    difference = np.maximum(answer_db, floor) - np.maximum(target_db, floor)
    steps = np.round(np.clip(difference / DIFFERENCE_DB, -1.0, 1.0) * 31).astype(np.int64) + 31
    palette = [
        (*(_TOO_LITTLE if step < 0 else _TOO_MUCH), round(255 * min(1.0, (abs(step) / 31) ** 0.8)))
        for step in range(-31, 32)
    ]
    return png(steps.astype(np.uint8), palette)


def png(indices: NDArray[np.uint8], palette: Sequence[tuple[int, int, int, int]]) -> bytes:
    """An indexed PNG.

    Args:
        indices: (rows, columns) positions in the palette.
        palette: up to 256 colours, red, green, blue, alpha, each 0 to 255.

    Source: PNG specification, third edition (W3C 2023), chunks IHDR, PLTE, tRNS, IDAT.
    """

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows, columns = indices.shape
    lines = np.zeros((rows, columns + 1), dtype=np.uint8)  # each line begins with its filter, 0: none
    lines[:, 1:] = indices
    parts = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
        chunk(b"PLTE", bytes(value for colour in palette for value in colour[:3])),
        chunk(b"tRNS", bytes(colour[3] for colour in palette)),
        chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def envelope_db(audio: Audio, seconds: float, points: int = 240) -> NDArray[np.float64]:
    """RMS level (25 ms) at `points` moments from 0 to `seconds`, in dB of full scale, floor -120."""
    rate = audio.sample_rate
    width = max(1, round(0.025 * rate))
    total = np.concatenate([[0.0], np.cumsum(np.square(audio.mono, dtype=np.float64))])
    centres = np.linspace(0.0, seconds * rate, points)
    high = np.clip(centres + width / 2, 0, total.size - 1).astype(np.int64)
    low = np.clip(centres - width / 2, 0, total.size - 1).astype(np.int64)
    power = (total[high] - total[low]) / np.maximum(high - low, 1)  # at the ends the window is shorter
    return 10.0 * np.log10(np.maximum(power, 1e-12))


def line_path(levels_db: NDArray[np.float64], top_db: float, range_db: float = 60.0) -> str:
    """SVG path of an envelope in a box 1000 wide and 100 high; `top_db` is its upper edge."""
    across = np.linspace(0.0, 1000.0, levels_db.size)
    down = np.clip((top_db - levels_db) / range_db, 0.0, 1.0) * 100.0
    return "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in zip(across, down, strict=True))


def row_of_hz(frequency_hz: float) -> float:
    """Where a frequency lies on the vertical axis, 0 at the top edge and 1 at the bottom."""
    return float(1.0 - np.log(frequency_hz / LOW_HZ) / np.log(HIGH_HZ / LOW_HZ))


def _gradient(anchors: Sequence[str], n: int) -> list[tuple[int, int, int, int]]:
    """`n` opaque colours between anchors given as ``#rrggbb``."""
    rgb = np.array([[int(anchor[i : i + 2], 16) for i in (1, 3, 5)] for anchor in anchors], dtype=np.float64)
    at = np.linspace(0, len(anchors) - 1, n)
    colours = np.stack([np.interp(at, np.arange(len(anchors)), rgb[:, i]) for i in range(3)], axis=1)
    return [(int(r), int(g), int(b), 255) for r, g, b in np.round(colours)]
