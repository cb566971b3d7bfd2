"""What a patch of `voice` will sound like, in a log-mel picture, without rendering it.

Thousands of patches are judged in a second, so that renders are spent on those that are worth it. The laws were
measured on the engine and hold within a few tenths of a dB for the envelopes, filters and tables alone; what is
left out (what lies between frames, how single harmonics beat) the engine has the last word on.
Owns these laws; knows no search and no pool.

Source: measurements in docs/decisions/031-forecast.md.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from menura.features.spectra import hann, hz_to_mel, mel_filterbank, mel_to_hz
from menura.matching.hearing import BANDS, View
from menura.matching.target import SAMPLE_RATE, Target
from menura.synths.vital.stock import HARMONICS, stock_table
from menura.synths.vital.voice import INDEX, SOURCES

Knobs = NDArray[np.float64]
Picture = NDArray[np.float32]

FLOOR_DB = -80.0
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
        centres = mel_to_hz(np.linspace(0.0, float(hz_to_mel(SAMPLE_RATE / 2)), BANDS + 2))[1:-1]
        self._keys = (69.0 + 12.0 * np.log2(centres / 440.0)).astype(np.float32)
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
        column = _Columns(knobs)
        envelopes = {number: self._envelope(column, number) for number in (1, 2, 3, 4, 5)}
        cutoff = column("filter_1_cutoff")[:, None] + 128.0 * column("modulation_1_amount")[:, None] * envelopes[2]
        offset = self._played_keys - np.clip(cutoff, 8.0, 136.0)[:, :, None].astype(np.float32)
        response, turned = _filter(offset, column("filter_1_resonance"), column("filter_1_blend"))
        fixed = _level(column("osc_1_level"))[:, None] * self._table(tables[:, 0], column("osc_1_wave_frame"))
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
        second = _filter(offset, column("filter_2_resonance"), column("filter_2_blend"))[0][:, 0]
        power += level[:, :, None] * (self._noise * second)[:, None]
        power *= (envelopes[1] ** 4)[:, :, None].astype(np.float32)
        decibels = 10.0 * np.log10(power + np.float32(1e-12)) + self._equaliser(column)[:, None]
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
    def _moved(column: _Columns, name: str, slot: int, envelope: Knobs) -> Picture:
        level = column(name)[:, None] + column(f"modulation_{slot}_amount")[:, None] * envelope
        return (np.maximum(level, 0.0) ** 4).astype(np.float32)

    def _envelope(self, column: _Columns, number: int) -> Knobs:
        """An envelope's course, shape (n, frames): the voice's level is its square, a level's share is linear."""

        def knob(name: str, rest: float) -> Knobs:
            return column.get(f"env_{number}_{name}", rest)[:, None]

        attack = np.maximum(knob("attack", 0.0) ** 4, 1e-4)
        hold, decay = knob("hold", 0.0) ** 4, np.maximum(knob("decay", 1.0) ** 4, 1e-4)
        sustain, release = knob("sustain", 1.0), np.maximum(knob("release", 0.5476) ** 4, 1e-4)
        bend, fall, end = knob("attack_power", 0.0), knob("decay_power", -2.0), knob("release_power", -2.0)

        def held(times: Knobs) -> Knobs:
            rise = _curve(np.clip(times / attack, 0.0, 1.0), -bend)
            drop = 1.0 - (1.0 - sustain) * _curve(np.clip((times - attack - hold) / decay, 0.0, 1.0), fall)
            return np.where(times < attack, rise, drop)

        times = self._view.times[None]
        last = held(np.full((1, 1), self._hold))
        released = last * (1.0 - _curve(np.clip((times - self._hold) / release, 0.0, 1.0), end))
        return np.where(times > self._hold, released, held(np.minimum(times, self._hold)))

    def _equaliser(self, column: _Columns) -> Picture:
        keys = self._keys[None]
        low = column("eq_low_gain")[:, None] / (1.0 + 2.0 * np.exp2((keys - column("eq_low_cutoff")[:, None]) / 6.0))
        high = column("eq_high_gain")[:, None] / (1.0 + 2.0 * np.exp2((column("eq_high_cutoff")[:, None] - keys) / 6.0))
        octaves = (keys - column("eq_band_cutoff")[:, None]) / 12.0
        gain = column("eq_band_gain")[:, None]
        bell = np.where(gain > 0.0, np.exp(-(octaves**2) / 4.7), 1.0 / (1.0 + 3.0 * octaves**2))
        return (low + high + gain * bell).astype(np.float32)


class _Columns:
    """Named columns of a matrix of knobs."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs

    def __call__(self, name: str) -> Knobs:
        return self._knobs[:, INDEX[name]]

    def get(self, name: str, rest: float) -> Knobs:
        """The column, or a constant where the forecast has no such knob."""
        return self._knobs[:, INDEX[name]] if name in INDEX else np.full(len(self._knobs), rest)


def _level(level: Knobs) -> Picture:
    """Power of a level: the engine takes its square as the amplitude."""
    return (np.maximum(level, 0.0) ** 4).astype(np.float32)


def _curve(share: Knobs, power: Knobs) -> Knobs:
    """The engine's bent line from 0 to 1."""
    bent = np.where(np.abs(power) < 0.02, 0.02, power)
    return np.expm1(bent * share) / np.expm1(bent)


def _filter(offset: Picture, resonance: Knobs, blend: Knobs) -> tuple[Picture, Picture]:
    """The analogue filter of 12 dB, low-pass over band-pass to high-pass.

    Args:
        offset: Semitones above the cutoff, shape (n or 1, frames, bands).
        resonance: 0 to 1, shape (n,).
        blend: 0 is low-pass, 1 band-pass, 2 high-pass, shape (n,).

    Returns:
        Power response, and the cosine of the turn in phase, each of the shape of `offset`.
    """
    peak = resonance.astype(np.float32)[:, None, None]
    mix = blend.astype(np.float32)[:, None, None]
    ratio = np.exp2(offset / np.float32(12.0))
    squared = ratio * ratio
    damping = 2.0 * (1.0 - peak) ** 2
    low, high = np.maximum(1.0 - mix, 0.0), np.maximum(mix - 1.0, 0.0)
    band = np.sqrt(np.maximum(0.0, 1.0 - (1.0 - mix) ** 2))
    straight, aside = low - high * squared, band * ratio
    under, across = 1.0 - squared, damping * ratio
    above = straight**2 + aside**2
    below = under**2 + across**2
    cosine = (straight * under + aside * across) / np.sqrt(above * below + np.float32(1e-12))
    response = above / below * np.power(np.float32(10.0), -0.95 * peak**0.7)
    return response.astype(np.float32, copy=False), cosine.astype(np.float32, copy=False)


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
