"""How far one sound is from another: MSS, wMFCC, SOT and the RMS similarity. Knows no presets.

The definitions are those of Hayes et al., "Audio synthesizer inversion in symmetric parameter
spaces with approximately equivariant flow matching", ISMIR 2025, so that published numbers can
stand beside ours. Sounds of different length are compared over the longer one: what is missing
counts as silence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from menura.features.spectra import Matrix, as_signal, log_mel, magnitude, mfcc, rms_envelope

MSS_SCALES = ((0.010, 0.005, 32), (0.025, 0.010, 64), (0.100, 0.050, 128))
"""(window, hop, mel bands) of the three spectrograms, in seconds."""

METRICS = ("mss", "wmfcc", "sot", "rms")
"""Names of what `all_metrics` measures; the first three are lower-is-nearer, rms is a similarity."""


class MssTarget:
    """A target whose spectrograms are computed once, for thousands of comparisons.

    Args:
        target: Mono sound, shape (samples,).
        sample_rate: Samples a second, of the target and of every prediction.
        scales: (window, hop, mel bands) of each spectrogram, in seconds.

    Raises:
        AudioError: if the target is not a finite mono sound.
    """

    def __init__(
        self,
        target: ArrayLike,
        sample_rate: int = 44_100,
        *,
        scales: tuple[tuple[float, float, int], ...] = MSS_SCALES,
    ) -> None:
        self.sample_rate = sample_rate
        self.signal = as_signal(target, "target")
        self._scales = tuple((int(window * sample_rate), int(hop * sample_rate), mels) for window, hop, mels in scales)
        self._spectrograms = self._spectra(self.signal)

    def distance(self, prediction: ArrayLike) -> float:
        """MSS of a prediction, in dB, 0 or more; raises AudioError for anything but a finite mono sound."""
        signal = as_signal(prediction, "prediction")
        longest = max(signal.size, self.signal.size)
        ours = self._spectrograms if self.signal.size == longest else self._spectra(_padded(self.signal, longest))
        theirs = self._spectra(_padded(signal, longest))
        return float(np.mean([np.mean(np.abs(a - b), dtype=np.float64) for a, b in zip(ours, theirs, strict=True)]))

    def _spectra(self, signal: NDArray[np.float32]) -> list[Matrix]:
        return [log_mel(signal, self.sample_rate, *scale) for scale in self._scales]


def mss(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """Multi-scale spectral distance: mean absolute dB difference of three log-mel spectrograms.

    Each spectrogram is taken relative to its own sound's loudest band and cut 80 dB below it:
    the distance does not change when either sound is made louder or softer.

    Args:
        target: Mono sound, shape (samples,).
        prediction: Mono sound at the same rate.
        sample_rate: Samples a second.

    Returns:
        dB, 0 or more; symmetric, 0 for a sound and itself.

    Raises:
        AudioError: if either is not a finite mono sound.
    """
    return MssTarget(target, sample_rate).distance(prediction)


def wmfcc(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """Dynamic-time-warping cost between 20 MFCCs (50 ms window, 10 ms hop, 128 mel bands).

    Frames cost their mean absolute difference. Level counts (in the first coefficient), timing
    largely does not. Symmetric, 0 for a sound and itself. Raises AudioError as `mss` does.
    """
    ours, theirs = as_pair(target, prediction)
    window, hop = int(0.05 * sample_rate), int(0.01 * sample_rate)
    return warping_cost(mfcc(ours, sample_rate, window, hop), mfcc(theirs, sample_rate, window, hop))


def sot(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """Spectral optimal transport: how far, per frame, the spectrum's mass must be moved.

    Per frame (50 ms, hop 20 ms) the magnitude spectrum is scaled to sum 1; the distance is the mean
    absolute difference of the cumulative sums over bins, as a share of the band, mean over frames.
    Gain-invariant down to silence, symmetric, from 0 to 1. Raises AudioError as `mss` does.
    """
    ours, theirs = (_mass(signal, sample_rate) for signal in as_pair(target, prediction))
    return float(np.mean(np.abs(np.cumsum(ours - theirs, axis=1, dtype=np.float64))))


def rms_similarity(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """Cosine similarity of the RMS envelopes (50 ms, hop 25 ms): 1 is the same course of level, 0 none of it.

    Gain-invariant, symmetric. Two silent sounds have similarity 1, silence and a sound 0. Raises
    AudioError as `mss` does.
    """
    window, hop = int(0.05 * sample_rate), int(0.025 * sample_rate)
    ours, theirs = (rms_envelope(signal, window, hop).astype(np.float64) for signal in as_pair(target, prediction))
    norms = float(np.linalg.norm(ours)), float(np.linalg.norm(theirs))
    if min(norms) < 1e-9:
        return 1.0 if max(norms) < 1e-9 else 0.0
    return min(1.0, float(ours @ theirs) / (norms[0] * norms[1]))


def all_metrics(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> dict[str, float]:
    """Every metric of the protocol by its name, see `METRICS`."""
    return {
        "mss": mss(target, prediction, sample_rate),
        "wmfcc": wmfcc(target, prediction, sample_rate),
        "sot": sot(target, prediction, sample_rate),
        "rms": rms_similarity(target, prediction, sample_rate),
    }


def warping_cost(first: Matrix, second: Matrix) -> float:
    """Cheapest alignment of two sequences, normalised by the path.

    A step along both sequences weighs two, a step along one weighs one, so that every path weighs
    the sum of both lengths, by which the cost is divided.

    Args:
        first: Shape (frames, features).
        second: Shape (other frames, features).

    Returns:
        Mean cost of a frame on the path, 0 or more, in units of the features' mean absolute difference.

    Source: Sakoe and Chiba 1978, the symmetric form P = 0 (`symmetric2` of the R and Python package dtw).
    """
    rows, columns = len(first), len(second)
    costs = cdist(first, second, "cityblock") / first.shape[1]
    # Cells of one anti-diagonal depend on the two before it alone: a vector operation each.
    before = np.full(rows + 1, np.inf)
    last = np.full(rows + 1, np.inf)
    last[1] = costs[0, 0]
    flipped = costs[:, ::-1]
    for diagonal in range(1, rows + columns - 1):
        low, high = max(0, diagonal - columns + 1), min(rows, diagonal + 1)
        # costs[i, diagonal - i] is a diagonal of the flipped matrix, i running up.
        cost = np.diagonal(flipped, columns - 1 - diagonal)
        current = np.full(rows + 1, np.inf)
        along_one = np.minimum(last[low:high], last[low + 1 : high + 1]) + cost
        current[low + 1 : high + 1] = np.minimum(along_one, before[low:high] + 2.0 * cost)
        before, last = last, current
    return float(last[rows] / (rows + columns))


def _mass(signal: NDArray[np.float32], sample_rate: int) -> Matrix:
    spectrum = magnitude(signal, int(0.05 * sample_rate), int(0.02 * sample_rate))
    return spectrum / np.maximum(spectrum.sum(axis=1, keepdims=True), np.float32(1e-6))


def as_pair(target: ArrayLike, prediction: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both sounds as mono float32 of the longer one's length; what is missing is silence. Raises AudioError."""
    first, second = as_signal(target, "target"), as_signal(prediction, "prediction")
    longest = max(first.size, second.size)
    return _padded(first, longest), _padded(second, longest)


def _padded(signal: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return signal if signal.size == size else np.pad(signal, (0, size - signal.size))
