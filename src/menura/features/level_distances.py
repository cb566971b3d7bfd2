"""Distances for which level counts: the gain-sensitive log-mel distance and the difference of loudness.

Neither sound is made louder or softer before it is measured: an answer that comes out 6 dB too soft is that much
farther. Knows no presets.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from menura.audio import Audio
from menura.audio.loudness import measure_loudness
from menura.features.distances import MSS_SCALES, as_pair
from menura.features.spectra import as_signal, mel_power, power_to_db

SILENCE_LUFS = -70.0
"""The absolute gate of ITU-R BS.1770: what is softer counts as silence."""


def log_mel_distance(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """Mean absolute dB difference of three log-mel spectrograms, level included.

    MSS without its normalisation: the same three scales, but both sounds in dB of one reference, the loudest band
    of the two, and cut 80 dB below it. Both are taken at the level they have. Turning both up alike changes
    nothing, turning up one of them does.

    Args:
        target: Mono sound, shape (samples,).
        prediction: Mono sound at the same rate; the shorter one is continued by silence.
        sample_rate: Samples a second.

    Returns:
        dB, from 0 (a sound and itself, or two silences) to 80; symmetric.

    Raises:
        AudioError: if either is not a finite mono sound.
    """
    pair = as_pair(target, prediction)
    means: list[float] = []
    for window, hop, mels in MSS_SCALES:
        scale = int(window * sample_rate), int(hop * sample_rate), mels
        # One array of both: its loudest value is the common reference, and the floor lies under that.
        ours, theirs = power_to_db(np.stack([mel_power(signal, sample_rate, *scale) for signal in pair]))
        means.append(float(np.mean(np.abs(ours - theirs), dtype=np.float64)))
    return float(np.mean(means))


def loudness_difference(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """Integrated loudness of the prediction less that of the target.

    Gated: silence before and after a sound does not count, but for the blocks of 0.4 s that hold both. A silent
    sound counts as -70 LUFS, the absolute gate: an answer that is not heard is off by all of the target's loudness
    above it.

    Args:
        target: Mono sound, shape (samples,).
        prediction: Mono sound at the same rate; of any length.
        sample_rate: Samples a second.

    Returns:
        LU; 0 is as loud, above 0 the prediction is louder. Swapping the sounds swaps the sign.

    Raises:
        AudioError: if either is not a finite mono sound.

    Source: ITU-R BS.1770-4, annex 1.
    """
    return loudness(prediction, sample_rate, "prediction") - loudness(target, sample_rate, "target")


def loudness(sound: ArrayLike, sample_rate: int, what: str = "sound") -> float:
    """Integrated loudness of a mono sound in LUFS, not under -70."""
    lufs = measure_loudness(Audio(as_signal(sound, what), sample_rate)).lufs
    return SILENCE_LUFS if math.isinf(lufs) else max(SILENCE_LUFS, lufs)
