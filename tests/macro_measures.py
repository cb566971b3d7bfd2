"""What a macro says, as one number of a sound: for each macro a measure that rises where it is turned up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.features.pitch import follow_pitch
from menura.features.spectra import power, rms_envelope
from menura.features.trackers import hertz, midi
from menura.note import Note

RATE = 44_100
Signal = NDArray[np.float32]


def _spectrum(mono: Signal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spectrum = power(mono, 4096, 1024).mean(axis=0).astype(np.float64)
    return np.fft.rfftfreq(4096, 1 / RATE).astype(np.float64), spectrum


def _share_db(mono: Signal, low: float, high: float) -> float:
    hz, spectrum = _spectrum(mono)
    inside = (hz >= low) & (hz < high)
    return float(10 * np.log10((spectrum[inside].sum() + 1e-12) / (spectrum[~inside].sum() + 1e-12)))


def brightness(audio: Audio, note: Note) -> float:
    """Energy above 2 kHz against that below, dB."""
    return _share_db(audio.mono, 2_000.0, 22_050.0)


def warmth(audio: Audio, note: Note) -> float:
    """Energy below 300 Hz (and the fundamental, where it is higher, a little) against the rest, dB."""
    return _share_db(audio.mono, 0.0, 300.0)


def presence(audio: Audio, note: Note) -> float:
    """Energy around 1.7 kHz against the rest, dB."""
    return _share_db(audio.mono, 1_100.0, 2_600.0)


def body(audio: Audio, note: Note) -> float:
    """Formants that lie lower: the mean place of the partials in octaves, negative."""
    hz, spectrum = _spectrum(audio.mono)
    inside = (hz > 60.0) & (hz < 8_000.0)
    return -float(np.average(np.log2(hz[inside]), weights=spectrum[inside]))


def attack(audio: Audio, note: Note) -> float:
    """Mean time of the energy of the first second, s: later where the attack is softer."""
    envelope = rms_envelope(audio.mono, 441, 220)[: RATE // 220].astype(float) ** 2
    return float(np.average(np.arange(envelope.size) * 220 / RATE, weights=envelope + 1e-15))


def decay(audio: Audio, note: Note) -> float:
    """Level late under the key against its highest, dB."""
    envelope = rms_envelope(audio.mono, 1764, 441).astype(float)
    late = int(0.8 * note.hold * RATE / 441)
    return float(20 * np.log10((envelope[late] + 1e-9) / envelope.max()))


def release(audio: Audio, note: Note) -> float:
    """Energy after the key is up against that before it, dB."""
    up = round(note.hold * RATE)
    after, before = audio.mono[up:], audio.mono[:up]
    return float(10 * np.log10((np.sum(after**2) + 1e-12) / (np.sum(before**2) + 1e-12)))


def vibrato(audio: Audio, note: Note) -> float:
    """Spread of the pitch while the key is down, semitones."""
    track = follow_pitch(np.ascontiguousarray(audio.mono), RATE, hertz(note.pitch))
    held = (track.times > 0.25) & (track.times < note.hold) & (track.hz > 0)
    return float(np.std(midi(track.hz[held]))) if held.any() else 0.0


def width(audio: Audio, note: Note) -> float:
    """Side against middle, dB."""
    left, right = audio.samples[0].astype(float), audio.samples[-1].astype(float)
    return float(10 * np.log10((np.sum((left - right) ** 2) + 1e-9) / np.sum((left + right) ** 2)))


def thickness(audio: Audio, note: Note) -> float:
    """How much of the sound lies beside its partials' own bins: detuned voices spread each of them, dB."""
    spectrum = np.abs(np.fft.rfft(audio.mono * np.hanning(audio.mono.size))) ** 2
    hz = np.fft.rfftfreq(audio.mono.size, 1 / RATE)
    partials = np.arange(3, 12) * note.frequency_hz
    near = np.abs(hz[:, None] - partials[None]).min(axis=1)
    ratio = spectrum[(near > 2.5) & (near < 30)].sum() / spectrum[near <= 2.5].sum()
    return float(10 * np.log10(ratio + 1e-12))


def noisiness(audio: Audio, note: Note) -> float:
    """Energy between the partials against that on them, dB."""
    spectrum = power(audio.mono, 8192, 2048)[2:].mean(axis=0).astype(float)
    hz = np.fft.rfftfreq(8192, 1 / RATE)
    inside = (hz > note.frequency_hz * 0.7) & (hz < 12_000.0)
    away = np.abs(hz / note.frequency_hz - np.round(hz / note.frequency_hz)) > 0.3
    return float(10 * np.log10((spectrum[inside & away].sum() + 1e-12) / spectrum[inside & ~away].sum()))


def room(audio: Audio, note: Note) -> float:
    """Energy in the last tenth of the sound against the whole, dB."""
    tail = audio.mono[-audio.mono.size // 10 :].astype(float)
    return float(10 * np.log10((np.mean(tail**2) + 1e-12) / (np.mean(audio.mono.astype(float) ** 2) + 1e-12)))


def crest(audio: Audio, note: Note) -> float:
    """Peak against effective level, dB: drive makes it less."""
    mono = audio.mono[: round(note.hold * RATE)].astype(float)
    return float(20 * np.log10(np.abs(mono).max() / np.sqrt(np.mean(mono**2))))


MEASURES: dict[str, Callable[[Audio, Note], float]] = {
    "brighter": brightness,
    "warmer": warmth,
    "closer": presence,
    "bigger": body,
    "softer_attack": attack,
    "longer_decay": decay,
    "longer_release": release,
    "more_vibrato": vibrato,
    "wider": width,
    "thicker": thickness,
    "breathier": noisiness,
    "roomier": room,
}
"""Of `cleaner` there are two: `noisiness` falls where it is turned up, `crest` where it is turned down."""


def measured(name: str, audio: Audio, note: Note) -> float:
    """The number that a macro moves."""
    return MEASURES[name](audio, note)
