"""Short-time spectra on NumPy and scipy.fft: frames, STFT, mel bands, decibels, MFCC. Knows no distance.

All arrays are time-major, shape (frames, bins). Framing, Hann window, mel scale (Slaney) and
normalisation are those of librosa's defaults, so that numbers can be held against the literature.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import ArrayLike, NDArray
from scipy import fft, sparse

from menura.errors import AudioError

Matrix = NDArray[np.float32]

AMIN = 1e-10
"""Power below which everything counts as silence, before decibels are taken."""

_MEL_BREAK_HZ = 1000.0
_MEL_LINEAR_HZ = 200.0 / 3.0
_MEL_LOG_STEP = np.log(6.4) / 27.0


def as_signal(samples: ArrayLike, what: str = "signal") -> NDArray[np.float32]:
    """A contiguous mono float32 signal, shape (samples,).

    Raises:
        AudioError: if it is not one-dimensional, is empty, or holds NaN or infinity.
    """
    signal = np.ascontiguousarray(samples, dtype=np.float32)
    if signal.ndim != 1 or signal.size == 0:
        raise AudioError(f"{what} of shape {signal.shape} is not a mono sound; pass one channel with samples in it")
    if not np.isfinite(signal).all():
        raise AudioError(f"{what} holds NaN or infinite samples; repair or render the sound anew")
    return signal


def frame(signal: NDArray[np.float32], window: int, hop: int, *, centred: bool = True) -> Matrix:
    """Overlapping frames as a view, shape (1 + samples // hop, window) when centred and window is even.

    Args:
        signal: Mono sound, shape (samples,).
        window: Samples in a frame.
        hop: Samples from one frame to the next.
        centred: Pad with zeros so that frame i is centred on sample i * hop; otherwise frames
            start there, and a sound shorter than one window is padded to it.
    """
    if centred:
        signal = np.pad(signal, window // 2)
    if signal.size < window:
        signal = np.pad(signal, (0, window - signal.size))
    count = 1 + (signal.size - window) // hop
    (step,) = signal.strides
    return as_strided(signal, (count, window), (step * hop, step), writeable=False)


@lru_cache(maxsize=32)
def hann(window: int) -> NDArray[np.float32]:
    """Periodic Hann window of that many samples; cached, read-only."""
    values = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)).astype(np.float32)
    values.flags.writeable = False
    return values


def stft(signal: NDArray[np.float32], window: int, hop: int, *, n_fft: int | None = None) -> NDArray[np.complex64]:
    """Centred Hann short-time Fourier transform, shape (frames, n_fft // 2 + 1); no scaling by the window."""
    return fft.rfft(frame(signal, window, hop) * hann(window), n=n_fft or window, axis=1)


def magnitude(signal: NDArray[np.float32], window: int, hop: int) -> Matrix:
    """Magnitude of `stft`."""
    return np.abs(stft(signal, window, hop))


def power(signal: NDArray[np.float32], window: int, hop: int) -> Matrix:
    """Squared magnitude of `stft`."""
    spectrum = stft(signal, window, hop)
    return spectrum.real**2 + spectrum.imag**2


def hz_to_mel(hz: ArrayLike) -> NDArray[np.float64]:
    """Slaney's mel scale: linear below 1 kHz, logarithmic above."""
    hz = np.asarray(hz, dtype=np.float64)
    above = _MEL_BREAK_HZ / _MEL_LINEAR_HZ + np.log(np.maximum(hz, 1e-9) / _MEL_BREAK_HZ) / _MEL_LOG_STEP
    return np.where(hz < _MEL_BREAK_HZ, hz / _MEL_LINEAR_HZ, above)


def mel_to_hz(mel: ArrayLike) -> NDArray[np.float64]:
    """Inverse of `hz_to_mel`."""
    mel = np.asarray(mel, dtype=np.float64)
    start = _MEL_BREAK_HZ / _MEL_LINEAR_HZ
    return np.where(mel < start, mel * _MEL_LINEAR_HZ, _MEL_BREAK_HZ * np.exp(_MEL_LOG_STEP * (mel - start)))


@lru_cache(maxsize=32)
def mel_filterbank(sample_rate: int, n_fft: int, n_mels: int) -> Matrix:
    """Triangular mel filters from 0 Hz to half the rate, each of unit area; cached, read-only.

    Args:
        sample_rate: Samples a second.
        n_fft: Length of the transform.
        n_mels: Number of bands.

    Returns:
        Shape (n_fft // 2 + 1, n_mels), to be multiplied from the right.

    Source: Slaney, Auditory Toolbox, 1998, as librosa.filters.mel does by default.
    """
    bins = fft.rfftfreq(n_fft, 1.0 / sample_rate)
    edges = mel_to_hz(np.linspace(0.0, float(hz_to_mel(sample_rate / 2.0)), n_mels + 2))
    ramps = edges[:, None] - bins[None, :]
    widths = np.diff(edges)[:, None]
    filters = np.maximum(0.0, np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]))
    filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    bank = np.ascontiguousarray(filters.T, dtype=np.float32)
    bank.flags.writeable = False
    return bank


