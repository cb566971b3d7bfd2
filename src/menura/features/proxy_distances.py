"""The four spectral distances of the neural-proxy paper, in NumPy: STFT, mSTFT, Mel and MFCCD. Knows no presets.

Combes et al., "Neural proxies for sound synthesizers: learning perceptually informed preset representations", 2025,
section 7.1, measure with auraloss 0.4 (Steinmetz and Reiss 2020) and an MFCC distance of their own; these equal them
(tests hold them within 1e-3, see decision 060). Transforms are counted in samples, so that the numbers depend on the
sample rate: the paper's are at 32 kHz, ours at 44.1 kHz. Level counts in all four. Sounds of different length are
compared over the longer one; what is missing counts as silence.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, sparse

from menura.features.distances import as_pair
from menura.features.spectra import Matrix, frame, hann, mel_bands, mel_filterbank

N_FFT, HOP, N_MELS, N_MFCC = 1024, 256, 128, 40
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
"""(transform, hop, window) of the multi-resolution distance, in samples: auraloss's defaults."""
MFCC_HOP, PRE_EMPHASIS = 512, 0.97

_FLOOR = 1e-8
"""Least power of a bin."""


def stft_distance(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """Spectral convergence plus log-magnitude distance of one spectrogram (1024 samples, hop 256).

    Spectral convergence is the Frobenius norm of the difference over that of the target; the log distance is the
    mean absolute difference of natural logarithms. Not symmetric: the first term is relative to the target.

    Args:
        target: Mono sound, shape (samples,).
        prediction: Mono sound at the same rate.
        sample_rate: Samples a second; the transform is counted in samples and does not depend on it.

    Returns:
        0 or more, without a unit; 0 for a sound and itself.

    Raises:
        AudioError: if either is not a finite mono sound.

    Source: auraloss.freq.STFTLoss (Arik et al. 2018; Yamamoto et al. 2019).
    """
    del sample_rate
    return _convergence_and_log(*(_magnitude(s, N_FFT, HOP, N_FFT) for s in _long_enough(target, prediction, N_FFT)))


def multi_stft_distance(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """Mean of `stft_distance` over three resolutions, see `RESOLUTIONS`.

    Source: auraloss.freq.MultiResolutionSTFTLoss (Yamamoto et al. 2020).
    """
    del sample_rate
    found: list[float] = []
    for n_fft, hop, window in RESOLUTIONS:
        pair = _long_enough(target, prediction, n_fft)
        found.append(_convergence_and_log(*(_magnitude(signal, n_fft, hop, window) for signal in pair)))
    return float(np.mean(found))


def mel_stft_distance(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """`stft_distance` of the magnitudes summed into 128 mel bands (Slaney's, of unit area).

    Bands too narrow to hold a bin, which there are above 60 kHz of sample rate, are left out.

    Source: auraloss.freq.MelSTFTLoss.
    """
    filled = mel_filterbank(sample_rate, N_FFT, N_MELS).any(axis=0)
    pair = (_magnitude(signal, N_FFT, HOP, N_FFT) for signal in _long_enough(target, prediction, N_FFT))
    return _convergence_and_log(*(mel_bands(s, sample_rate, N_FFT, N_MELS)[:, filled] for s in pair))


def mfcc_distance(target: ArrayLike, prediction: ArrayLike, sample_rate: int = 44_100) -> float:
    """Mean absolute difference of cepstral coefficients 1 to 39, in dB; the 0th, the level, is left out.

    Pre-emphasis 0.97, symmetric Hann of 1024 samples, hop 512, power in 128 of Kaldi's mel bands, dB not under -80,
    orthonormal DCT-II. Symmetric, 0 for a sound and itself. Level counts all the same: the lowest bands are too
    narrow to hold a bin and stay at the floor, so that a gain changes the cepstrum's shape. The paper's tables print
    a quarter of it.

    Source: Combes et al. 2025, section 7.1, and the settings of the paper's published code.
    """
    ours, theirs = (_cepstrum(signal, sample_rate) for signal in _long_enough(target, prediction, N_FFT + 1))
    return float(np.mean(np.abs(ours - theirs), dtype=np.float64))


def _convergence_and_log(target: Matrix, prediction: Matrix) -> float:
    # NumPy's own sums, not BLAS: their order, and so the last digit, does not depend on threads.
    apart, size = (float(np.sum(np.square(values), dtype=np.float64)) for values in (target - prediction, target))
    return math.sqrt(apart / size) + float(np.mean(np.abs(np.log(target) - np.log(prediction)), dtype=np.float64))


def _long_enough(target: ArrayLike, prediction: ArrayLike, n_fft: int) -> tuple[Matrix, Matrix]:
    """Both sounds as long as mirroring half a transform asks for."""
    first, second = as_pair(target, prediction)
    missing = max(0, n_fft // 2 + 1 - first.size)
    return (np.pad(first, (0, missing)), np.pad(second, (0, missing))) if missing else (first, second)


def _magnitude(signal: Matrix, n_fft: int, hop: int, window: int) -> Matrix:
    left = (n_fft - window) // 2
    return np.sqrt(_power(signal, np.pad(hann(window), (left, n_fft - window - left)), hop))


def _power(signal: Matrix, window: NDArray[np.float32], hop: int) -> Matrix:
    """Power of frames centred on every hop-th sample, the ends mirrored as torch does, not under the floor."""
    frames = frame(np.pad(signal, window.size // 2, mode="reflect"), window.size, hop, centred=False)
    spectrum = fft.rfft(frames * window, axis=1)
    return np.maximum(spectrum.real**2 + spectrum.imag**2, np.float32(_FLOOR))


def _cepstrum(signal: Matrix, sample_rate: int) -> Matrix:
    emphasised = np.asarray(signal[1:] - np.float32(PRE_EMPHASIS) * signal[:-1], dtype=np.float32)
    frames = frame(np.pad(emphasised, N_FFT // 2, mode="reflect"), N_FFT, MFCC_HOP, centred=False)
    spectrum = fft.rfft(frames * np.hanning(N_FFT).astype(np.float32), axis=1)
    bands = (_kaldi_filters(sample_rate) @ (spectrum.real**2 + spectrum.imag**2).T).T
    decibels = 10.0 * np.log10(np.maximum(bands, np.float32(_FLOOR)))
    return fft.dct(decibels, type=2, axis=1, norm="ortho")[:, 1:N_MFCC]


@lru_cache(maxsize=8)
def _kaldi_filters(sample_rate: int) -> sparse.csr_matrix:
    """Triangles that are straight over mel = 1127 ln(1 + Hz / 700), of height 1, shape (bands, bins)."""
    # Kaldi's banks end at a whole frequency in the paper's code, and leave out the bin at half the rate.
    highest = 1127.0 * np.log1p(sample_rate // 2 / 700.0)
    places = 1127.0 * np.log1p(fft.rfftfreq(N_FFT, 1.0 / sample_rate) / 700.0) / (highest / (N_MELS + 1))
    bank = np.maximum(0.0, 1.0 - np.abs(places[:, None] - np.arange(1.0, N_MELS + 1.0)))
    bank[-1] = 0.0
    return sparse.csr_matrix(bank.T.astype(np.float32))
