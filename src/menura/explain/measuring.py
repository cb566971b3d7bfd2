"""What is heard of a sound, in numbers that a musician has words for, and how far two sounds are apart.

Owns the quantities and when a change of one is noticed; knows no preset.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio, measure_loudness
from menura.explain.tutorial import Effect, Shift
from menura.features.course import level_db
from menura.features.spectra import magnitude, mel_power
from menura.features.trackers import midi, praat_track
from menura.note import Note

Picture = NDArray[np.float16]
"""Log-mel levels in dB of full scale, shape (2, frames, bands)."""

INAUDIBLE_DB = 0.2
"""A difference up to this is none, however exactly an engine repeats itself; one hears half a dB at best."""
SILENCE_LUFS = -70.0
"""What is softer counts as silence."""
_RANGE_DB = 60.0
_WINDOW, _HOP, _BANDS = 2048, 441, 64
_LOWEST_DB = -120.0


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


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is kept of a render."""

    picture: Picture
    sound: Sound | None
    """None where only the picture was asked for."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Turns a render into what is kept of it; runs in the workers."""

    note: Note
    whole: bool = True
    """False takes the picture alone, which is quicker."""

    def __call__(self, audio: Audio) -> Heard:
        """Listens."""
        both = audio.samples if audio.channels > 1 else np.repeat(audio.samples, 2, axis=0)
        pictures = [mel_power(channel, audio.sample_rate, _WINDOW, _HOP, _BANDS) for channel in both[:2]]
        levels = 10.0 * np.log10(np.maximum(np.stack(pictures), 10.0 ** (_LOWEST_DB / 10.0)))
        return Heard(levels.astype(np.float16), sound_of(audio, self.note) if self.whole else None)


def difference_db(first: Picture, second: Picture) -> float:
    """How far two pictures are apart: the mean of absolute dB, by two counts of which the larger one is taken.

    One takes every cell alike that is within 60 dB of the louder picture's loudest cell; the other each by its
    amplitude, so that a change of the few bands that carry a sound is not lost among the many that do not.
    """
    a, b = first.astype(np.float32), second.astype(np.float32)
    loudest = np.maximum(a, b)
    top = float(loudest.max())
    if top <= _LOWEST_DB + 10.0:
        return 0.0
    floor = np.float32(top - _RANGE_DB)
    apart = np.abs(np.maximum(a, floor) - np.maximum(b, floor))
    weights = 10.0 ** ((loudest - top) / 20.0)
    return max(float(apart[loudest > floor].mean()), float((apart * weights).sum() / weights.sum()))


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


def effect_between(before: Heard, after: Heard, floor_db: float) -> Effect:
    """What became of one sound: the quantities that moved by more than one notices, the largest three.

    Args:
        before: the sound without the step.
        after: the sound with it.
        floor_db: differences up to it are none.
    """
    difference = difference_db(before.picture, after.picture)
    if difference <= floor_db or before.sound is None or after.sound is None:
        return Effect(difference, difference > floor_db)
    old, new = before.sound, after.sound
    if math.isinf(old.level) or math.isinf(new.level):
        moved = math.isinf(old.level) != math.isinf(new.level)
        return Effect(difference, True, (Shift("level", old.level, new.level),) if moved else ())
    found = [
        (size, Shift(field.name, getattr(old, field.name), getattr(new, field.name)))
        for field in fields(Sound)
        if (field.name not in _OF_TONES or min(old.tone, new.tone) >= _CLEAR)
        and (size := _noticed(field.name, getattr(old, field.name), getattr(new, field.name))) >= 1.0
    ]
    found.sort(key=lambda pair: -pair[0])
    return Effect(difference, True, tuple(shift for _, shift in found[:3]))


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
_OF_TONES = ("pitch", "pitch_swing")
_CLEAR = 0.9
"""Chords, beats and noise have no pitch that a tracker could be believed."""
_RATIOS = {"brightness": 1.0, "attack": 0.02, "length": 0.05}
"""Quantities that are compared as octaves, and below what they are all the same."""


def _noticed(quantity: str, before: float, after: float) -> float:
    """The change in units of what is just told."""
    if not (math.isfinite(before) and math.isfinite(after)):
        return 0.0
    if quantity in _RATIOS:
        least = _RATIOS[quantity]
        return abs(math.log2(max(after, least) / max(before, least))) / _NOTICED[quantity]
    if quantity == "held":  # below that, a sound has ended
        before, after = max(before, -40.0), max(after, -40.0)
    return abs(after - before) / _NOTICED[quantity]


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
