"""What can be done to a recording to have more or less of one quantity. Owns the filters; knows no words and no synth.

Each edit takes a sound, its note and an amount from 0 (as it is) to 1 (as far as makes sense), and gives a sound whose
quantity goes one way as the amount grows. `changing` finds the amount.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.ndimage import gaussian_filter1d
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from menura.features.pitch import NoteEstimate
from menura.features.qualities import Sound
from menura.features.spectra import rms_envelope

Signal = NDArray[np.float64]
Edit = Callable[["Given", float], Signal]

_HOP = 220
_TILT_DB = 15.0
"""dB an octave by which the spectrum is tilted at the most."""
_SEED = 0
_STRETCH = 4.0
_VIBRATO_HZ, _TREMOLO_HZ, _SWEEP_HZ = 5.5, 5.0, 1.0


class Given:
    """A recording with what the edits ask of it.

    Args:
        signal: mono, shape (samples,).
        rate: Hz.
        sound: its quantities.
        estimate: what was heard of its note.
    """

    def __init__(self, signal: NDArray[np.float32], rate: int, sound: Sound, estimate: NoteEstimate) -> None:
        self.signal: Signal = signal.astype(np.float64)
        self.rate = rate
        self.sound = sound
        self.estimate = estimate
        self.seconds = signal.size / rate
        self.times: Signal = np.arange(signal.size) / rate
        level = rms_envelope(signal, 6 * _HOP, _HOP).astype(np.float64)
        self._course: Signal = 20.0 * np.log10(np.maximum(level / max(float(level.max()), 1e-12), 1e-3))

    @cached_property
    def level_db(self) -> Signal:
        """Level, dB below the loudest moment, at most 60, shape (samples,)."""
        return self._spread(self._course)

    @cached_property
    def trend_db(self) -> Signal:
        """The same without its movements, shape (samples,)."""
        return self._spread(gaussian_filter1d(self._course, 0.25 * self.rate / _HOP))

    def _spread(self, course: Signal) -> Signal:
        return np.interp(self.times, np.arange(course.size) * _HOP / self.rate, course)

    def shaped(self, db: Signal) -> Signal:
        """The signal with a gain in dB, shape (samples,)."""
        return self.signal * 10.0 ** (db / 20.0)

    def spectra(self, size: int = 2048) -> ShortTimeFFT:
        """A transform of `size` samples with an inverse."""
        return ShortTimeFFT(hann(size, sym=False), size // 8, self.rate)


def _tilted(given: Given, amount: float) -> Signal:
    """The spectrum tilted around its centre, as loud as before; what lies below the note is no part of its colour."""
    size = 2 * given.signal.size
    spectrum, hertz = np.fft.rfft(given.signal, size), np.fft.rfftfreq(size, 1.0 / given.rate)
    lowest = max(60.0, 0.9 * given.estimate.fundamental_hz if given.estimate.pitched else 0.0)
    octaves = np.log2(np.clip(hertz, lowest, 14_000.0) / max(given.sound.brightness, lowest))
    made = np.fft.irfft(spectrum * 10.0 ** (_TILT_DB * amount * octaves / 20.0))[: given.signal.size]
    return made * (_rms(given.signal) / max(_rms(made), 1e-12))


def _brighter(given: Given, amount: float) -> Signal:
    return _tilted(given, amount)


def _darker(given: Given, amount: float) -> Signal:
    return _tilted(given, -amount)


def _slower_attack(given: Given, amount: float) -> Signal:
    end = max(1e-3, amount * min(1.5, 0.9 * given.seconds))
    return given.signal * np.sin(0.5 * np.pi * np.clip(given.times / end, 0.0, 1.0)) ** 2


def _quicker_attack(given: Given, amount: float) -> Signal:
    first = round(amount * given.sound.attack * given.rate)
    kept = given.signal[first:].copy()
    rise = min(kept.size, round(0.003 * given.rate))
    kept[:rise] *= np.linspace(0.0, 1.0, rise)
    return kept


def _fading(given: Given, amount: float) -> Signal:
    since = np.maximum(given.times - given.sound.attack, 0.0)
    fall = 60.0 * amount / (1.02 - amount)
    return given.shaped(np.maximum(-fall * since / max(0.2, given.estimate.hold), -90.0))


def _held(given: Given, amount: float) -> Signal:
    up = min(given.signal.size - 1, round(given.estimate.hold * given.rate))
    peak = int(np.argmax(given.level_db))
    lift = -amount * np.minimum.accumulate(given.level_db)
    lift[:peak] = lift[peak]
    lift[up:] = lift[max(0, up - 1)]
    return given.shaped(np.clip(lift, 0.0, 45.0))


def _shorter(given: Given, amount: float) -> Signal:
    since = np.maximum(given.times - given.sound.attack, 0.0)
    last = given.sound.length - given.sound.attack
    until = max(0.03, last * (1.0 - amount))
    # A quick decay to 40 dB below, and no tail behind it.
    return given.shaped(np.maximum(-40.0 * (since / until) ** 1.5, -120.0)) if amount > 0.0 else given.signal.copy()


def _longer(given: Given, amount: float) -> Signal:
    """What follows the attack takes up to four times as long, at the same pitch: a phase vocoder."""
    head = min(given.signal.size - 1, round((given.sound.attack + 0.03) * given.rate))
    tail, fade = given.signal[max(0, head - 1024) :], min(head, 1024)
    stretched = _stretched(given, tail, 1.0 + (_STRETCH - 1.0) * amount)
    mix = np.linspace(0.0, 1.0, fade)
    begun = given.signal[:head].copy()
    begun[head - fade :] = begun[head - fade :] * (1.0 - mix) + stretched[:fade] * mix
    return np.concatenate([begun, stretched[fade:]])


def _stretched(given: Given, signal: Signal, factor: float) -> Signal:
    transform = given.spectra()
    spectra = transform.stft(np.pad(signal, (0, 2048)))
    places = np.arange(0.0, spectra.shape[1] - 1.001, 1.0 / factor)
    before = places.astype(int)
    share = places - before
    size = (1.0 - share) * np.abs(spectra[:, before]) + share * np.abs(spectra[:, before + 1])
    turn = np.angle(spectra[:, before + 1] * np.conj(spectra[:, before]))
    phase = np.angle(spectra[:, :1]) + np.concatenate(
        [np.zeros((len(turn), 1)), np.cumsum(turn[:, :-1], axis=1)], axis=1
    )
    made = transform.istft(size * np.exp(1j * phase))
    return np.asarray(made[: round(signal.size * factor)], dtype=np.float64)


def _noisier(given: Given, amount: float) -> Signal:
    """Noise of the sound's own colour and course beside it, up to twice as loud."""
    transform = given.spectra()
    spectra = transform.stft(given.signal)
    size = gaussian_filter1d(np.abs(spectra), 12.0, axis=0)
    turns = np.random.default_rng(_SEED).uniform(0.0, 2.0 * np.pi, size.shape)
    noise = np.asarray(transform.istft(size * np.exp(1j * turns), k1=given.signal.size), dtype=np.float64)
    return given.signal + amount * 2.0 * noise * _rms(given.signal) / max(_rms(noise), 1e-12)


