"""A sound as numbers that a page draws: mel levels on one absolute scale, envelope, pitch. Knows no preset, no page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from menura.audio import Audio, measure_loudness
from menura.features.spectra import hz_to_mel, mel_power, mel_to_hz

RATE = 44_100
BANDS, COLUMNS = 96, 320
FLOOR_DB, STEP_DB = -140.0, 0.6
"""A byte of the matrix is (level - FLOOR_DB) / STEP_DB."""
_WINDOW = 2048
_POINTS = 240


def picture_of(audio: Audio, *, pitch: float | None = None) -> dict[str, Any]:
    """What a page needs to draw a sound and to play it as loud as another.

    Args:
        audio: any sound.
        pitch: the MIDI pitch that was played, near which the fundamental is followed; None follows none.

    Returns:
        `mel`: base64 of bytes, column after column, each from the lowest band up; `hz` the centre of each band;
        `envelope_db` at equal steps over `seconds`; `pitch` as MIDI numbers or None, likewise; `lufs` and `peak_db`.
    """
    sound = audio.to_mono().resample(RATE)
    mono = np.ascontiguousarray(sound.mono)
    hop = max(64, -(-mono.size // COLUMNS))
    power = mel_power(mono, RATE, _WINDOW, hop, BANDS) / (_WINDOW / 4) ** 2
    levels = 10.0 * np.log10(np.maximum(power, 1e-16))
    steps = np.clip(np.round((levels - FLOOR_DB) / STEP_DB), 0, 255).astype(np.uint8)
    edges = np.linspace(0.0, float(hz_to_mel(RATE / 2.0)), BANDS + 2)
    loudness = measure_loudness(audio)
    # One channel is heard from both loudspeakers.
    heard_lufs = loudness.lufs + (3.01 if audio.channels == 1 else 0.0)
    return {
        "seconds": audio.seconds,
        "bands": BANDS,
        "columns": int(steps.shape[0]),
        "column_seconds": hop / RATE,
        "floor_db": FLOOR_DB,
        "step_db": STEP_DB,
        "mel": base64.b64encode(steps.tobytes()).decode("ascii"),
        "hz": [round(float(hz), 2) for hz in mel_to_hz(edges[1:-1])],
        "envelope_db": _envelope(sound),
        "pitch": None if pitch is None else _pitch(mono, pitch, sound.seconds),
        "lufs": heard_lufs,
        "peak_db": loudness.peak_dbfs,
    }


def _envelope(sound: Audio) -> list[float]:
    from menura.report.pictures import envelope_db

    return [round(float(level), 2) for level in envelope_db(sound, sound.seconds, _POINTS)]


def _pitch(mono: np.ndarray[Any, np.dtype[np.float32]], pitch: float, seconds: float) -> list[float | None]:
    from menura.features.pitch import follow_pitch
    from menura.features.trackers import hertz, midi

    track = follow_pitch(mono, RATE, hertz(pitch))
    if not track.times.size:
        return [None] * _POINTS
    at = np.linspace(0.0, seconds, _POINTS)
    nearest = np.clip(np.searchsorted(track.times, at), 0, track.times.size - 1)
    heard = (np.abs(track.times[nearest] - at) < 0.03) & (track.hz[nearest] > 0.0)
    pitches = midi(np.maximum(track.hz[nearest], 1.0))
    return [round(float(p), 3) if is_heard else None for p, is_heard in zip(pitches, heard, strict=True)]
