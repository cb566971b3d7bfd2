"""An analysis written as a native Vital patch: wavetable, drawn contours, shaped noise. Needs no engine.

Three things about the engine shape what is written (docs/decisions/050-resynthesis.md):

- Levels are squares of their controls, so contours are drawn as square roots.
- A control that differs from the engine's default glides there during the first note after loading.
  Whatever must be right from the first sample therefore stays at its default and is moved by a contour
  (the oscillator's level, its tuning) or is one that jumps (transpose, volume).
- An LFO in the mode Sustain Envelope stops at its phase while the key is held, so that one drawn
  shape is attack, sustain and release.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from menura.note import Note
from menura.preset import Preset, Route
from menura.resynthesis.analysis import Analysis
from menura.resynthesis.contours import keyframe_indices, polyline_knots
from menura.resynthesis.gesture import Gesture
from menura.resynthesis.noise import folded, shaped_noise
from menura.synths.vital import init as vital_init

FRAME = vital_init.FRAME
MOST_POINTS = 100
_REST_LEVEL = 0.7071067690849304
"""Default of the levels of oscillators and sampler: a contour pulls down from here."""
_FULL = 0.2503
"""Amplitude, mean of both channels, of a wave of peak 1 at the default levels."""
_LOUDEST = 86.0
"""Square root of the highest master volume: 6 dB."""
_VISIBLE_DB = 75.0
"""A partial this far below the loudest moment does not ask for keyframes."""
_ONSET = 0.1
"""Seconds within which a sound has begun."""
_ENVELOPE, _SUSTAIN = 2.0, 3.0
_EFFECTS = 3.0
_FRAME_LFO, _LEVEL_LFO, _TUNE_LFO, _NOISE_LFO, _VIBRATO_LFO, _LIFT_LFO = 1, 2, 3, 4, 5, 6
_VIBRATO_HZ, _VIBRATO_DEPTH = 5.5, 0.15
"""Depth as a share of the two semitones that the tuning spans."""


_VALUES: dict[str, float] = {
    "env_1_attack": 0.0,
    "env_1_sustain": 1.0,
    "env_1_release_power": 0.0,
    "velocity_track": 1.0,
    "osc_1_on": 0.0,
    "osc_1_random_phase": 0.0,
    "osc_1_stereo_spread": 0.0,
    "osc_1_smooth_interpolation": 1.0,
    "osc_1_destination": _EFFECTS,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What of an analysis is written, and how finely."""

    keyframes: int = 24
    """Most spectra in the wavetable; each takes 11 kB of the preset."""
    noise_seconds: float = 0.65
    """Longest noise in the sampler; it is played to and fro beyond."""
    noise_rate: int = 44_100
    """Samples a second of that noise."""
    tonal: bool = True
    noise: bool = True
    seed: int = 0
    """Draws the phases of the partials and the noise."""


def write_vital_patch(analysis: Analysis, gesture: Gesture, note: Note, plan: Plan, *, name: str = "") -> Preset:
    """A Vital preset that plays an analysed sound.

    Args:
        analysis: What the sound is made of.
        gesture: How it is held and let go.
        note: The key that the analysed sound is to be heard on.
        plan: How much is written.
        name: Name of the preset.
    """
    rng = np.random.default_rng(plan.seed)
    let_go = gesture.unreleased(analysis.times)
    table = _tabled(analysis, plan, rng)
    tone = analysis.tonal_level * let_go * np.sqrt(2.0) / table.peak
    noise, crest = _noise(analysis, plan, rng) if plan.noise else (np.zeros(0), 0.0)
    breath = analysis.noise_level * let_go * crest
    top = max(float(tone.max()) if plan.tonal else 0.0, float(breath.max()), 1e-9)

    patch = _Patch(gesture)
    patch.values["env_1_release"] = gesture.key_release**0.25
    patch.values["volume"], reach = _loudness(top, note.velocity)
    if plan.tonal:
        patch.values["osc_1_on"] = 1.0
        patch.settings["wavetables"][0] = vital_init.wavetable(table.frames, table.positions, name=name or "partials")
        places = np.asarray(table.positions) / vital_init.POSITIONS
        patch.follow(_FRAME_LFO, analysis.times[table.rows], places, "osc_1_wave_frame", "spectrum")
        patch.level(_LEVEL_LFO, analysis.times, tone / top, "osc_1_level", "level", reach)
        patch.tune(_TUNE_LFO, analysis.times, analysis.partials.f0_hz, note.pitch)
        patch.vibrato(_VIBRATO_LFO)
    if plan.noise:
        patch.settings["sample"] = vital_init.sample(noise, plan.noise_rate, name="shaped noise")
        patch.values.update(sample_on=1.0, sample_loop=1.0, sample_bounce=1.0, sample_destination=_EFFECTS)
        if not analysis.pitched:
            # Without a pitch the noise is the sound, and keys move it as they move the partials.
            patch.values.update(sample_keytrack=1.0, sample_transpose=float(np.clip(round(60.0 - note.pitch), -48, 48)))
        patch.level(_NOISE_LFO, analysis.times, breath / top, "sample_level", "noise", reach)
        patch.macro(1, "NOISE", "sample_level", 0.5)
    return patch.preset(name)


