"""How loud a sound is: peak, RMS and LUFS. Measures; changes a level only where asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.audio.sound import Audio

_BLOCK = 0.4
_STEP = 0.1
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0


@dataclass(frozen=True, slots=True)
class Loudness:
    """Levels of one sound; -inf where it is silent."""

    peak_dbfs: float
    """Largest sample, dB of full scale."""
    rms_dbfs: float
    """Root mean square over all samples and channels, dB of full scale."""
    lufs: float
    """Integrated loudness of ITU-R BS.1770-4; a sound shorter than 0.4 s counts as one block."""


def measure_loudness(audio: Audio) -> Loudness:
    """Peak, RMS and integrated loudness.

    Source: ITU-R BS.1770-4, annex 1; every channel weighs 1.
    """
    power = float(np.square(audio.samples, dtype=np.float64).mean()) if audio.samples.size else 0.0
    return Loudness(_db(audio.peak, 20.0), _db(power, 10.0), _integrated(audio))


def at_lufs(audio: Audio, lufs: float = -23.0) -> Audio:
    """A copy at an integrated loudness, for comparing by ear; a silent sound as it is."""
    own = measure_loudness(audio).lufs
    return audio if math.isinf(own) else audio.gain(lufs - own)


def _db(value: float, factor: float) -> float:
    return factor * math.log10(value) if value > 0.0 else -math.inf


def _integrated(audio: Audio) -> float:
    if audio.samples.shape[1] == 0:
        return -math.inf
    weighted = _k_weighted(audio)
    power = np.concatenate(([0.0], np.cumsum(np.square(weighted).sum(axis=0))))
    total = weighted.shape[1]
    block = min(total, round(_BLOCK * audio.sample_rate))
    starts = np.arange(0, total - block + 1, max(1, round(_STEP * audio.sample_rate)), dtype=np.int64)
    means = (power[starts + block] - power[starts]) / block
    means = means[means > 10.0 ** ((_ABSOLUTE_GATE + 0.691) / 10.0)]
    if means.size == 0:
        return -math.inf
    loud = means[means > means.mean() * 10.0 ** (_RELATIVE_GATE / 10.0)]
    return -0.691 + 10.0 * math.log10(float(loud.mean()))


def _k_weighted(audio: Audio) -> NDArray[np.float64]:
    """The head's shelf, then the low cut, as biquads for any sample rate."""
    from scipy import signal

    filtered: Any = audio.samples.astype(np.float64)
    for kind, centre_hz, quality, gain_db in (("shelf", 1681.97, 0.70718, 3.99984), ("cut", 38.1355, 0.50033, 0.0)):
        if centre_hz >= audio.sample_rate / 2:
            continue
        tan = math.tan(math.pi * centre_hz / audio.sample_rate)
        norm = 1.0 + tan / quality + tan * tan
        if kind == "shelf":
            high = 10.0 ** (gain_db / 20.0)
            band = high**0.499667
            numerator = [high + band * tan / quality + tan * tan, 2 * (tan * tan - high)]
            numerator.append(high - band * tan / quality + tan * tan)
            numerator = [value / norm for value in numerator]
        else:
            numerator = [1.0, -2.0, 1.0]
        denominator = [1.0, 2 * (tan * tan - 1) / norm, (1.0 - tan / quality + tan * tan) / norm]
        filtered = signal.lfilter(numerator, denominator, filtered, axis=1)
    return filtered
