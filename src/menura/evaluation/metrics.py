"""The metrics of the protocol by name, each with what a table must say of it. Owns the list; computes nothing.

Another package adds its own, a `Metric`, under the entry-point group ``menura.metrics``. A metric has one NumPy path,
so that a table never depends on what is installed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from menura.errors import WorkError
from menura.features import distances, level_distances, pitch_errors, proxy_distances
from menura.registry import Registry

Measure = Callable[[ArrayLike, ArrayLike, int], float | None]
"""(target, prediction, sample rate) -> value, both mono of shape (samples,); None where it is not defined."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to tell how near a prediction is to its target."""

    name: str
    """As in rows and options."""
    title: str
    """As in the head of a table."""
    unit: str
    """Empty where it has none."""
    better: Literal["lower", "higher", "zero"]
    """Which values are nearer; zero: positive and negative ones are both off."""
    places: int
    """Decimals that are printed."""
    source: str
    """Paper or standard that defines it, and what is ours."""
    measure: Measure

    def cost(self, value: float) -> float:
        """The value turned so that lower is nearer: what two arms are compared by, and what is averaged."""
        if self.better == "zero":
            return abs(value)
        return -value if self.better == "higher" else value


_HAYES = "Hayes et al. 2025, ISMIR"
_COMBES = "Combes et al. 2025, section 7.1"

MSS = Metric("mss", "MSS", "dB", "lower", 2, _HAYES, distances.mss)
WMFCC = Metric("wmfcc", "wMFCC", "", "lower", 2, _HAYES, distances.wmfcc)
SOT = Metric("sot", "SOT", "", "lower", 3, _HAYES, distances.sot)
RMS = Metric("rms", "RMS", "", "higher", 3, _HAYES, distances.rms_similarity)
LOGMEL = Metric(
    "logmel", "LogMel", "dB", "lower", 2,
    "MSS's three scales, both sounds at their own level, dB of the louder one's peak band",
    level_distances.log_mel_distance,
)  # fmt: skip
F0_CENTS = Metric(
    "f0_cents", "F0", "cents", "lower", 1,
    "median absolute error over frames voiced in both; not defined where there are none",
    lambda target, prediction, rate: pitch_errors.pitch_errors(target, prediction, rate).median_cents,
)  # fmt: skip
F0_GROSS = Metric(
    "f0_gross", "F0 gross", "share", "lower", 3,
    "one less raw pitch accuracy at 50 cents (Salamon et al. 2014); not defined where the target has no pitch",
    lambda target, prediction, rate: pitch_errors.pitch_errors(target, prediction, rate).gross_share,
)  # fmt: skip
LOUDNESS = Metric(
    "loudness", "Loudness", "LU", "zero", 1,
    "ITU-R BS.1770-4, integrated; prediction less target, silence counts as -70 LUFS",
    level_distances.loudness_difference,
)  # fmt: skip
STFT = Metric("stft", "STFT", "", "lower", 3, f"{_COMBES}; auraloss STFTLoss", proxy_distances.stft_distance)
MSTFT = Metric(
    "mstft", "mSTFT", "", "lower", 3,
    f"{_COMBES}; auraloss MultiResolutionSTFTLoss",
    proxy_distances.multi_stft_distance,
)  # fmt: skip
MEL = Metric("mel", "Mel", "", "lower", 3, f"{_COMBES}; auraloss MelSTFTLoss", proxy_distances.mel_stft_distance)
MFCCD = Metric(
    "mfccd", "MFCCD", "dB", "lower", 2,
    f"{_COMBES}, whose tables print a quarter of it",
    proxy_distances.mfcc_distance,
)  # fmt: skip

DEFAULT: tuple[str, ...] = (
    "mss", "wmfcc", "sot", "rms", "logmel", "f0_cents", "f0_gross", "loudness", "stft", "mstft", "mel", "mfccd",
)  # fmt: skip
"""All of the protocol's, in its order."""

METRICS: Registry[Metric] = Registry(
    "metric", "menura.metrics", {name: f"{__name__}:{name.upper()}" for name in DEFAULT}
)


def measure_all(
    names: Iterable[str], target: ArrayLike, prediction: ArrayLike, sample_rate: int
) -> dict[str, float | None]:
    """Measure a prediction against its target.

    Args:
        names: Of `METRICS`.
        target: Mono sound, shape (samples,).
        prediction: Mono sound at the same rate, of any length.
        sample_rate: Samples a second.

    Returns:
        Name to finite value, in the order given; None where a metric is not defined for these sounds.

    Raises:
        UnknownNameError: no such metric.
        AudioError: one of the two is not a finite mono sound.
        WorkError: a metric gave NaN or infinity.
    """
    found: dict[str, float | None] = {}
    for name in names:
        value = METRICS.get(name).measure(target, prediction, sample_rate)
        if value is not None and not math.isfinite(value):
            raise WorkError(f"metric {name!r} gave {value}; it must give a finite number, or None where not defined")
        found[name] = None if value is None else float(value)
    return found
