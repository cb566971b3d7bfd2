"""What a patch of `voice` will sound like, in a log-mel picture, without rendering it.

Thousands of patches are judged in a second, so that renders are spent on those that are worth it. What the laws leave
out (what lies between frames, how single harmonics beat) the engine has the last word on.
Owns the way from knobs to the picture; knows no search and no pool.

Source: measurements in docs/decisions/031-forecast.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from menura.features.spectra import mel_filterbank, mel_power
from menura.matching.hearing import BANDS, HOP, View
from menura.matching.target import SAMPLE_RATE, Target
from menura.matching.vital.filter import Filter
from menura.matching.vital.laws import (
    CUTOFF_DEFAULT,
    FLOOR_DB,
    LEVEL_DEFAULT,
    Columns,
    Knobs,
    Picture,
    band_keys,
    envelope,
    equaliser,
    filtered_power,
    glide,
    level_power,
    sampler_power,
)
from menura.matching.vital.moments import Moments
from menura.synths.vital.stock import HARMONICS, stock_table
from menura.synths.vital.voice import SOURCES, white_noise

_PLACES = 17
QUIET_DB = -70.0
"""What a picture shows of nothing, where a source at full level is 0 dB: a patch that is very quiet shows less."""
_BATCH = 64
_OCTAVES = np.array([transpose for _, transpose in SOURCES])


class Forecast:
    """Predicts patches against one target.

    Args:
        target: The sound to be matched, and its note.
        frequency_hz: What the oscillators play without transposition.
    """

    def __init__(self, target: Target, frequency_hz: float) -> None:
        mono = target.audio.mono
        view = View(int(mono.size), target.note.frequency_hz)
        self._hold = target.note.hold
        self.picture: Picture = view.of(mono).astype(np.float32)
        """What is to be met, dB below the loudest cell, shape (frames, bands)."""
        bank = mel_filterbank(SAMPLE_RATE, view.window, BANDS)
        self._tables = _templates(frequency_hz, view.window, bank)
        self._noise = _noise(view, int(mono.size))
        self._keys = band_keys()
        self._moments = Moments.of(view, int(mono.size))
        self._early = self._moments.first(self._moments.gliding)
        count = len(self._early.centres)
        self.goal: Picture = np.concatenate([self.picture, self.picture[:count]]).ravel()
        """The target as `cells` are held against it, shape (cells,)."""
        shares = view.cells
        shares[:count] *= 0.5
        self.weights: Picture = np.concatenate([shares, shares[:count]]).ravel()
        """Share of each cell, shape (cells,), sum 1."""
        # A filter acts where a harmonic is, which low bands may hold off their centre.
        strongest = np.argmax(_spread(frequency_hz, view.window, bank), axis=0) + 1
        self._played_keys = (69.0 + 12.0 * np.log2(strongest * frequency_hz / 440.0)).astype(np.float32)

    def loss(self, knobs: Knobs, tables: NDArray[np.int64], correction: Picture | None = None) -> NDArray[np.float64]:
        """Mean absolute dB between forecast and target, shape (n,), of a fresh engine and of a settled one.

        Args:
            knobs: Values in the order of `voice.KNOBS`, shape (n, len(KNOBS)).
            tables: Index in `voice.SOURCES` of each oscillator, -1 is off, shape (n, 3).
            correction: dB that a render of a nearby patch was above its forecast, shape (frames, bands).
        """
        batches = [slice(i, i + _BATCH) for i in range(0, len(knobs), _BATCH)]
        parts = [np.abs(self.cells(knobs[b], tables[b], correction) - self.goal) @ self.weights for b in batches]
        return np.concatenate(parts).astype(np.float64) if parts else np.empty(0)

    def cells(self, knobs: Knobs, tables: NDArray[np.int64], correction: Picture | None = None) -> Picture:
        """What is held against `goal`, shape (n, cells): a fresh engine's picture, and a settled one's beginning.

        A patch that is near on a fresh engine alone uses the glide of its controls as an attack, which nobody hears
        who plays it in the plug-in (decision 011).
        """
        courses = self._courses(knobs)
        fresh = self._decibels(knobs, tables, courses, self._moments, glides=True)
        settled = self._decibels(knobs, tables, courses[:, :, : len(self._early.times)], self._early, glides=False)
        count = len(self._early.centres)
        late = fresh[:, count:].max(axis=(1, 2), initial=QUIET_DB)
        shown = [_shown(fresh, fresh.max(axis=(1, 2))), _shown(settled, np.maximum(settled.max(axis=(1, 2)), late))]
        if correction is not None:
            shown = [np.maximum(p + correction[: p.shape[1]], np.float32(FLOOR_DB)) for p in shown]
        return np.concatenate(shown, axis=1).reshape(len(knobs), -1)

    def predict(self, knobs: Knobs, tables: NDArray[np.int64]) -> Picture:
        """Log-mel pictures of patches on a fresh engine, dB below each one's loudest cell, shape (n, frames, bands)."""
        fresh = self._decibels(knobs, tables, self._courses(knobs), self._moments, glides=True)
        return _shown(fresh, fresh.max(axis=(1, 2)))

    def _courses(self, knobs: Knobs) -> Knobs:
        """Of the first five envelopes, shape (5, n, times of the moments)."""
        column = Columns(knobs)
        return np.stack([envelope(column, number, self._moments.times, self._hold) for number in (1, 2, 3, 4, 5)])

    def _decibels(
        self, knobs: Knobs, tables: NDArray[np.int64], courses: Knobs, moments: Moments, *, glides: bool
    ) -> Picture:
        """Log-mel pictures, 0 dB is a source at full level, shape (n, frames of the moments, bands)."""
        column = Columns(knobs)
        loudness = (courses[0] ** 4).astype(np.float32)

        def course(name: str, default: float, times: NDArray[np.float64]) -> Knobs:
            return glide(column(name), default, times) if glides else column(name)[:, None]

        def gains(name: str, slot: int, source: int, law: Callable[[Knobs], Picture] = level_power) -> Picture:
            """Power of a part at the moments of the picture, shape (n, frames, 1)."""
            level = course(name, LEVEL_DEFAULT, moments.times)
            if slot:
                level = level + column(f"modulation_{slot}_amount")[:, None] * courses[source - 1]
            return moments.mean(loudness * law(level))[:, :, None]

        moved = 128.0 * column("modulation_1_amount")[:, None] * moments.mean(courses[1]) / moments.share
        cutoff = course("filter_1_cutoff", CUTOFF_DEFAULT, moments.centres) + moved
        offset = self._played_keys - np.clip(cutoff, 8.0, 136.0)[:, :, None].astype(np.float32)
        first = Filter(offset, column("filter_1_resonance"), column("filter_1_blend"), column("osc_1_level"))
        parts = [gains("osc_1_level", 0, 0, filtered_power) * self._played(column, tables, 1) * first.power]
        for number, slot, source in ((2, 2, 3), (3, 4, 5)):
            parts.append(gains(f"osc_{number}_level", slot, source) * self._played(column, tables, number))
        power = parts[0] + parts[1] + parts[2]
        octaves = np.where(tables >= 0, _OCTAVES[tables], np.arange(100, 103))
        for one, other in ((0, 1), (0, 2), (1, 2)):
            # Harmonics of two oscillators at one pitch stand in phase, but for what the filter turns.
            aligned = octaves[:, one] == octaves[:, other]
            if aligned.any():
                cosine = first.turn if one == 0 else np.float32(1.0)
                power += 2.0 * aligned[:, None, None] * cosine * np.sqrt(parts[one] * parts[other])
        np.maximum(power, np.float32(0.0), out=power)
        # What glides no longer is the same at all later moments.
        early = moments.gliding if glides else 1
        cutoff = course("filter_2_cutoff", CUTOFF_DEFAULT, moments.centres[:early])
        offset = self._keys[None, None] - cutoff[:, :, None].astype(np.float32)
        second = Filter(offset, column("filter_2_resonance"), column("filter_2_blend")).power
        noise = gains("sample_level", 3, 4, sampler_power) * self._noise[: len(moments.centres)]
        power[:, :early] += noise[:, :early] * second
        power[:, early:] += noise[:, early:] * second[:, -1:]
        decibels = 10.0 * np.log10(power + np.float32(1e-12))
        gain = equaliser(column, self._keys, moments.centres[:early] if glides else None)
        decibels[:, :early] += gain
        decibels[:, early:] += gain[:, -1:]
        return np.maximum(decibels, np.float32(QUIET_DB), out=decibels)

    def _played(self, column: Columns, tables: NDArray[np.int64], number: int) -> Picture:
        """Mel power of what an oscillator plays, at full level, shape (n, 1, bands)."""
        played = tables[:, number - 1]
        place = np.clip(column(f"osc_{number}_wave_frame"), 0.0, 256.0) / 16.0
        low = np.minimum(place.astype(int), _PLACES - 2)
        share = (place - low)[:, None].astype(np.float32)
        used = np.maximum(played, 0)
        found = (1.0 - share) * self._tables[used, low] + share * self._tables[used, low + 1]
        return np.asarray(found * (played >= 0)[:, None], dtype=np.float32)[:, None]


