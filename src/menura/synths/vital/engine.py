"""The Vital engine itself: the only importer of `vita`. Loads checked bytes, plays one note.

An engine that has played keeps something of it (effects' tails, the phase of free-running LFOs), and
loading another preset does not clear that: for an exact sound take a new `Engine` for each note.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.errors import EngineError, RenderError
from menura.note import Note


class Engine:
    """One instance of the synth.

    Raises:
        EngineError: the engine is not installed or does not start.
    """

    def __init__(self) -> None:
        try:
            import vita  # pyright: ignore[reportMissingTypeStubs]
        except ImportError as error:
            raise EngineError(f"the Vital engine is missing ({error}); run: pip install vita==0.1.0") from error
        self._synth: Any = vita.Synth()
        self._controls: dict[str, Any] = dict(self._synth.get_controls())
        self.sample_rate = 44_100
        """Hz that the engine runs at; `play` changes it."""

    def load(self, document: bytes) -> None:
        """Replaces all of the state by that of a checked preset file. Raises RenderError."""
        try:
            loaded = bool(self._synth.load_json(document.decode()))
        except (RuntimeError, ValueError) as error:
            raise RenderError(f"the Vital engine refused the preset: {error}") from error
        if not loaded:
            raise RenderError("the Vital engine refused the preset; it passed our checks: please report it")

    def set(self, values: Mapping[str, float]) -> None:
        """Sets scalar controls; names that the engine does not have are passed over, as it does itself."""
        for name, value in values.items():
            if name in self._controls:
                self._controls[name].set(float(value))

    def value(self, name: str) -> float:
        """What a control stands at."""
        return float(self._controls[name].value())

    def play(self, note: Note, sample_rate: int, *, tune: float) -> NDArray[np.float32]:
        """One note, shape (2, round(total * sample_rate)).

        The engine knows whole keys only. The rest of the pitch is put on the voice's tuning for the
        time of the note.

        Args:
            note: what is played.
            sample_rate: Hz.
            tune: the preset's own `voice_tune`, -1 to 1 semitones.

        Raises:
            RenderError: the sound is not finite or not of the length that was asked for.
        """
        if sample_rate != self.sample_rate:
            self._synth.set_sample_rate(int(sample_rate))
            self.sample_rate = sample_rate
        key, bend = split_pitch(note.pitch, tune)
        if bend:
            self.set({"voice_tune": tune + bend})
        samples = max(round(note.total * sample_rate), 1)
        # Half a sample more, since the engine cuts the product down; a hold of 0 would never end.
        total = (samples + 0.5) / sample_rate
        hold = max(note.hold, 1.0 / sample_rate)
        found = _aside(lambda: self._synth.render(key, float(note.velocity), float(hold), total))
        if bend:
            self.set({"voice_tune": tune})
        sound: NDArray[np.float32] = np.asarray(found, dtype=np.float32)[:, :samples]
        if not bool(np.isfinite(sound).all()):
            raise RenderError("the render is not finite; the preset drives the Vital engine out of its bounds")
        if sound.shape != (2, samples):
            raise RenderError(f"the render has shape {sound.shape} instead of (2, {samples}); ask for a shorter one")
        return sound


def _aside(work: Callable[[], Any]) -> Any:
    """The result of `work`, run in a thread of its own.

    A render leaves its thread's processor flushing denormal numbers to zero for good. In the caller's thread that
    would change later arithmetic: results would depend on whether something was rendered in that process before.
    """
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(work).result()


def split_pitch(pitch: float, tune: float = 0.0) -> tuple[int, float]:
    """The key to play and the semitones to bend it by, so that `tune + bend` stays within -1 to 1."""
    key = min(max(math.floor(pitch + 0.5), 0), 127)
    bend = pitch - key
    if tune + bend > 1.0 and key < 127:
        key, bend = key + 1, bend - 1.0
    elif tune + bend < -1.0 and key > 0:
        key, bend = key - 1, bend + 1.0
    return key, bend
