"""What a patch of `patch` will sound like, in a log-mel picture at a few moments, without rendering it.

Around each moment the operators' levels are known from their envelopes, and the sound is computed as the instrument
does; feedback alone is approximated. Owns these laws; knows no search and no pool.

Source: the envelope and level laws of hexter 1.1.1 (dx7_voice.c, dx7_voice_tables.c; measured on DX7 and TX7 by
Pinkston, Harrington, Bullock and Bolton), its tables here as exponentials and a few points.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from menura.features.spectra import hann, mel_filterbank
from menura.matching.dx7.patch import COUNT, FIELDS, Knobs, Wiring
from menura.matching.hearing import BANDS, HOP, View
from menura.matching.target import SAMPLE_RATE, Target
from menura.synths.dx7.algorithms import algorithm
from menura.synths.dx7.controls import OPERATORS

Picture = NDArray[np.float32]

FLOOR_DB = -80.0
MOMENTS = 9
"""Moments of the sound that are looked at."""
DB_PER_LEVEL = 20.0 * np.log10(2.0) / 8.0
"""dB of one step of an output level, 0.75."""
_BATCH = 64
_POINTS = 6
"""Points of a frame at which levels are known; between them they are straight."""
_FEEDBACK_TURNS = 0.18 / (2.0 * np.pi)
"""Turns of phase by which an operator at its highest level moves itself, for each step of feedback."""
_FEEDBACK_ROUNDS = 4
_RISE_SECONDS, _FALL_SECONDS, _PER_RATE = 39.64, 317.5, 0.1109
_RISE_AT = np.array([0.0, 31.0, 35.0, 45.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 99.0])
_RISE = np.array([0.0, 0.0, 0.02, 0.10, 0.14, 0.24, 0.35, 0.50, 0.70, 0.86, 1.0])
_FALL_AT = np.array([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0])
_FALL = np.array([0.0, 0.25, 0.35, 0.43, 0.52, 0.59, 0.70, 0.77, 0.84, 0.92, 1.0])


class Forecast:
    """Predicts patches against one target.

    Args:
        target: The sound to be matched, and its note.
        frequency_hz: What an operator of ratio 1 plays.
    """

    def __init__(self, target: Target, frequency_hz: float) -> None:
        mono = target.audio.mono
        view = View(int(mono.size), target.note.frequency_hz)
        whole = view.of(mono).astype(np.float32)
        self.moments = chosen = _moments(whole, view.weights)
        """Which of the view's frames are looked at."""
        self.picture: Picture = whole[chosen]
        """What is to be met, dB below the loudest cell, shape (moments, bands)."""
        edges = np.concatenate([[0], (chosen[1:] + chosen[:-1] + 1) // 2, [len(whole)]])
        weights = [view.weights[low:high].sum() for low, high in pairwise(edges.tolist())]
        self._weights = np.asarray(weights, np.float32)
        self._frequency = frequency_hz
        self._hold = target.note.hold
        self._times = view.frames[chosen] * (HOP / SAMPLE_RATE)
        self._bank = mel_filterbank(SAMPLE_RATE, view.window, BANDS)
        self._window = hann(view.window).astype(np.float32)
        # Frames are centred on their moment; what lies before the note is silence.
        self._clock = (np.arange(view.window) - view.window // 2) / SAMPLE_RATE
        places = np.linspace(0.0, view.window - 1.0, _POINTS)
        self._points = (self._times[:, None] + self._clock[0] + places / SAMPLE_RATE).ravel()
        samples = np.arange(view.window)[None] / places[1]
        self._straight = np.maximum(1.0 - np.abs(samples - np.arange(_POINTS)[:, None]), 0.0).astype(np.float32)
        self._sounding = (self._times[:, None] + self._clock[None] >= 0.0).astype(np.float32) * self._window

    def loss(self, wirings: Sequence[Wiring], knobs: Knobs, correction: Picture | None = None) -> NDArray[np.float64]:
        """Mean absolute dB between forecast and target, shape (n,).

        Args:
            wirings: One for each row, or one for all; the ratios are taken as they are.
            knobs: Values in the order of `patch.NAMES`, shape (n, 43).
            correction: dB that a render of a nearby patch was above its forecast, shape (moments, bands).
        """
        wirings = list(wirings) * len(knobs) if len(wirings) == 1 else list(wirings)
        losses = np.empty(len(knobs))
        for number in sorted({wiring.algorithm for wiring in wirings}):
            rows = [row for row, wiring in enumerate(wirings) if wiring.algorithm == number]
            for first in range(0, len(rows), _BATCH):
                batch = rows[first : first + _BATCH]
                ratios = np.stack([wirings[row].ratios for row in batch])
                pictures = self.predict(number, ratios, knobs[batch])
                if correction is not None:
                    pictures = np.maximum(pictures + correction, np.float32(FLOOR_DB))
                difference = np.abs(pictures - self.picture).mean(axis=2)
                losses[batch] = difference @ self._weights
        return losses

    def predict(self, number: int, ratios: Knobs, knobs: Knobs) -> Picture:
        """Log-mel pictures of patches of one algorithm, dB below each one's loudest cell, shape (n, moments, bands).

        Args:
            number: Of the algorithm, 1 to 32.
            ratios: Shape (n, 6).
            knobs: Shape (n, 43).
        """
        from scipy import fft

        plan = algorithm(number)
        level = levels(knobs, self._points, self._hold).reshape(len(knobs), -1, _POINTS, 6)
        index = modulation_index(level).astype(np.float32)
        hertz = ratios * self._frequency
        starts = (hertz[:, None, :] * (self._times + self._clock[0])[None, :, None] % 1.0).astype(np.float32)
        ramp = (np.arange(self._clock.size) / SAMPLE_RATE)[None, :] * hertz[:, :, None].reshape(-1, 1)
        ramps = (ramp % 1.0).astype(np.float32).reshape(len(knobs), 6, 1, -1)
        moved: dict[int, Picture] = {}
        sound: Picture | None = None
        for operator in reversed(OPERATORS):
            place = operator - 1
            phase = starts[:, :, place, None] + ramps[:, place]
            if operator in moved:
                phase = phase + moved.pop(operator)
            if operator == plan.feedback[1]:
                strength = knobs[:, -1, None] * _FEEDBACK_TURNS * level[:, :, _POINTS // 2, place] / 99.0
                phase = phase + _looped(phase, strength.astype(np.float32)[:, :, None])
            wave = (index[..., place] @ self._straight) * np.cos(np.float32(2.0 * np.pi) * phase)
            targets = [target for source, target in plan.edges if source == operator]
            for target in targets:
                moved[target] = moved[target] + wave if target in moved else wave
            if not targets:
                sound = wave if sound is None else sound + wave
        spectrum = fft.rfft(np.asarray(sound, np.float32) * self._sounding, axis=2)
        power = (spectrum.real**2 + spectrum.imag**2) @ self._bank
        decibels = 10.0 * np.log10(power + np.float32(1e-12))
        decibels -= decibels.max(axis=(1, 2), keepdims=True)
        return np.maximum(decibels, np.float32(FLOOR_DB))


def levels(knobs: Knobs, times: NDArray[np.float64], hold: float) -> NDArray[np.float64]:
    """Operators' levels over time, 0 to 99, shape (n, times, 6).

    Args:
        knobs: Shape (n, 43).
        times: Seconds from key down, shape (times,).
        hold: Seconds from key down to key up.
    """
    field = {name: knobs[:, place : 6 * COUNT : COUNT][:, None] for place, name in enumerate(FIELDS)}
    output = np.clip(field["output_level"], 0.0, 99.0)
    peak, second, third = output, output * field["level_2"] / 99.0, output * field["level_3"] / 99.0
    rise = np.maximum(_seconds(np.zeros_like(peak), peak, field["rate_1"]), 1e-3)
    turn = rise + np.maximum(_seconds(peak, second, field["rate_2"]), 1e-3)
    rest = turn + np.maximum(_seconds(second, third, field["rate_3"]), 1e-3)

    def held(at: NDArray[np.float64]) -> NDArray[np.float64]:
        # A rise begins at level 31, where one begins to hear it.
        first = np.minimum(peak, 31.0) + np.maximum(peak - 31.0, 0.0) * np.clip(at / rise, 0.0, 1.0)
        fall = peak + (second - peak) * np.clip((at - rise) / (turn - rise), 0.0, 1.0)
        last = second + (third - second) * np.clip((at - turn) / (rest - turn), 0.0, 1.0)
        return np.where(at < rise, first, np.where(at < turn, fall, last))

    clock = np.maximum(times, 0.0)[None, :, None]
    end = held(np.full((1, 1, 1), hold))
    release = np.maximum(_seconds(end, np.zeros_like(end), field["rate_4"]), 1e-3)
    released = end * (1.0 - np.clip((clock - hold) / release, 0.0, 1.0))
    return np.where(clock > hold, released, held(np.minimum(clock, hold)))


def modulation_index(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turns of phase, and share of sound, of an operator at a level."""
    return np.exp2(1.0625 - (99.0 - level) / 8.0) * np.clip(level / 20.0, 0.0, 1.0)


def rate_of_rise(seconds: float) -> float:
    """The rate whose rise to the highest level takes so long."""
    return float(np.clip(np.log(_RISE_SECONDS / max(seconds, 1e-4)) / _PER_RATE, 0.0, 99.0))


def rate_of_fall(db_per_second: float) -> float:
    """The rate whose fall in the upper half of levels is so steep."""
    per_level = DB_PER_LEVEL / max(db_per_second, 0.05)
    return float(np.clip(np.log(_FALL_SECONDS * 0.0083 / per_level) / _PER_RATE, 0.0, 99.0))


def _seconds(low: NDArray[np.float64], high: NDArray[np.float64], rate: Knobs) -> NDArray[np.float64]:
    """How long an envelope takes from one level to another."""
    up = _RISE_SECONDS * (np.interp(high, _RISE_AT, _RISE) - np.interp(low, _RISE_AT, _RISE))
    down = _FALL_SECONDS * (np.interp(low, _FALL_AT, _FALL) - np.interp(high, _FALL_AT, _FALL))
    return np.where(high >= low, up, down) * np.exp(-_PER_RATE * rate)


def _looped(phase: Picture, strength: Picture) -> Picture:
    """How far an operator's own last samples move its phase."""
    turns = np.float32(2.0 * np.pi)
    if not strength.any():
        return np.zeros_like(phase)
    found = strength * np.cos(turns * phase)
    for _ in range(_FEEDBACK_ROUNDS - 1):
        found = strength * np.cos(turns * (phase + found))
    return found


def _moments(picture: Picture, weights: Picture) -> NDArray[np.int64]:
    """Which of a picture's frames are looked at: the loudest, and others of about equal weight."""
    shares = np.cumsum(np.sqrt(weights))
    places = np.searchsorted(shares / shares[-1], (np.arange(MOMENTS - 1) + 0.5) / (MOMENTS - 1))
    loudest = int(np.argmax(picture.max(axis=1)))
    return np.unique(np.clip([*places, loudest], 0, len(picture) - 1)).astype(np.int64)