def _shown(decibels: Picture, loudest: Picture) -> Picture:
    return np.maximum(decibels - loudest[:, None, None], np.float32(FLOOR_DB))


def _noise(view: View, size: int) -> Picture:
    """Mel power of the sampler's noise at full level, shape (frames, bands)."""
    heard = np.resize(white_noise(), size).astype(np.float32)
    whole = mel_power(heard, SAMPLE_RATE, view.window, HOP, BANDS)
    return whole[np.minimum(view.frames, len(whole) - 1)]


def _templates(frequency_hz: float, window: int, bank: Picture) -> Picture:
    """Mel power of every source at 17 places of its table, at full level, shape (sources, 17, bands)."""
    found = np.empty((len(SOURCES), _PLACES, bank.shape[1]), dtype=np.float32)
    for transpose in sorted({transpose for _, transpose in SOURCES}):
        hz = frequency_hz * 2.0 ** (transpose / 12.0)
        spread = _spread(hz, window, bank)
        for index, (name, semitones) in enumerate(SOURCES):
            if semitones == transpose:
                spectra = _spectra(name)[:, : len(spread)]
                found[index] = np.square(spectra) @ spread
    return found


def _spread(hz: float, window: int, bank: Picture) -> Picture:
    """Mel power of single harmonics of amplitude 1, shape (harmonics, bands)."""
    count = int(np.clip(0.48 * SAMPLE_RATE / hz, 1, HARMONICS))
    bins = np.arange(window // 2 + 1, dtype=np.float32)
    distance = bins[None] - (np.arange(1, count + 1) * hz * window / SAMPLE_RATE)[:, None].astype(np.float32)
    kernel = 0.5 * np.sinc(distance) + 0.25 * np.sinc(distance - 1.0) + 0.25 * np.sinc(distance + 1.0)
    return ((np.square(kernel) * (window / 2.0) ** 2) @ bank).astype(np.float32)


@cache
def _spectra(name: str) -> Picture:
    table = stock_table(name)
    return np.stack([table.spectrum_at(place) for place in np.linspace(0.0, 256.0, _PLACES)]).astype(np.float32)