class _Patch:
    """A patch in the making: the initial one, bare, with contours on one time axis."""

    def __init__(self, gesture: Gesture) -> None:
        self._gesture = gesture
        self._routes: list[Route] = []
        self._macros: dict[str, str] = {}
        self.values: dict[str, float] = dict(_VALUES)
        start = vital_init.initial().blocks["settings"]
        self.settings: dict[str, Any] = {
            "lfos": list(start["lfos"]),
            "wavetables": [_empty_table()] * 3,
            "sample": vital_init.sample(np.zeros(64), 44_100, name="none"),
        }

    def follow(
        self,
        lfo: int,
        times: NDArray[np.float64],
        values: NDArray[np.float64],
        destination: str,
        name: str,
        *,
        bipolar: bool = False,
    ) -> None:
        """A destination that follows a curve from 0 to 1 over its whole range."""
        at, course = self._gesture.drawn(times, values, kind="place")
        self._draw(lfo, at, course, name)
        self._route(lfo, destination, 1.0, bipolar=bipolar)

    def level(
        self,
        lfo: int,
        times: NDArray[np.float64],
        amplitude: NDArray[np.float64],
        destination: str,
        name: str,
        reach: float,
    ) -> None:
        """A level that follows an amplitude from 0 to 1: pulled down from `reach`, as the square root."""
        at, height = self._gesture.drawn(times, np.sqrt(amplitude), kind="level")
        knots = polyline_knots(at, height, MOST_POINTS - 2)
        if self._gesture.sustaining:
            knots = np.union1d(knots, [int(np.argmin(np.abs(at - self._gesture.sustain_at)))])
        self._draw(lfo, at[knots], 1.0 - height[knots], name)
        self._route(lfo, destination, -reach)
        if reach > _REST_LEVEL:
            # The level itself must stay at its default, or the first note glides: a flat contour lifts it.
            self.settings["lfos"][_LIFT_LFO - 1] = vital_init.shape([0.0, 1.0], [1.0, 1.0], name="lift")
            self._route(_LIFT_LFO, destination, reach - _REST_LEVEL)

    def tune(self, lfo: int, times: NDArray[np.float64], f0_hz: NDArray[np.float64], key: float) -> None:
        """Oscillator 1 on a moving fundamental when that key is played."""
        semitones = 69.0 + 12.0 * np.log2(f0_hz / 440.0) - key
        whole = float(np.clip(np.round(np.median(semitones)), -48, 48))
        self.values["osc_1_transpose"] = whole
        fine = float(np.abs(semitones - whole).max()) <= 1.0
        reach = 1.0 if fine else 48.0
        course = 0.5 + (semitones - whole) / (2.0 * reach)
        # The sustain point and the end take two points more.
        knots = polyline_knots(times, course, MOST_POINTS - 3, floor=1.0, enough=0.0005 / reach)
        destination = "osc_1_tune" if fine else "osc_1_transpose"
        self.follow(lfo, times[knots], course[knots], destination, "pitch", bipolar=True)

    def macro(self, number: int, name: str, destination: str, amount: float) -> None:
        """A macro for the player's own hand; at 0, where it stands, it changes nothing."""
        self._macros[f"macro{number}"] = name
        self._routes.append(Route(f"macro_control_{number}", destination, amount, len(self._routes) + 1))

    def vibrato(self, lfo: int) -> None:
        """A vibrato that waits for the modulation wheel or for macro 2."""
        sine = np.sin(np.linspace(0.0, 2.0 * np.pi, 33))
        wave = vital_init.shape(list(np.linspace(0.0, 1.0, 33)), list(0.5 + 0.5 * sine), name="vibrato")
        self.settings["lfos"][lfo - 1] = wave
        self.values.update({f"lfo_{lfo}_sync": 0.0, f"lfo_{lfo}_frequency": float(np.log2(_VIBRATO_HZ))})
        slot = len(self._routes) + 1
        self._routes.append(Route(f"lfo_{lfo}", "osc_1_tune", 0.0, slot, bipolar=True))
        self._routes.append(Route("mod_wheel", f"modulation_{slot}_amount", _VIBRATO_DEPTH, slot + 1))
        self.macro(2, "VIBRATO", f"modulation_{slot}_amount", _VIBRATO_DEPTH)

    def preset(self, name: str) -> Preset:
        """The patch so far."""
        start = vital_init.with_texts(vital_init.initial(), **self._macros)
        return replace(
            vital_init.with_settings(start, **self.settings),
            name=name,
            values={**start.values, **self.values},
            routes=tuple(self._routes),
        )

    def _draw(self, lfo: int, at: NDArray[np.float64], values: NDArray[np.float64], name: str) -> None:
        gesture = self._gesture
        points = list(np.clip(values, 0.0, 1.0))
        self.settings["lfos"][lfo - 1] = vital_init.shape(list(at / gesture.length), points, name=name)
        self.values.update(
            {
                f"lfo_{lfo}_sync": 0.0,
                f"lfo_{lfo}_frequency": -float(np.log2(gesture.length)),
                f"lfo_{lfo}_sync_type": _SUSTAIN if gesture.sustaining else _ENVELOPE,
                f"lfo_{lfo}_phase": gesture.sustain_at / gesture.length if gesture.sustaining else 0.0,
                f"lfo_{lfo}_smooth_mode": 0.0,
                f"lfo_{lfo}_smooth_time": -10.0,
            }
        )

    def _route(self, lfo: int, destination: str, amount: float, *, bipolar: bool = False) -> None:
        self._routes.append(Route(f"lfo_{lfo}", destination, amount, len(self._routes) + 1, bipolar=bipolar))


