"""The `Synth` protocol and its contract. Knows no engine, no model and no target.

What every synth promises, each a test in tests/contracts:

- `render` answers with stereo float32 of `round(note.total * sample_rate)` samples, finite.
- A preset that came from `freeze` makes the same sound (max difference 1e-6) whatever was
  rendered before, in any process.
- `read(write(p)) == p`; nothing of a preset that the synth does not understand is lost.
- Bad bytes raise PresetError before they reach the engine.
- `space.encode(init)` works for the synth's own initial preset.

A synth may also offer, and whoever asks does without where it does not:

- `player(mode)`: what a worker of the pool renders with (`pool_worker.Player`), where one engine serves many renders.
- `check()`: raises EngineError, with what to do, where the instrument is not installed.
- `sounding(preset, names)`: of these controls, those that take part in the preset's sound.
- `with_blocks(preset, other, groups)`: the preset with what another loads beside the controls of these groups.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from menura.audio import Audio
from menura.note import Note
from menura.preset import Preset
from menura.space import ParameterSpace


@runtime_checkable
class Synth(Protocol):
    """An instrument that turns a preset and a note into sound."""

    name: str
    """Name in the registry."""
    version: str
    """Version of the engine, stored with everything that was computed from its sound."""
    suffix: str
    """Ending of its preset files, with the dot."""

    @property
    def space(self) -> ParameterSpace:
        """Every control that can be predicted or searched."""
        ...

    def init(self) -> Preset:
        """The initial patch."""
        ...

    def render(self, preset: Preset, note: Note = ..., *, sample_rate: int = 44_100) -> Audio:
        """The sound of a preset on a pristine engine.

        Raises:
            PresetError: the preset would crash the engine.
            RenderError: the engine refused or gave no finite sound.
        """
        ...

    def freeze(self, preset: Preset) -> Preset:
        """The same preset without chance: random phases, random LFOs and random sources off."""
        ...

    def read(self, source: Path | bytes) -> Preset:
        """A preset from its file or bytes. Raises PresetError."""
        ...

    def write(self, preset: Preset) -> bytes:
        """The preset's file, as the real instrument opens it. Raises PresetError."""
        ...
