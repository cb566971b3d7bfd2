"""Baselines in NumPy alone: mel spectra, cepstra, spectra of many resolutions, statistics. No weights, no chance.

The first three are those of Combes et al., "Neural proxies for sound synthesizers", 2025, appendix A.1, on the
spectra of `menura.features.spectra`: power in dB at reference 1, cut 80 dB below the sound's own loudest value, so
that level counts as an offset and room noise does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from menura.audio.edges import sounding_range
from menura.errors import InputError
from menura.features import semitones as bands_of_semitones
from menura.features.contour import BANDS, SLOTS, contour
from menura.features.distances import MSS_SCALES
from menura.features.embedders.base import FrameEmbedder
from menura.features.spectra import Matrix, log_mel, mel_power, mfcc, power, power_to_db

SAMPLE_RATE = 44_100
WINDOW, HOP = 2048, 1024
WINDOWS = (4096, 2048, 1024, 512, 256, 128, 64)
"""Windows of the multi-resolution spectrogram, in samples; each hops by half of itself."""
_VERSION = 1
_LICENCE = "GPL-3.0-or-later"


def mel128(folder: Path | None = None, _fetch: bool = True) -> FrameEmbedder:
    """128 mel bands in dB (window 2048, hop 1024, 44.1 kHz).

    Source: Combes et al. 2025, appendix A.1.
    """
    return _baseline("mel128", _mel128, 128, folder)


def mfcc40(folder: Path | None = None, _fetch: bool = True) -> FrameEmbedder:
    """40 cepstral coefficients of 256 mel bands, frames as in `mel128`; the 0th, the level, is among them.

    Source: Combes et al. 2025, appendix A.1.
    """
    return _baseline("mfcc40", _mfcc40, 40, folder)


def mstft(folder: Path | None = None, _fetch: bool = True) -> FrameEmbedder:
    """Power spectra in dB at seven resolutions, see `WINDOWS`.

    Source: Combes et al. 2025, appendix A.1.
    """
    return _baseline("mstft", _mstft, sum(window // 2 + 1 for window in WINDOWS), folder)


def spectra_stats(folder: Path | None = None, _fetch: bool = True) -> FrameEmbedder:
    """Mean, deviation and mean absolute change of every band of the three log-mel spectrograms of MSS.

    Each spectrogram is relative to the sound's own loudest band: gain changes nothing. Change is between
    neighbouring frames, and 0 for a sound of one frame.
    """
    return _baseline("spectra-stats", _spectra_stats, 3 * sum(mels for _, _, mels in MSS_SCALES), folder, False)


def unfolding(folder: Path | None = None, _fetch: bool = True) -> FrameEmbedder:
    """The mel bands of `menura.features.contour`, slot after slot: how a spectrum unfolds from its onset."""
    return _baseline("contour", _contour, (len(SLOTS) - 1) * BANDS, folder, False, version=2)


def semitones(folder: Path | None = None, _fetch: bool = True) -> FrameEmbedder:
    """The bands of `menura.features.semitones`, what `timbre` hears: from the onset on, ignoring gain."""
    return _baseline("semitones", _semitones, bands_of_semitones.BANDS, folder)


def _baseline(
    name: str,
    frames: Callable[[NDArray[np.float32]], Sequence[Matrix]],
    width: int,
    folder: Path | None,
    framewise: bool = True,
    *,
    version: int = _VERSION,
) -> FrameEmbedder:
    if folder is not None:
        raise InputError(f"{name} has no weights; leave ={folder} away")
    return FrameEmbedder(name, frames, width, SAMPLE_RATE, _LICENCE, {"version": version}, framewise=framewise)


def _mel128(signal: NDArray[np.float32]) -> Sequence[Matrix]:
    return [power_to_db(mel_power(signal, SAMPLE_RATE, WINDOW, HOP, 128), reference=1.0)]


def _mfcc40(signal: NDArray[np.float32]) -> Sequence[Matrix]:
    return [mfcc(signal, SAMPLE_RATE, WINDOW, HOP, n_mels=256, n_mfcc=40)]


def _mstft(signal: NDArray[np.float32]) -> Sequence[Matrix]:
    return [power_to_db(power(signal, window, window // 2), reference=1.0) for window in WINDOWS]


def _contour(signal: NDArray[np.float32]) -> Sequence[Matrix]:
    first, _ = sounding_range(signal[None], SAMPLE_RATE)
    return [contour(signal[first:], SAMPLE_RATE).reshape(1, -1)]


def _semitones(signal: NDArray[np.float32]) -> Sequence[Matrix]:
    return [bands_of_semitones.semitone_picture(signal)]


def _spectra_stats(signal: NDArray[np.float32]) -> Sequence[Matrix]:
    found: list[NDArray[np.float32]] = []
    for window, hop, mels in MSS_SCALES:
        bands = log_mel(signal, SAMPLE_RATE, int(window * SAMPLE_RATE), int(hop * SAMPLE_RATE), mels)
        change = np.abs(np.diff(bands, axis=0)).mean(axis=0) if len(bands) > 1 else np.zeros(mels, dtype=np.float32)
        found += [bands.mean(axis=0), bands.std(axis=0), change]
    return [np.concatenate(found)[None, :]]
