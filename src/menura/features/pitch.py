"""Which note is it: pitch with confidence, its movement, hold and release. Knows no presets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

from menura.audio import Audio
from menura.errors import NoteError
from menura.features.comb import SpectralPeaks, sharpen
from menura.features.course import level_course
from menura.features.trackers import HIGHEST_HZ, LOWEST_HZ, PitchTrack, hertz, midi, praat_track, swift_track

UNPITCHED_DEFAULT = 60.0
"""MIDI pitch that stands in where there is none: C4."""

TRACK_STEP = 0.005
"""Seconds from one frame of `NoteEstimate.track_hz` to the next."""

_PITCHED_FROM = 0.36
_CERTAIN_FROM = 1.6
_ANALYSED_SECONDS = 6.0

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NoteEstimate:
    """What was heard in a recording of one note."""

    pitch: float
    """MIDI pitch, a fraction is cents / 100; as given by the caller, or 60 for an unpitched sound."""
    confidence: float
    """0 (a guess) to 1 (certain)."""
    pitched: bool
    """False for noise, snaps, claps and the like."""
    sustaining: bool
    """True if the sound goes on for as long as the key is down."""
    hold: float
    """Seconds from the start to key up; all of it for a sound that decays freely or is cut off."""
    total: float
    """Seconds of the recording."""
    release: float
    """Seconds from key up to silence; 0 if no key up was heard."""
    fundamental_hz: float
    """Measured fundamental, refined by the partials; of `pitch` where nothing could be measured."""
    track_times: Series = field(repr=False)
    """Seconds from the start, every 5 ms over the whole sound, shape (frames,)."""
    track_hz: Series = field(repr=False)
    """Fundamental of each frame, smooth and in the octave of `fundamental_hz`; gaps are bridged."""
    track_voiced: NDArray[np.bool_] = field(repr=False)
    """True where `track_hz` was measured, False where it bridges a gap."""


def estimate_note(audio: Audio, *, pitch: float | None = None) -> NoteEstimate:
    """Listen to a recording of one note.

    Three settings of Praat's tracker and three speeds of SwiftF0 propose pitches; the one that
    explains the spectrum's peaks best and has most of the votes is taken.

    Args:
        audio: The sound, trimmed to its onset; channels are mixed.
        pitch: MIDI pitch if the caller knows it; it is then not looked for, only measured finely.

    Raises:
        NoteError: if `pitch` is no key, 0 to 127.
        AudioError: if the sound is empty or not finite.
    """
    from menura.features.spectra import as_signal

    signal, rate = as_signal(audio.mono, "recording"), audio.sample_rate
    peak = float(np.abs(signal).max())
    signal = signal / np.float32(peak) if peak > 0.0 else signal
    analysed = signal[: int(_ANALYSED_SECONDS * rate)]
    peaks = SpectralPeaks.of(analysed, rate)
    if pitch is None:
        found, score = _choose(analysed, rate, peaks) if peak > 0.0 else (float("nan"), 0.0)
        pitched = bool(np.isfinite(found)) and score >= _PITCHED_FROM
    else:
        if not (np.isfinite(pitch) and 0.0 <= pitch <= 127.0):
            raise NoteError(f"pitch {pitch} is no MIDI key; give a number from 0 to 127")
        found, score, pitched = pitch, _CERTAIN_FROM, True
    confidence = min(1.0, score / _CERTAIN_FROM)
    times = np.arange(0.0, audio.seconds, TRACK_STEP)
    if not pitched:
        course = level_course(signal, rate)
        flat = np.full(times.size, hertz(UNPITCHED_DEFAULT))
        # Confidence that it has no pitch: the further below the threshold, the surer.
        certainty = 1.0 - score / _PITCHED_FROM
        return NoteEstimate(
            UNPITCHED_DEFAULT, certainty, False, course.sustaining, course.hold, audio.seconds, course.release,
            hertz(UNPITCHED_DEFAULT), times, flat, np.zeros(times.size, dtype=bool),
        )  # fmt: skip
    track = follow_pitch(signal, rate, hertz(found))
    fundamental = _refine(track, analysed, rate, hertz(found))
    hz, voiced = _on_grid(track, times, fundamental)
    course = level_course(signal, rate, fundamental_hz=fundamental)
    heard = float(midi(np.array(fundamental))) if pitch is None else pitch
    return NoteEstimate(
        heard, confidence, True, course.sustaining, course.hold, audio.seconds, course.release,
        fundamental, times, hz, voiced,
    )  # fmt: skip


def propose_tracks(signal: NDArray[np.float32], sample_rate: int) -> list[tuple[float, PitchTrack]]:
    """Tracks of every tracker with the weight of its vote.

    A low floor hears bass and needs long frames; a high one hears short and moving notes. SwiftF0
    hears 47 to 2,094 Hz, so it listens to the sound at three speeds.
    """
    praat = [(0.6, LOWEST_HZ), (0.2, 60.0), (0.2, 200.0)]
    swift = [(0.3, 1.0), (0.15, 4.0), (0.15, 0.5)]
    return [(vote, praat_track(signal, sample_rate, lowest_hz=lowest)) for vote, lowest in praat] + [
        (vote, swift_track(signal, sample_rate, speed=speed)) for vote, speed in swift
    ]


def _choose(signal: NDArray[np.float32], sample_rate: int, peaks: SpectralPeaks) -> tuple[float, float]:
    """MIDI pitch and its score: fit of its harmonics, plus the votes; NaN and 0 if nobody heard any."""
    heard: list[tuple[float, float]] = []
    for vote, track in propose_tracks(signal, sample_rate):
        voiced = track.voiced
        if voiced.any():
            strength = float(track.strength[voiced].mean())
            heard.append((track.typical(), vote * strength * float(np.sqrt(voiced.mean()))))
    best, best_score = float("nan"), 0.0
    for pitch, _ in heard:
        votes = sum(weight * max(0.0, 1.0 - abs(other - pitch) / 0.6) for other, weight in heard)
        score = peaks.fit(hertz(pitch)) + votes
        if score > best_score:
            best, best_score = pitch, score
    return best, best_score


def follow_pitch(signal: NDArray[np.float32], sample_rate: int, fundamental_hz: float) -> PitchTrack:
    """Track of a note whose pitch is known, within eight semitones of it, every 5 ms.

    Args:
        signal: Mono sound, shape (samples,).
        sample_rate: Samples a second.
        fundamental_hz: The pitch to stay near.
    """
    reach = 2.0 ** (8.0 / 12.0)
    lowest = max(0.5 * LOWEST_HZ, fundamental_hz / reach)
    highest = min(2.0 * HIGHEST_HZ, fundamental_hz * reach, 0.45 * sample_rate)
    if highest <= lowest * 1.05:
        return PitchTrack(np.zeros(0), np.zeros(0), np.zeros(0))
    return praat_track(
        signal, sample_rate, lowest_hz=lowest, highest_hz=highest, step=TRACK_STEP, octave_jump_cost=1.0, silence=0.01
    )


def _refine(track: PitchTrack, signal: NDArray[np.float32], sample_rate: int, near_hz: float) -> float:
    """Fundamental in Hz: the track's median, sharpened by the partials where the pitch is steady."""
    steady = track.voiced & (track.strength >= 0.5)
    if steady.sum() < 3:
        return sharpen(signal, sample_rate, near_hz)
    cents = 1200.0 * np.log2(track.hz[steady] / near_hz)
    order = np.argsort(cents)
    weights = np.cumsum(track.strength[steady][order] ** 2)
    middle = near_hz * 2.0 ** (float(cents[order][np.searchsorted(weights, weights[-1] / 2.0)]) / 1200.0)
    low, high = np.percentile(cents, (10.0, 90.0))
    return sharpen(signal, sample_rate, middle) if high - low < 45.0 else middle


