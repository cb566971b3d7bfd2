"""Vital's initial patch and the makers of its blocks: wavetables, drawn shapes, samples. Needs no engine."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from menura.errors import PresetError
from menura.preset import Preset
from menura.synths.vital.controls import controls
from menura.synths.vital.format import VERSION

FRAME = 2048
"""Samples of one keyframe."""
POSITIONS = 256
"""The last position of a table; the first is 0."""


@cache
def initial() -> Preset:
    """The engine's initial patch: one saw, all else off.

    Its sampler holds white noise of our own (the engine draws another at each start).
    """
    values = {name: control.default for name, control in controls().items() if not name.startswith("modulation_")}
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, 44_100)
    steps = (np.arange(FRAME) % 1024 + 0.5) / 1023.5
    saw = np.where(np.arange(FRAME) < 1024, -steps, (1024.0 / 1023.5) - steps)
    blocks: dict[str, Any] = {
        "author": "",
        "comments": "",
        "preset_style": "",
        **{f"macro{number}": f"MACRO {number}" for number in range(1, 5)},
        "synth_version": VERSION,
        "settings": {
            "lfos": [shape([0.0, 0.5, 1.0], [0.0, 1.0, 0.0], name="Triangle") for _ in range(8)],
            "wavetables": [wavetable([saw], [0], name="Init", full_normalize=True) for _ in range(3)],
            "sample": sample(noise, 44_100, name="White Noise"),
        },
    }
    return Preset("vital", values, blocks=blocks)


def with_settings(preset: Preset, **blocks: Any) -> Preset:
    """The same preset with these parts of `blocks["settings"]` replaced: `lfos`, `wavetables`, `sample`."""
    settings = {**preset.blocks["settings"], **blocks}
    return replace(preset, blocks={**preset.blocks, "settings": settings})


def with_texts(preset: Preset, **texts: str) -> Preset:
    """The same preset with these texts: `author`, `comments`, `preset_style`, `macro1` to `macro4`."""
    return replace(preset, blocks={**preset.blocks, **texts})


def wavetable(
    frames: Sequence[ArrayLike] | NDArray[np.floating],
    positions: Sequence[int],
    *,
    name: str = "",
    blend: str = "time",
    full_normalize: bool = False,
    remove_dc: bool = True,
) -> dict[str, Any]:
    """A wavetable of keyframes that the engine blends between.

    Args:
        frames: shape (n, 2048), one cycle each.
        positions: n whole numbers from 0 to 256, ascending.
        name: shown in the oscillator.
        blend: "time" crossfades the waves, "spectral" their partials' levels and phases, "none" jumps.
        full_normalize: every frame is brought to full scale; otherwise the table as a whole.
        remove_dc: take the mean off every frame.

    Raises:
        PresetError: if the shapes do not fit.
    """
    data = np.asarray(frames, dtype="<f4")
    if data.ndim != 2 or data.shape != (len(positions), FRAME):
        raise PresetError(f"wavetable frames have shape {data.shape}; give ({len(positions)}, {FRAME})")
    keyframes = [
        {"position": int(position), "wave_data": base64.b64encode(frame.tobytes()).decode()}
        for position, frame in zip(positions, data, strict=True)
    ]
    component = {
        "interpolation": 1 if blend == "spectral" else 0,
        "interpolation_style": 0 if blend == "none" else 1,
        "keyframes": keyframes,
        "type": "Wave Source",
    }
    return {
        "author": "",
        "full_normalize": full_normalize,
        "groups": [{"components": [component]}],
        "name": name,
        "remove_all_dc": remove_dc,
        "version": VERSION,
    }


def shape(
    times: Sequence[float], values: Sequence[float], *, powers: Sequence[float] | None = None, name: str = ""
) -> dict[str, Any]:
    """A drawn LFO shape.

    Args:
        times: ascending, from 0 to 1 of the LFO's period; at most 100.
        values: 0 to 1, upwards (the file stores them downwards).
        powers: curve of the segment after each point, -20 to 20; straight where None.
        name: shown in the LFO.

    Raises:
        PresetError: if the lengths differ or there are more than 100 points.
    """
    if len(times) != len(values) or not 1 <= len(times) <= 100 or (powers is not None and len(powers) != len(times)):
        raise PresetError(f"a shape of {len(times)} times and {len(values)} values; give as many, at most 100")
    points = np.stack([np.asarray(times, float), 1.0 - np.asarray(values, float)], axis=1).ravel()
    return {
        "name": name,
        "num_points": len(times),
        "points": [float(point) for point in points],
        "powers": [0.0] * len(times) if powers is None else [float(power) for power in powers],
        "smooth": False,
    }


def sample(sound: ArrayLike, sample_rate: int, *, name: str = "") -> dict[str, Any]:
    """A sampler's sound, stored as 16-bit.

    Args:
        sound: shape (n,) or (2, n), full scale at 1.0; louder is clipped.
        sample_rate: Hz.
        name: shown in the sampler.

    Raises:
        PresetError: if the shape is another.
    """
    data = np.atleast_2d(np.asarray(sound, dtype=np.float64))
    if data.ndim != 2 or data.shape[0] > 2 or not data.shape[1]:
        raise PresetError(f"a sample of shape {data.shape}; give (n,) or (2, n)")
    pcm = np.round(np.clip(data, -1.0, 1.0) * 32_767).astype("<i2")
    texts = [base64.b64encode(channel.tobytes()).decode() for channel in pcm]
    found = {"length": data.shape[1], "name": name, "sample_rate": int(sample_rate), "samples": texts[0]}
    return found if len(texts) == 1 else {**found, "samples_stereo": texts[1]}
