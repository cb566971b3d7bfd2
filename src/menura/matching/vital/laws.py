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

GLIDE = 0.0322
"""Seconds in which a level or a cutoff of a fresh engine comes nearer to its control by 1 / e (decision 011)."""
LEVEL_DEFAULT = 0.5**0.5
CUTOFF_DEFAULT = 60.0
EQ_DEFAULTS = {"low": 40.0, "band": 80.0, "high": 100.0}


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


def equaliser(column: Columns, keys: Picture, times: NDArray[np.float64] | None) -> Picture:
    """The equaliser's gain in dB at the bands' keys, shape (n, moments, bands).

    Args:
        column: knobs of n patches.
        keys: of the bands.
        times: seconds of the moments, while its frequencies glide; None is one moment when they do no longer.
    """

    def above(name: str) -> Picture:
        cutoff = column(f"eq_{name}_cutoff")[:, None]
        if times is not None:
            cutoff = glide(cutoff[:, 0], EQ_DEFAULTS[name], times)
        return keys - cutoff[:, :, None].astype(np.float32)

    def gain(name: str) -> Picture:
        return column(f"eq_{name}_gain")[:, None, None].astype(np.float32)

    low = gain("low") / (1.0 + 2.0 * np.exp2(above("low") / 6.0))
    high = gain("high") / (1.0 + 2.0 * np.exp2(above("high") / -6.0))
    octaves = (above("band") / 12.0) ** 2
    bell = np.where(gain("band") > 0.0, np.exp(octaves / -4.7), 1.0 / (1.0 + 3.0 * octaves))
    return (low + high + gain("band") * bell).astype(np.float32, copy=False)


def glide(control: Knobs, default: float, times: NDArray[np.float64]) -> Knobs:
    """The course of a control that glides from the engine's default, shape (n, moments)."""
    return control[:, None] + (default - control)[:, None] * np.exp(-times / GLIDE)


def level_power(level: Knobs) -> Picture:
    """Power of an oscillator's level: the engine takes its square as the amplitude."""
    return (np.maximum(level, 0.0) ** 4).astype(np.float32)


def filtered_power(level: Knobs) -> Picture:
    """Power of the level of an oscillator that leads into a filter, which saturates."""
    return _saturated(level, 0.43, 3.8)


def sampler_power(level: Knobs) -> Picture:
    """Power of the level of the sampler, which leads into a filter too: 3.2 dB below an oscillator's."""
    return np.float32(0.48) * _saturated(level, 0.205, 3.5)


def _saturated(level: Knobs, share: float, power: float) -> Picture:
    heard = np.maximum(level, 0.0)
    return ((heard**2 / (1.0 + share * heard**power)) ** 2).astype(np.float32)


def _curve(share: Knobs, power: Knobs) -> Knobs:
    """The engine's bent line from 0 to 1."""
    bent = np.where(np.abs(power) < 0.02, 0.02, power)
    return np.expm1(bent * share) / np.expm1(bent)