def mel_power(signal: NDArray[np.float32], sample_rate: int, window: int, hop: int, n_mels: int) -> Matrix:
    """Power in mel bands, shape (frames, n_mels)."""
    return mel_bands(power(signal, window, hop), sample_rate, window, n_mels)


def mel_bands(spectrum: Matrix, sample_rate: int, n_fft: int, n_mels: int) -> Matrix:
    """A spectrogram of shape (frames, n_fft // 2 + 1) summed into mel bands, shape (frames, n_mels)."""
    return (_sparse_filters(sample_rate, n_fft, n_mels) @ spectrum.T).T


@lru_cache(maxsize=32)
def _sparse_filters(sample_rate: int, n_fft: int, n_mels: int) -> sparse.csr_matrix:
    # Nearly all of a filter bank is zeros. Leaving them out also leaves out the threads of BLAS, which
    # cost up to 25 ms a product where several workers share the cores, and keeps the sum's order fixed.
    return sparse.csr_matrix(mel_filterbank(sample_rate, n_fft, n_mels).T)


def power_to_db(values: Matrix, *, reference: float | None = None, range_db: float = 80.0) -> Matrix:
    """Decibels of a power spectrogram, floored `range_db` below its own loudest value.

    Args:
        values: Power, any shape.
        reference: Power that becomes 0 dB; None takes the loudest value, which makes the result
            independent of gain.
        range_db: Span that is kept.
    """
    top = float(values.max(initial=0.0))
    reference = max(AMIN, top if reference is None else reference)
    decibels = 10.0 * np.log10(np.maximum(values, np.float32(AMIN)))
    decibels -= np.float32(10.0 * np.log10(reference))
    return np.maximum(decibels, decibels.max(initial=-np.inf) - np.float32(range_db))


def log_mel(signal: NDArray[np.float32], sample_rate: int, window: int, hop: int, n_mels: int) -> Matrix:
    """Mel bands in dB below the sound's own loudest one, 80 dB deep, shape (frames, n_mels)."""
    return power_to_db(mel_power(signal, sample_rate, window, hop, n_mels))


def mfcc(
    signal: NDArray[np.float32], sample_rate: int, window: int, hop: int, *, n_mels: int = 128, n_mfcc: int = 20
) -> Matrix:
    """Mel-frequency cepstral coefficients, shape (frames, n_mfcc): orthonormal DCT-II of dB at reference 1."""
    decibels = power_to_db(mel_power(signal, sample_rate, window, hop, n_mels), reference=1.0)
    return np.asarray(fft.dct(decibels, type=2, axis=1, norm="ortho")[:, :n_mfcc], dtype=np.float32)


def rms_envelope(signal: NDArray[np.float32], window: int, hop: int) -> NDArray[np.float32]:
    """Root mean square of centred frames, shape (frames,)."""
    frames = frame(signal, window, hop)
    return np.sqrt(np.einsum("ij,ij->i", frames, frames) / np.float32(window))
