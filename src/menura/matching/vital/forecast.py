"""What a patch of `voice` will sound like, in a log-mel picture, without rendering it.

Thousands of patches are judged in a second, so that renders are spent on those that are worth it. What the laws leave
out (what lies between frames, how single harmonics beat) the engine has the last word on.
Owns the way from knobs to the picture; knows no search and no pool.

Source: measurements in docs/decisions/031-forecast.md.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from menura.features.spectra import hann, mel_filterbank
from menura.matching.hearing import BANDS, View
from menura.matching.target import SAMPLE_RATE, Target
from menura.matching.vital.laws import (
    FLOOR_DB,
    Columns,
    Knobs,
    Picture,
    band_keys,
    envelope,
    equaliser,
    filter_response,
    level_power,
)
from menura.synths.vital.stock import HARMONICS, stock_table
from menura.synths.vital.voice import SOURCES

_PLACES = 17
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
        self._view = view = View(int(mono.size), target.note.frequency_hz)
        self._hold = target.note.hold
        self.picture: Picture = view.of(mono).astype(np.float32)
        """What is to be met, dB below the loudest cell, shape (frames, bands)."""
        bank = mel_filterbank(SAMPLE_RATE, view.window, BANDS)
        self._tables = _templates(frequency_hz, view.window, bank)
        self._noise = (np.square(hann(view.window)).sum() * bank.sum(axis=0) / 3.0).astype(np.float32)
        self._keys = band_keys()
        # A filter acts where a harmonic is, which low bands may hold off their centre.
        strongest = np.argmax(_spread(frequency_hz, view.window, bank), axis=0) + 1
        self._played_keys = (69.0 + 12.0 * np.log2(strongest * frequency_hz / 440.0)).astype(np.float32)

    def loss(self, knobs: Knobs, tables: NDArray[np.int64], correction: Picture | None = None) -> NDArray[np.float64]:
        """Mean absolute dB between forecast and target, shape (n,).

        Args:
            knobs: Values in the order of `voice.KNOBS`, shape (n, len(KNOBS)).
            tables: Index in `voice.SOURCES` of each oscillator, -1 is off, shape (n, 3).
            correction: dB that a render of a nearby patch was above its forecast, shape (frames, bands).
        """
        batches = [slice(i, i + _BATCH) for i in range(0, len(knobs), _BATCH)]
        parts = [self._loss(knobs[batch], tables[batch], correction) for batch in batches]
        return np.concatenate(parts) if parts else np.empty(0)

    def _loss(self, knobs: Knobs, tables: NDArray[np.int64], correction: Picture | None) -> NDArray[np.float64]:
        pictures = self.predict(knobs, tables)
        if correction is not None:
            pictures = np.maximum(pictures + correction, np.float32(FLOOR_DB))
        difference = np.abs(pictures - self.picture).mean(axis=2)
        return np.asarray(difference @ self._view.weights, dtype=np.float64)

    def predict(self, knobs: Knobs, tables: NDArray[np.int64]) -> Picture:
        """Log-mel pictures of patches, dB below each one's loudest cell, shape (n, frames, bands)."""
        column = Columns(knobs)
        envelopes = {number: envelope(column, number, self._view.times, self._hold) for number in (1, 2, 3, 4, 5)}
        cutoff = column("filter_1_cutoff")[:, None] + 128.0 * column("modulation_1_amount")[:, None] * envelopes[2]
        offset = self._played_keys - np.clip(cutoff, 8.0, 136.0)[:, :, None].astype(np.float32)
        response, turned = filter_response(offset, column("filter_1_resonance"), column("filter_1_blend"))
        fixed = level_power(column("osc_1_level"))[:, None] * self._table(tables[:, 0], column("osc_1_wave_frame"))
        parts = [fixed[:, None, :] * response]
        for number, slot, source in ((2, 2, 3), (3, 4, 5)):
            level = self._moved(column, f"osc_{number}_level", slot, envelopes[source])
            spectrum = self._table(tables[:, number - 1], column(f"osc_{number}_wave_frame"))
            parts.append(level[:, :, None] * spectrum[:, None])
        power = parts[0] + parts[1] + parts[2]
        octaves = _OCTAVES[tables]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            # Harmonics of two oscillators at one pitch stand in phase, but for what the filter turns.
            aligned = (octaves[:, one] == octaves[:, other]).astype(np.float32)[:, None, None]
            cosine = turned if one == 0 else np.float32(1.0)
            power += 2.0 * aligned * cosine * np.sqrt(parts[one] * parts[other])
        np.maximum(power, np.float32(0.0), out=power)
        level = self._moved(column, "sample_level", 3, envelopes[4])
        offset = self._keys[None, None] - column("filter_2_cutoff")[:, None, None].astype(np.float32)
        second = filter_response(offset, column("filter_2_resonance"), column("filter_2_blend"))[0][:, 0]
        power += level[:, :, None] * (self._noise * second)[:, None]
        power *= (envelopes[1] ** 4)[:, :, None].astype(np.float32)
        decibels = 10.0 * np.log10(power + np.float32(1e-12)) + equaliser(column, self._keys)[:, None]
        decibels -= decibels.max(axis=(1, 2), keepdims=True)
        return np.asarray(np.maximum(decibels, np.float32(FLOOR_DB)), dtype=np.float32)

    def _table(self, tables: NDArray[np.int64], frames: Knobs) -> Picture:
        place = np.clip(frames, 0.0, 256.0) / 16.0
        low = np.minimum(place.astype(int), _PLACES - 2)
        share = (place - low)[:, None].astype(np.float32)
        used = np.maximum(tables, 0)
        found = (1.0 - share) * self._tables[used, low] + share * self._tables[used, low + 1]
        return np.asarray(found * (tables >= 0)[:, None], dtype=np.float32)

    @staticmethod
    def _moved(column: Columns, name: str, slot: int, course: Knobs) -> Picture:
        return level_power(column(name)[:, None] + column(f"modulation_{slot}_amount")[:, None] * course)


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
