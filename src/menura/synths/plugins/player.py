"""Many renders of one plug-in in one worker process. Runs foreign code: it belongs into a pool's worker."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from menura.note import Note
from menura.preset import Preset
from menura.synths.plugins.controls import Probe
from menura.synths.plugins.document import check_preset, state_of
from menura.synths.plugins.folders import Location
from menura.synths.plugins.host import Instance, open_plugin
from menura.synths.plugins.process import same_arithmetic
from menura.synths.plugins.state import apply, load_state

Mode = Literal["exact", "fast"]


class PluginPlayer:
    """Renders each preset as a fresh instance does.

    In "fast" mode an instance is used again where probing found that this changes nothing (`Probe.reusable`).
    """

    def __init__(self, synth: str, location: Location, probe: Probe, mode: str) -> None:
        """Loads nothing yet."""
        self._synth = synth
        self._location = location
        self._probe = probe
        self._reuse = mode == "fast" and probe.reusable
        self._kept: tuple[Instance, int, bytes | None] | None = None

    def play(self, preset: Preset, note: Note, sample_rate: int) -> tuple[NDArray[np.float32], float]:
        """The sound, shape (2, round(total * sample_rate)), and the seconds that loading and playing took.

        Raises:
            PresetError: the preset is broken, or its state is refused.
            RenderError: a control was not taken, or the sound is not finite.
            EngineError: the plug-in does not load.
        """
        check_preset(preset, self._probe, self._synth)
        state = state_of(preset)
        began = time.perf_counter()
        with same_arithmetic():
            instance = self._instance(sample_rate, state)
            # A fresh instance stands at its defaults; one that is used again has to be told of all of them.
            values = {
                name: preset.values.get(name, one.value(one.default)) for name, one in self._probe.by_name.items()
            }
            if state is not None:
                values = dict(preset.values)
            self._kept = None  # an instance that fails is not used again
            apply(instance, self._probe, {name: self._probe.by_name[name].raw(value) for name, value in values.items()})
            sound = instance.play(note, sample_rate, wheel(note.pitch, self._probe.bend))
        if self._reuse:
            self._kept = (instance, sample_rate, state)
        return sound, time.perf_counter() - began

    def _instance(self, sample_rate: int, state: bytes | None) -> Instance:
        if self._kept is not None and self._kept[1:] == (sample_rate, state):
            return self._kept[0]
        instance = open_plugin(self._location, sample_rate)
        if state is not None:
            load_state(instance, state)
        return instance


def wheel(pitch: float, semitones: float) -> int:
    """Where the pitch wheel stands, -8192 to 8191, to play what the nearest key does not.

    Args:
        pitch: MIDI note number, with a fraction.
        semitones: what the wheel moves at its end; 0 where it moves nothing, then the nearest key has to do.
    """
    if not semitones:
        return 0
    key = min(max(int(np.floor(pitch + 0.5)), 0), 127)
    return int(np.clip(round((pitch - key) / semitones * 8192), -8192, 8191))