def _cleaner(given: Given, amount: float) -> Signal:
    """What lies between the partials of the tracked pitch goes, up to 40 dB."""
    if not given.estimate.pitched or not given.estimate.track_hz.size:
        return given.signal.copy()
    transform = given.spectra(4096)
    spectra = transform.stft(given.signal)
    moments = transform.t(given.signal.size)
    base = np.interp(moments, given.estimate.track_times, given.estimate.track_hz)
    partial = transform.f[:, None] / base
    away = np.abs(partial - np.maximum(np.round(partial), 1.0)) * base / (2.0 * given.rate / 4096)
    cut = 10.0 ** (-40.0 * amount * np.clip(away - 0.5, 0.0, 1.0) / 20.0)
    return np.asarray(transform.istft(spectra * cut, k1=given.signal.size), dtype=np.float64)


def _vibrato(given: Given, amount: float) -> Signal:
    fade = np.clip(given.times / 0.25, 0.0, 1.0)
    return _warped(given, fade * amount * np.sin(2.0 * np.pi * _VIBRATO_HZ * given.times))


def _steadier(given: Given, amount: float) -> Signal:
    if not given.estimate.pitched or not given.estimate.track_hz.size:
        return given.signal.copy()
    hertz = np.interp(given.times, given.estimate.track_times, given.estimate.track_hz)
    return _warped(given, -12.0 * amount * np.log2(hertz / float(np.median(hertz))))


def _warped(given: Given, semitones: Signal) -> Signal:
    """The sound at a speed that changes."""
    ratio = 2.0 ** (semitones / 12.0)
    place = np.concatenate([[0.0], np.cumsum(ratio)[:-1]])
    place = place[place < given.signal.size - 1]
    return np.asarray(make_interp_spline(np.arange(given.signal.size), given.signal, k=3)(place), dtype=np.float64)


def _pulsing(given: Given, amount: float) -> Signal:
    return given.shaped(-24.0 * amount * (0.5 - 0.5 * np.cos(2.0 * np.pi * _TREMOLO_HZ * given.times)))


def _evener(given: Given, amount: float) -> Signal:
    return given.shaped(np.clip(amount * (given.trend_db - given.level_db), -20.0, 20.0))


def _moving(given: Given, amount: float) -> Signal:
    swing = 0.5 - 0.5 * np.cos(2.0 * np.pi * _SWEEP_HZ * given.times)
    bright, dark = _tilted(given, 0.5 * amount), _tilted(given, -0.5 * amount)
    return swing * bright + (1.0 - swing) * dark


def _louder(given: Given, amount: float) -> Signal:
    return given.shaped(np.full(given.signal.size, 24.0 * amount))


def _quieter(given: Given, amount: float) -> Signal:
    return given.shaped(np.full(given.signal.size, -24.0 * amount))


def _rms(signal: Signal) -> float:
    return float(np.sqrt(np.mean(np.square(signal))))


EDITS: Mapping[tuple[str, int], Edit] = {
    ("brightness", 1): _brighter,
    ("brightness", -1): _darker,
    ("attack", 1): _slower_attack,
    ("attack", -1): _quicker_attack,
    ("held", 1): _held,
    ("held", -1): _fading,
    ("length", 1): _longer,
    ("length", -1): _shorter,
    ("tone", 1): _cleaner,
    ("tone", -1): _noisier,
    ("pitch_swing", 1): _vibrato,
    ("pitch_swing", -1): _steadier,
    ("level_swing", 1): _pulsing,
    ("level_swing", -1): _evener,
    ("colour_swing", 1): _moving,
    ("level", 1): _louder,
    ("level", -1): _quieter,
}
"""By quantity and way; what is not here cannot be done to one channel of a recording."""
