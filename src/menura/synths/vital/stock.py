"""Menura's own wavetables for Vital, made from formulas at load time; nothing here comes from a recording.

Owns the tables, their names and their spectra. A table is a list of single-cycle frames spread evenly over
Vital's 257 positions; each frame is given by the amplitudes and phases of its harmonics, so that it has no
direct current and no content above harmonic `HARMONICS`. Must not know what they are used for.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

FRAME = 2048
"""Samples of a frame, fixed by Vital."""
HARMONICS = 512
"""Harmonics of a frame: those of C1 up to 16 kHz."""
POSITIONS = 257
"""Positions of a table, fixed by Vital: `osc_N_wave_frame` runs from 0 to 256."""

Amplitudes = NDArray[np.float64]

_K: Amplitudes = np.arange(1, HARMONICS + 1, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Wavetable:
    """A stock table."""

    name: str
    family: str
    """Kind of sound, e.g. ``"analogue"``; see `families`."""
    frames: NDArray[np.float32]
    """Shape (keyframes, FRAME), each of peak 1."""

    @property
    def spectra(self) -> Amplitudes:
        """Amplitudes of the harmonics, shape (keyframes, HARMONICS), of frames of peak 1."""
        return np.abs(np.fft.rfft(self.frames, axis=1))[:, 1 : HARMONICS + 1] * (2.0 / FRAME)

    def spectrum_at(self, position: float) -> Amplitudes:
        """Amplitudes of the harmonics at a position from 0 to 256, shape (HARMONICS,).

        Close to what the engine plays: it too interpolates between the spectra of two keyframes.
        """
        spectra = self.spectra
        place = np.clip(position / (POSITIONS - 1), 0.0, 1.0) * (len(spectra) - 1)
        low = min(int(place), len(spectra) - 2)
        share = place - low
        return (1.0 - share) * spectra[low] + share * spectra[low + 1]

    def block(self) -> dict[str, Any]:
        """The table as a Vital preset stores it."""
        last = len(self.frames) - 1
        keyframes = [
            {
                "position": round(index * (POSITIONS - 1) / last),
                "wave_data": base64.b64encode(frame.astype("<f4").tobytes()).decode(),
            }
            for index, frame in enumerate(self.frames)
        ]
        component = {"type": "Wave Source", "interpolation": 1, "interpolation_style": 1, "keyframes": keyframes}
        return {
            "author": "menura",
            "name": self.name,
            "version": "1.5.5",
            "full_normalize": False,
            "remove_all_dc": True,
            "groups": [{"components": [component]}],
        }


def table_names() -> list[str]:
    """Names of all stock tables, in a fixed order."""
    return list(_RECIPES)


def families() -> dict[str, list[str]]:
    """Families of tables with the names in each."""
    found: dict[str, list[str]] = {}
    for name, (family, _) in _RECIPES.items():
        found.setdefault(family, []).append(name)
    return found


@cache
def stock_table(name: str) -> Wavetable:
    """A stock table by its name; KeyError where there is none."""
    family, recipe = _RECIPES[name]
    frames = np.stack([_frame(*spectrum) for spectrum in recipe()])
    frames.flags.writeable = False
    return Wavetable(name, family, frames)


# ---------------------------------------------------------------------- from spectra to frames

Spectrum = tuple[Amplitudes, Amplitudes]
"""Amplitudes and phases (sine phase, radians) of the harmonics."""


def _frame(amplitudes: Amplitudes, phases: Amplitudes) -> NDArray[np.float32]:
    bins = np.zeros(FRAME // 2 + 1, dtype=np.complex128)
    bins[1 : HARMONICS + 1] = amplitudes * np.exp(1j * (phases - np.pi / 2))
    wave = np.fft.irfft(bins)
    return (wave / np.abs(wave).max()).astype(np.float32)


def _sines(amplitudes: Amplitudes) -> Spectrum:
    """Sine phases, in which a sawtooth has its usual look; negative amplitudes are turned by half a cycle.

    All tables but the noises have them, so that what two oscillators play at one pitch adds up harmonic by harmonic
    and never cancels.
    """
    return amplitudes, np.zeros(HARMONICS)


def _wave(wave: Amplitudes) -> Spectrum:
    """The spectrum of a drawn cycle of any length that is a multiple of FRAME, in sine phases."""
    return _sines(np.abs(np.fft.rfft(wave)[1 : HARMONICS + 1]) / wave.size)


_SAW = 1.0 / _K
_ODD = (_K % 2 == 1).astype(np.float64)
_SQUARE = _ODD / _K
_TRIANGLE = _ODD * np.where(_K % 4 == 1, 1.0, -1.0) / _K**2
_SINE = (_K == 1).astype(np.float64)


def _bump(centre: float, octaves: float) -> Amplitudes:
    """A bell over log frequency."""
    return np.exp(-0.5 * (np.log2(_K / centre) / octaves) ** 2)


def _low_pass(cutoff: float, slope_db: float) -> Amplitudes:
    return 1.0 / np.sqrt(1.0 + (_K / cutoff) ** (slope_db / 3.01))


# ---------------------------------------------------------------------- the tables


def _analogue() -> list[Spectrum]:
    shapes = [_SINE, _TRIANGLE, 0.5 * (_TRIANGLE + _SAW), _SAW, 0.5 * (_SAW + _SQUARE), _SQUARE]
    return [_sines(shape) for shape in shapes]


def _tilt(odd: bool) -> list[Spectrum]:
    comb = _ODD if odd else np.ones(HARMONICS)
    return [_sines(comb * _K**-power) for power in (5.0, 3.5, 2.5, 1.8, 1.3, 0.9, 0.5, 0.1)]


def _pulse() -> list[Spectrum]:
    return [
        (np.sin(np.pi * _K * width) / _K, np.full(HARMONICS, np.pi / 2))
        for width in (0.5, 0.4, 0.3, 0.2, 0.12, 0.06, 0.03)
    ]


def _sync(shape: str) -> list[Spectrum]:
    phase = np.arange(4 * FRAME) / (4 * FRAME)
    spectra: list[Spectrum] = []
    for ratio in (1.0, 1.35, 1.8, 2.4, 3.2, 4.3, 5.7, 7.5):
        inner = (phase * ratio) % 1.0
        spectra.append(_wave(1.0 - 2.0 * inner if shape == "saw" else np.sin(2.0 * np.pi * inner)))
    return spectra


def _sweep(kind: str) -> list[Spectrum]:
    if kind == "low":
        return [_sines(_SAW * _low_pass(cutoff, 24.0)) for cutoff in (1.0, 2.0, 3.5, 6.0, 11.0, 20.0, 40.0, 120.0)]
    if kind == "high":
        return [_sines(_SAW * (1.0 - 0.97 * _low_pass(cut, 24.0))) for cut in (0.5, 1.5, 3.0, 5.0, 9.0, 16.0, 30.0)]
    if kind == "band":
        return [_sines(_bump(c, 0.35) + 0.004 * _SAW) for c in (1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0)]
    if kind == "resonant":
        cuts = (1.5, 2.5, 4.0, 6.5, 10.0, 16.0, 26.0, 42.0)
        return [_sines(_SAW * _low_pass(c, 24.0) + 0.6 * _bump(c, 0.12) / c**0.5) for c in cuts]
    # steep: each step adds harmonics and leaves a wall above.
    return [_sines(np.where(_K <= count, _K**-0.5, 1e-4 / _K)) for count in (1, 2, 3, 4, 6, 9, 14, 24, 48)]


def _odd_even() -> list[Spectrum]:
    return [_sines(_K**-1.2 * np.where(_K % 2 == 1, 1.0, even)) for even in (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)]


def _fundamental() -> list[Spectrum]:
    """A strong fundamental over a falling skirt: flutes, voices, muted strings."""
    return [_sines(_SINE + share * (1.0 - _SINE) * _K**-1.5) for share in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)]


def _second() -> list[Spectrum]:
    """A weak fundamental: reeds, brass near the bell, small loudspeakers."""
    return [
        _sines(np.where(_K == 1, 0.3, 1.0) * _bump(peak, 0.9) + 0.002 * _SAW) for peak in (1.5, 2.0, 3.0, 4.0, 6.0, 9.0)
    ]


# Formants of five sung vowels in Hz (a textbook's averages) over a voice of 130 Hz, as harmonic numbers.
_VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))


def _vowels(fundamental: float, width: float) -> list[Spectrum]:
    spectra: list[Spectrum] = []
    for formants in (*_VOWELS, _VOWELS[0]):
        weight = sum(gain * _bump(hz / fundamental, width) for hz, gain in zip(formants, (1.0, 0.5, 0.25), strict=True))
        spectra.append(_sines((weight + 0.01) * _K**-0.6))
    return spectra


def _formant_sweep() -> list[Spectrum]:
    return [
        _sines(_SAW * 0.05 + _bump(c, 0.18) + 0.4 * _bump(c * 2.6, 0.14)) for c in (1.5, 2.5, 4.0, 6.0, 9.0, 14.0, 22.0)
    ]


def _fm(ratio: int, feedback: float = 0.0) -> list[Spectrum]:
    phase = 2.0 * np.pi * np.arange(4 * FRAME) / (4 * FRAME)
    spectra: list[Spectrum] = []
    for index in (0.0, 0.3, 0.7, 1.2, 2.0, 3.2, 5.0, 8.0):
        modulator = np.sin(ratio * phase + feedback * index * np.sin(ratio * phase))
        spectra.append(_wave(np.sin(phase + index * modulator)))
    return spectra


# Drawbars 16' 5 1/3' 8' 4' 2 2/3' 2' 1 3/5' 1 1/3' 1' sound the harmonics 1 3 2 4 6 8 10 12 16 of the lowest.
_BARS = (1, 3, 2, 4, 6, 8, 10, 12, 16)
_REGISTRATIONS = (
    "008000000",
    "008800000",
    "808000000",
    "888000000",
    "868040000",
    "888800000",
    "808808008",
    "888888888",
)


def _organ() -> list[Spectrum]:
    spectra: list[Spectrum] = []
    for registration in _REGISTRATIONS:
        amplitudes = np.zeros(HARMONICS)
        for harmonic, bar in zip(_BARS, registration, strict=True):
            amplitudes[harmonic - 1] = 0.0 if bar == "0" else 10.0 ** ((int(bar) - 8) * 3.0 / 20.0)
        spectra.append(_sines(amplitudes))
    return spectra


def _pipes() -> list[Spectrum]:
    ranks = ((1,), (1, 3), (1, 2), (1, 2, 4), (1, 3, 5, 7), (1, 2, 3, 4, 6, 8), (1, 2, 3, 4, 5, 6, 8, 10, 12, 16))
    return [_sines(sum(_bump(float(k), 0.02) * k**-0.7 for k in rank) + 1e-3 * _K**-2.0) for rank in ranks]  # pyright: ignore[reportArgumentType]


def _bell(partials: tuple[float, ...]) -> list[Spectrum]:
    """Partials of a struck body on a fundamental that lies low under them; play it octaves down."""
    spectra: list[Spectrum] = []
    for decay in (3.0, 1.5, 0.8, 0.4, 0.0, -0.4):
        amplitudes = np.zeros(HARMONICS)
        for partial in partials:
            amplitudes[round(partial * 8) - 1] += partial**-decay
        spectra.append(_sines(amplitudes))
    return spectra


_CHURCH = (0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.66, 3.0, 4.0, 5.33, 6.66)
_BAR = (1.0, 2.756, 5.404, 8.933, 13.34, 18.64)
_MARIMBA = (1.0, 4.0, 9.2, 16.2, 24.2)
_MEMBRANE = (1.0, 1.59, 2.14, 2.30, 2.65, 2.92, 3.16, 3.50, 3.60, 3.65, 4.06, 4.15)


def _plucked(damping: float) -> list[Spectrum]:
    """The comb of a string plucked at a share of its length, falling with frequency."""
    return [
        _sines(np.abs(np.sin(np.pi * _K * place)) * _K**-damping + 1e-5)
        for place in (0.5, 0.38, 0.29, 0.22, 0.16, 0.11, 0.07, 0.04)
    ]


def _struck() -> list[Spectrum]:
    """A hammered string: a hammer that grows softer."""
    return [
        _sines((np.abs(np.sin(np.pi * _K / 7.8)) + 0.1) * _K**-0.8 * np.exp(-_K / corner))
        for corner in (60.0, 25.0, 12.0, 7.0, 4.0, 2.2, 1.2)
    ]


def _noise(kind: str) -> list[Spectrum]:
    """Random harmonics; octaves down they are as dense as noise."""
    spectra: list[Spectrum] = []
    for index in range(6):
        rng = np.random.default_rng([7, index])
        phases = rng.uniform(0.0, 2.0 * np.pi, HARMONICS)
        drawn = rng.rayleigh(1.0, HARMONICS)
        if kind == "colour":
            amplitudes = drawn * _K ** (-1.5 + 0.4 * index)
        elif kind == "band":
            amplitudes = drawn * _bump(4.0 * 2.0 ** (0.9 * index), 0.5)
        else:
            amplitudes = drawn * (rng.random(HARMONICS) < 0.5**index) * _K**-0.5 + 1e-6
        spectra.append((amplitudes, phases))
    return spectra


def _digital(kind: str) -> list[Spectrum]:
    phase = np.arange(4 * FRAME) / (4 * FRAME)
    sine = np.sin(2.0 * np.pi * phase)
    if kind == "fold":
        return [_wave(np.sin(0.5 * np.pi * drive * sine)) for drive in (0.6, 1.0, 1.7, 2.6, 3.8, 5.4)]
    if kind == "crush":
        return [_wave(np.round(sine * steps) / steps) for steps in (64.0, 12.0, 6.0, 4.0, 2.5, 1.5)]
    if kind == "clip":
        return [_wave(np.tanh(drive * sine + 0.3 * drive)) for drive in (0.2, 0.8, 1.8, 3.5, 7.0, 20.0)]
    # steps: a staircase whose corners multiply.
    return [_wave(np.floor(phase * steps) / steps - 0.5 + 0.2 * sine) for steps in (2, 3, 5, 8, 13, 24)]


def _brass() -> list[Spectrum]:
    """Louder is brighter: a formant under a slope that opens."""
    return [
        _sines((0.15 + _bump(4.0, 0.9)) * np.exp(-_K / corner) * _K**-0.2)
        for corner in (1.2, 2.5, 5.0, 9.0, 16.0, 30.0)
    ]


def _bowed() -> list[Spectrum]:
    """A sawtooth through a wooden body: fixed bumps that move over the harmonics from frame to frame."""
    body = ((2.0, 0.2), (3.3, 0.15), (7.0, 0.3), (15.0, 0.3))
    spectra: list[Spectrum] = []
    for shift in (0.6, 0.85, 1.2, 1.7, 2.4, 3.4):
        weight = 0.15 + sum((_bump(centre * shift, width) for centre, width in body), np.zeros(HARMONICS))
        spectra.append(_sines(_SAW * weight))
    return spectra


def _reed() -> list[Spectrum]:
    """Odd harmonics low, all of them higher up: cylindrical reeds, from soft to loud."""
    comb = np.where(_K % 2 == 1, 1.0, 0.03 + 0.97 * (1.0 - _low_pass(7.0, 12.0)))
    return [_sines(comb * np.exp(-_K / corner) * _K**-0.4) for corner in (1.0, 2.0, 4.0, 8.0, 14.0, 24.0)]


_RECIPES: dict[str, tuple[str, Callable[[], list[Spectrum]]]] = {
    "Analogue Shapes": ("analogue", _analogue),
    "Tilt All": ("analogue", lambda: _tilt(odd=False)),
    "Tilt Odd": ("analogue", lambda: _tilt(odd=True)),
    "Pulse Width": ("analogue", _pulse),
    "Sync Saw": ("sync", lambda: _sync("saw")),
    "Sync Sine": ("sync", lambda: _sync("sine")),
    "Sweep Low": ("sweep", lambda: _sweep("low")),
    "Sweep High": ("sweep", lambda: _sweep("high")),
    "Sweep Band": ("sweep", lambda: _sweep("band")),
    "Sweep Resonant": ("sweep", lambda: _sweep("resonant")),
    "Sweep Steep": ("sweep", lambda: _sweep("steep")),
    "Odd Even": ("harmonic", _odd_even),
    "Fundamental": ("harmonic", _fundamental),
    "Weak First": ("harmonic", _second),
    "Formant Sweep": ("formant", _formant_sweep),
    "Vowels Low": ("vocal", lambda: _vowels(130.0, 0.16)),
    "Vowels High": ("vocal", lambda: _vowels(260.0, 0.22)),
    "FM 1": ("fm", lambda: _fm(1)),
    "FM 2": ("fm", lambda: _fm(2)),
    "FM 3": ("fm", lambda: _fm(3)),
    "FM 7": ("fm", lambda: _fm(7)),
    "FM Feedback": ("fm", lambda: _fm(1, feedback=0.6)),
    "Drawbars": ("organ", _organ),
    "Pipes": ("organ", _pipes),
    "Church Bell": ("bell", lambda: _bell(_CHURCH)),
    "Metal Bar": ("bell", lambda: _bell(_BAR)),
    "Wood Bar": ("bell", lambda: _bell(_MARIMBA)),
    "Membrane": ("bell", lambda: _bell(_MEMBRANE)),
    "Plucked Bright": ("string", lambda: _plucked(1.0)),
    "Plucked Dark": ("string", lambda: _plucked(2.0)),
    "Struck": ("string", _struck),
    "Bowed": ("string", _bowed),
    "Brass": ("wind", _brass),
    "Reed": ("wind", _reed),
    "Noise Colour": ("noise", lambda: _noise("colour")),
    "Noise Band": ("noise", lambda: _noise("band")),
    "Noise Sparse": ("noise", lambda: _noise("sparse")),
    "Wave Fold": ("digital", lambda: _digital("fold")),
    "Bit Steps": ("digital", lambda: _digital("crush")),
    "Soft Clip": ("digital", lambda: _digital("clip")),
    "Staircase": ("digital", lambda: _digital("steps")),
}