def _loudness(peak: float, velocity: float) -> tuple[float, float]:
    """The master volume and the level at which a contour's top sounds at an amplitude of `peak`.

    The volume is the square of 80 + dB; at its default a full oscillator gives `_FULL` at full velocity. What it cannot
    give, the level does: its default unless more is needed, 1 at most, of which the amplitude is the square.
    """
    start = vital_init.initial().values["volume"]
    wanted = np.sqrt(start) + 20.0 * np.log10(peak / (_FULL * velocity**2))
    boost = 10.0 ** (np.clip(wanted - _LOUDEST, 0.0, 20.0 * np.log10(2.0)) / 20.0)
    return float(np.clip(wanted, 40.0, _LOUDEST) ** 2), float(_REST_LEVEL * np.sqrt(boost))


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Keyframes of a wavetable."""

    frames: NDArray[np.float64]
    """Shape (n, 2048), the highest peak 1."""
    positions: list[int]
    rows: NDArray[np.int64]
    """Frames of the analysis that they come from, shape (n,)."""
    peak: float
    """Amplitude of all partials together (root of the sum of squares) in a frame of the table."""


def _tabled(analysis: Analysis, plan: Plan, rng: np.random.Generator) -> _Table:
    """Spectra of unit level as keyframes.

    All keyframes share one phase a partial: a mix of two then has the mix of their amplitudes, and
    the table holds spectra, never the sound's own waveform.
    """
    amplitude = analysis.partials.amplitude
    # Louder neighbours rule the colour of quiet frames: what an onset rises from is not its spectrum.
    coloured = gaussian_filter1d(amplitude, 1.5, axis=0, mode="nearest")
    total = np.sqrt(np.sum(coloured**2, axis=1, keepdims=True)) + 1e-9
    share = np.maximum(coloured / total, 1e-6)
    begins = int(np.argmax(total[:, 0] > 0.1 * total[: max(1, int(np.searchsorted(analysis.times, _ONSET)))].max()))
    share[:begins] = share[begins]
    db = 20.0 * np.log10(amplitude + 1e-9)
    weight = np.clip((db - (db.max() - _VISIBLE_DB)) / 20.0, 0.0, 1.0)
    chosen = keyframe_indices(share, weight, max(2, plan.keyframes))
    count = amplitude.shape[1]
    spectra = np.zeros((len(chosen), FRAME // 2 + 1), dtype=np.complex128)
    phases = rng.uniform(0.0, 2.0 * np.pi, count) if analysis.phases is None else analysis.phases
    spectra[:, 1 : count + 1] = share[chosen] * np.exp(1j * phases)
    frames = np.fft.irfft(spectra, FRAME, axis=1) * (FRAME / 2)
    peak = float(np.abs(frames).max())
    positions = np.round(np.linspace(0, vital_init.POSITIONS, len(chosen))).astype(int)
    return _Table(frames / peak, [int(p) for p in positions], chosen, 1.0 / peak)


def _noise(analysis: Analysis, plan: Plan, rng: np.random.Generator) -> tuple[NDArray[np.float64], float]:
    """Synthetic noise of even level with the sound's colour over time, peak 1, and its crest factor."""
    seconds = min(plan.noise_seconds, analysis.seconds)
    noise = shaped_noise(folded(analysis.noise.evened(), seconds).evened(), seconds, plan.noise_rate, rng)
    peak = float(np.abs(noise).max())
    return noise / max(peak, 1e-9), peak


def _empty_table() -> dict[str, Any]:
    """A sine of an oscillator that is off; drawn as a line, since a wave would take 11 kB."""
    line = {"name": "Linear", "num_points": 2, "points": [0.0, 1.0, 1.0, 0.0], "powers": [0.0, 0.0], "smooth": False}
    component = {
        "type": "Line Source",
        "interpolation_style": 1,
        "num_points": 2,
        "keyframes": [{"position": 0, "pull_power": 0.0, "line": line}],
    }
    return {
        "author": "",
        "full_normalize": True,
        "groups": [{"components": [component]}],
        "name": "off",
        "remove_all_dc": True,
        "version": "1.5.5",
    }