def _on_grid(track: PitchTrack, times: Series, fundamental_hz: float) -> tuple[Series, NDArray[np.bool_]]:
    """The track on the grid of `times`: outliers removed, gaps bridged, ends held, smoothed over 15 ms."""
    at, cents = track.times, 1200.0 * np.log2(np.maximum(track.hz, 1.0) / fundamental_hz)
    # Bow noise and breath look like far pitches of little strength: what is far off must be clearly periodic.
    good = track.voiced & (track.strength >= np.where(np.abs(cents) > 100.0, 0.8, 0.5))
    if good.sum() < 4 or times.size == 0:
        return np.full(times.size, fundamental_hz), np.zeros(times.size, dtype=bool)
    at, cents = at[good], cents[good]
    kept = _connected(at, cents)
    at, cents = at[kept], cents[kept]
    curve = np.interp(times, at, cents)
    curve = gaussian_filter1d(median_filter(curve, size=5, mode="nearest"), 0.015 / TRACK_STEP / 2.0, mode="nearest")
    nearest = np.clip(np.searchsorted(at, times), 1, max(1, at.size - 1))
    before, after = at[nearest - 1], at[np.minimum(nearest, at.size - 1)]
    voiced = np.minimum(np.abs(times - before), np.abs(after - times)) <= 2.0 * TRACK_STEP
    return fundamental_hz * 2.0 ** (curve / 1200.0), voiced


def _connected(at: Series, cents: Series) -> NDArray[np.bool_]:
    """Frames to keep: a part that a jump cuts off must be long and near to be a trill rather than an error.

    Jumps are steps of more than 150 cents from frame to frame; the longest part stays, another one if it
    lasts 60 ms or more and lies within 350 cents of the longest.
    """
    parts = np.split(np.arange(at.size), 1 + np.flatnonzero(np.abs(np.diff(cents)) > 150.0))
    main = max(parts, key=len)
    centre = float(np.median(cents[main]))
    kept = np.zeros(at.size, dtype=bool)
    for part in parts:
        near = part.size * TRACK_STEP >= 0.06 and abs(float(np.median(cents[part])) - centre) <= 350.0
        kept[part] = near or part is main
    return kept
