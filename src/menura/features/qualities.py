"""What is heard of one sound, in numbers that a musician has words for, and when a change of one is noticed.

Owns the quantities; knows no preset and no words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio, measure_loudness
from menura.features.course import level_db
from menura.features.spectra import magnitude
from menura.features.trackers import midi, praat_track
from menura.note import Note

SILENCE_LUFS = -70.0
"""What is softer counts as silence."""
_WINDOW, _HOP = 2048, 441


@dataclass(frozen=True, slots=True)
class Sound:
    """The quantities of one sound; NaN where it has none."""

    level: float
    """Integrated loudness, LUFS; -inf for silence."""
    brightness: float
    """Centre of the spectrum, Hz: the mean frequency, weighted by magnitude, of the frames that are loud."""
    attack: float
    """Seconds from key down until within 6 dB of the loudest moment."""
    held: float
    """Level at key up, dB relative to the loudest moment: 0 for an organ, far below for a pluck."""
    length: float
    """Seconds from key down until it stays 40 dB below its loudest moment, or to the end of what was played."""
    width: float
    """Share of the energy that the two channels do not have in common, 0 to 1."""
    pitch: float
    """MIDI pitch."""
    tone: float
    """How periodic it is: 1 for a steady wave, 0 for noise."""
    pitch_swing: float
    """Standard deviation of the pitch while the key is down, semitones."""
    level_swing: float
    """Standard deviation of the level around its trend while the key is down, dB."""
    colour_swing: float
    """Standard deviation of the brightness while the key is down, octaves."""


def sound_of(audio: Audio, note: Note) -> Sound:
    """Measures one render of a note."""
    nan = math.nan
    level = measure_loudness(audio).lufs
    if level < SILENCE_LUFS:
        return Sound(-math.inf, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan)
    rate, mono = audio.sample_rate, audio.to_mono().mono
    times, course = level_db(mono, rate, window=0.03)
    loud = np.flatnonzero(course >= -6.0)
    start = int(loud[0]) if loud.size else 0
    up = max(start + 1, min(int(np.searchsorted(times, min(note.hold, audio.seconds) - 0.02)), times.size - 1))
    lasting = np.flatnonzero(course > -40.0)
    spectrum = magnitude(mono, _WINDOW, _HOP).astype(np.float64)
    energy = spectrum.sum(axis=1)
    centres = spectrum @ np.fft.rfftfreq(_WINDOW, 1.0 / rate) / np.maximum(energy, 1e-12)
    audible = energy > 0.03 * energy.max()
    down = audible & (np.arange(energy.size) * _HOP / rate <= note.hold)
    pitch, tone, swing = _pitch(mono, rate, note)
    trend = course[start : up + 1]
    return Sound(
        level=level,
        brightness=float(np.average(centres[audible], weights=energy[audible])),
        attack=float(times[start]),
        held=float(course[up]),
        length=float(times[lasting[-1]]) if lasting.size else nan,
        width=_width(audio),
        pitch=pitch,
        tone=tone,
        pitch_swing=swing,
        level_swing=_around_trend(trend) if trend.size >= 20 else nan,
        colour_swing=_around_trend(np.log2(np.maximum(centres[down], 20.0))) if down.sum() >= 10 else nan,
    )


@dataclass(frozen=True, slots=True)
class Measure:
    """Measures renders of one note: `sound_of` as workers take it."""

    note: Note

    def __call__(self, audio: Audio) -> Sound:
        """Measures one."""
        return sound_of(audio, self.note)


_NOTICED: Mapping[str, float] = {
    "level": 1.0,
    "brightness": 0.1,  # octaves
    "attack": 0.5,  # octaves, see below
    "held": 3.0,
    "length": 0.25,  # octaves
    "width": 0.05,
    "pitch": 0.3,
    "tone": 0.08,
    "pitch_swing": 0.08,
    "level_swing": 1.0,
    "colour_swing": 0.12,
}
"""By how much a quantity must move to be told."""
_RATIOS = {"brightness": 1.0, "attack": 0.02, "length": 0.05}
"""Quantities that are compared as octaves, and below what they are all the same."""


def graded(quantity: str, value: float) -> float:
    """A quantity's value on a scale of equal steps, each just enough to be told; NaN where there is no value."""
    if not math.isfinite(value):
        return math.nan
    if quantity in _RATIOS:
        value = math.log2(max(value, _RATIOS[quantity]))
    if quantity == "held":  # below that, a sound has ended
        value = max(value, -40.0)
    return value / _NOTICED[quantity]


def value_at(quantity: str, grade: float) -> float:
    """The value at a place of that scale: what `graded` undoes."""
    value = grade * _NOTICED[quantity]
    return 2.0**value if quantity in _RATIOS else value


def noticed(quantity: str, before: float, after: float) -> float:
    """The change in units of what is just told, 0 where one of the two has no value."""
    change = abs(graded(quantity, after) - graded(quantity, before))
    return 0.0 if math.isnan(change) else change


def _pitch(mono: NDArray[np.float32], rate: int, note: Note) -> tuple[float, float, float]:
    """Median pitch, how periodic, and how much it swings while the key is down; NaN without a pitch."""
    lowest = max(16.0, note.frequency_hz / 8.5)
    track = praat_track(mono, rate, lowest_hz=lowest, highest_hz=min(4400.0, max(500.0, 8.5 * note.frequency_hz)))
    held = track.times <= note.hold
    voiced = track.voiced & held
    if voiced.sum() < 5:
        return math.nan, 0.0, math.nan
    # Frames that are too soft for the tracker say nothing on whether it is a tone.
    times, course = level_db(mono, rate)
    loud = held & (np.interp(track.times, times, course) > -25.0)
    tone = float(track.strength[loud].mean()) if loud.any() else math.nan
    if voiced.sum() < 0.5 * max(1, int(loud.sum())) or track.strength[voiced].mean() < 0.6:
        return math.nan, tone, math.nan
    pitches = midi(track.hz[voiced])
    middle = float(np.median(pitches))
    near = pitches[np.abs(pitches - middle) < 6.0]
    return middle, tone, float(near.std()) if near.size >= 5 else math.nan


def _width(audio: Audio) -> float:
    if audio.channels < 2:
        return 0.0
    left, right = audio.samples[0].astype(np.float64), audio.samples[1].astype(np.float64)
    whole = float(np.square(left).sum() + np.square(right).sum())
    return float(0.5 * np.square(left - right).sum() / whole) if whole > 0.0 else 0.0


def _around_trend(values: NDArray[np.float64]) -> float:
    """Standard deviation around a straight line."""
    at = np.arange(values.size)
    return float((values - np.polyval(np.polyfit(at, values, 1), at)).std())
