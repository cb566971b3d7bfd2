"""Frame-wise pitch tracks from well-kept trackers, behind one value. Does not decide which one is right."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOWEST_HZ = 16.0
"""Lowest fundamental that is looked for, a little under C0."""
HIGHEST_HZ = 4400.0
"""Highest fundamental that is looked for, a little over C8."""

_SWIFT_TOP_HZ = 2093.75 * 2.0 ** (-1.5 / 12.0)

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PitchTrack:
    """Fundamental frequency over time."""

    times: Series
    """Seconds from the start of the sound, ascending, shape (frames,)."""
    hz: Series
    """Fundamental of each frame; 0 where there is none."""
    strength: Series
    """How periodic a frame is, 0 to 1."""

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Frames that have a pitch."""
        return self.hz > 0.0

    def typical(self) -> float:
        """Median MIDI pitch of the voiced frames, weighted by strength; NaN if there is none."""
        voiced = self.voiced
        if not voiced.any():
            return float("nan")
        pitches = midi(self.hz[voiced])
        order = np.argsort(pitches)
        weights = np.cumsum(self.strength[voiced][order] + 1e-6)
        return float(pitches[order][np.searchsorted(weights, weights[-1] / 2.0)])


def midi(hz: Series) -> Series:
    """MIDI pitch of frequencies above 0, A4 = 440 Hz."""
    return 69.0 + 12.0 * np.log2(np.asarray(hz) / 440.0)


def hertz(pitch: float) -> float:
    """Frequency of a MIDI pitch, A4 = 440 Hz."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def praat_track(
    signal: NDArray[np.float32],
    sample_rate: int,
    *,
    lowest_hz: float = LOWEST_HZ,
    highest_hz: float = HIGHEST_HZ,
    step: float = 0.01,
    octave_jump_cost: float = 0.35,
    silence: float = 0.03,
) -> PitchTrack:
    """Praat's autocorrelation tracker. Frames are three periods of the lowest pitch long.

    A sound too short for one frame is padded with silence.

    Args:
        signal: Mono sound, shape (samples,).
        sample_rate: Samples a second.
        lowest_hz: Pitch floor; sets the window, so a higher floor follows faster movement.
        highest_hz: Pitch ceiling.
        step: Seconds from frame to frame.
        octave_jump_cost: How hard the path finder is on jumps.
        silence: Frames below this share of the loudest amplitude count as unvoiced.

    Source: Boersma, "Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound", 1993, through Parselmouth.
    """
    import parselmouth

    shortest = int(np.ceil(3.3 / lowest_hz * sample_rate))
    padding = max(0, shortest - signal.size)
    padded = np.pad(signal.astype(np.float64), (padding // 2, padding - padding // 2))
    pitch = parselmouth.Sound(padded, sample_rate).to_pitch_ac(
        time_step=step,
        pitch_floor=lowest_hz,
        pitch_ceiling=min(highest_hz, 0.45 * sample_rate),
        octave_jump_cost=octave_jump_cost,
        silence_threshold=silence,
    )
    hz = np.asarray(pitch.selected_array["frequency"], dtype=np.float64)
    strength = np.clip(np.asarray(pitch.selected_array["strength"], dtype=np.float64), 0.0, 1.0)
    times = np.asarray(pitch.xs(), dtype=np.float64) - padding // 2 / sample_rate
    return PitchTrack(times, hz, np.where(hz > 0.0, strength, 0.0))


def swift_track(signal: NDArray[np.float32], sample_rate: int, *, speed: float = 1.0) -> PitchTrack:
    """SwiftF0, a small neural tracker, on the sound played at another speed.

    The network hears 46.9 to 2,094 Hz; at speed 4 that is 11.7 to 523 Hz of the sound, at speed
    0.5 it is 94 to 4,188 Hz.

    Args:
        signal: Mono sound, shape (samples,).
        sample_rate: Samples a second.
        speed: How much faster the network hears the sound.

    Source: Nieradzik, "SwiftF0: fast and accurate monophonic pitch detection", 2025.
    """
    shortest = int(0.064 * sample_rate * speed) + 1
    heard = np.pad(signal, (0, max(0, shortest - signal.size)))
    found = _swift().detect(heard, sample_rate * speed)
    hz = np.asarray(found.pitch_hz, dtype=np.float64) / speed
    strength = np.asarray(found.confidence, dtype=np.float64)
    # Noise makes the network answer at the top of its range. A real note there is heard at half the speed,
    # but for the very highest, which no slower speed covers.
    believable = hz * speed < _SWIFT_TOP_HZ if speed >= 1.0 else np.ones(hz.size, dtype=bool)
    voiced = (strength >= 0.3) & believable
    times = np.asarray(found.timestamps, dtype=np.float64) * speed
    return PitchTrack(times, np.where(voiced, hz, 0.0), np.where(voiced, strength, 0.0))


@lru_cache(maxsize=1)
def _swift() -> Any:
    from swift_f0 import SwiftF0

    # One thread that sleeps between calls: many matchers share a machine.
    return SwiftF0(threads=1, spin=False)
