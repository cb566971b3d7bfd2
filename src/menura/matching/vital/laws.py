"""How Vital's envelopes, levels, filters and equaliser act on a log-mel picture, as measured on the engine.

They hold within a few tenths of a dB alone. Owns these laws; knows no target and no search.

Source: measurements in docs/decisions/031-forecast.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from menura.features.spectra import hz_to_mel, mel_to_hz
from menura.matching.hearing import BANDS
from menura.matching.target import SAMPLE_RATE
from menura.synths.vital.voice import INDEX

Knobs = NDArray[np.float64]
Picture = NDArray[np.float32]

FLOOR_DB = -80.0
"""What a picture shows of silence."""


class Columns:
    """Named columns of a matrix of knobs, shape (n, len(KNOBS)), in the order of `voice.KNOBS`."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs

    def __call__(self, name: str) -> Knobs:
        """The column, shape (n,)."""
        return self._knobs[:, INDEX[name]]

    def get(self, name: str, rest: float) -> Knobs:
        """The column, or a constant where there is no such knob."""
        return self._knobs[:, INDEX[name]] if name in INDEX else np.full(len(self._knobs), rest)


def band_keys() -> Picture:
    """The bands' centres as MIDI keys, shape (BANDS,)."""
    centres = mel_to_hz(np.linspace(0.0, float(hz_to_mel(SAMPLE_RATE / 2)), BANDS + 2))[1:-1]
    return np.asarray(69.0 + 12.0 * np.log2(centres / 440.0), dtype=np.float32)


def envelope(column: Columns, number: int, times: NDArray[np.float64], hold: float) -> Knobs:
    """An envelope's course, 0 to 1, shape (n, moments): the voice's level is its square, a level's share is linear.

    Args:
        column: knobs of n patches.
        number: of the envelope, 1 to 6.
        times: seconds of the moments.
        hold: seconds until the key goes up.
    """

    def knob(name: str, rest: float) -> Knobs:
        return column.get(f"env_{number}_{name}", rest)[:, None]

    attack = np.maximum(knob("attack", 0.0) ** 4, 1e-4)
    stay, decay = knob("hold", 0.0) ** 4, np.maximum(knob("decay", 1.0) ** 4, 1e-4)
    sustain, release = knob("sustain", 1.0), np.maximum(knob("release", 0.5476) ** 4, 1e-4)
    bend, fall, end = knob("attack_power", 0.0), knob("decay_power", -2.0), knob("release_power", -2.0)

    def held(moments: Knobs) -> Knobs:
        rise = _curve(np.clip(moments / attack, 0.0, 1.0), -bend)
        drop = 1.0 - (1.0 - sustain) * _curve(np.clip((moments - attack - stay) / decay, 0.0, 1.0), fall)
        return np.where(moments < attack, rise, drop)

    moments = times[None]
    last = held(np.full((1, 1), hold))
    released = last * (1.0 - _curve(np.clip((moments - hold) / release, 0.0, 1.0), end))
    return np.where(moments > hold, released, held(np.minimum(moments, hold)))


def equaliser(column: Columns, keys: Picture) -> Picture:
    """The equaliser's gain in dB at the bands' keys, shape (n, bands)."""
    keys = keys[None]
    low = column("eq_low_gain")[:, None] / (1.0 + 2.0 * np.exp2((keys - column("eq_low_cutoff")[:, None]) / 6.0))
    high = column("eq_high_gain")[:, None] / (1.0 + 2.0 * np.exp2((column("eq_high_cutoff")[:, None] - keys) / 6.0))
    octaves = (keys - column("eq_band_cutoff")[:, None]) / 12.0
    gain = column("eq_band_gain")[:, None]
    bell = np.where(gain > 0.0, np.exp(-(octaves**2) / 4.7), 1.0 / (1.0 + 3.0 * octaves**2))
    return (low + high + gain * bell).astype(np.float32)


def level_power(level: Knobs) -> Picture:
    """Power of an oscillator's level: the engine takes its square as the amplitude."""
    return (np.maximum(level, 0.0) ** 4).astype(np.float32)


def filter_response(offset: Picture, resonance: Knobs, blend: Knobs) -> tuple[Picture, Picture]:
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


def _curve(share: Knobs, power: Knobs) -> Knobs:
    """The engine's bent line from 0 to 1."""
    bent = np.where(np.abs(power) < 0.02, 0.02, power)
    return np.expm1(bent * share) / np.expm1(bent)
