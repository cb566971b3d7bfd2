"""Robustness sets: every sound of a set once more with something done to it. Knows no synth and no metric.

`degradations` does it; this module owns the names, which sounds answers are judged against, and the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from menura.audio import Audio, encode_audio, read_audio
from menura.datasets import degradations
from menura.datasets.item import Item, SoundSet
from menura.datasets.names import file_name
from menura.datasets.selection import order
from menura.datasets.store import Store
from menura.errors import MenuraError, UnknownNameError
from menura.storage import hash_file

ALL, CLEAN = "all", "clean"
_VERSION = 1
"""Raise it when a condition sounds different, so that kept files are made again."""

Change = Callable[[Audio, np.random.Generator], Audio]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is done to a sound before it is heard."""

    name: str
    what: str
    """One line for the table's legend."""
    change: Change | None = None
    """None where the sound stays as it is, or another one is needed."""


def _mp3(audio: Audio, _: np.random.Generator) -> Audio:
    return degradations.through_mp3(audio)


def _lead(audio: Audio, _: np.random.Generator) -> Audio:
    return degradations.with_lead(audio)


CONDITIONS: Mapping[str, Condition] = {
    condition.name: condition
    for condition in (
        Condition(
            "noise",
            f"white noise at {degradations.NOISE_DB:g} dB signal to noise",
            degradations.with_noise,
        ),
        Condition(
            "reverb",
            f"a room of {degradations.REVERB_SECONDS:g} s (RT60), {degradations.REVERB_DB:g} dB below the direct sound",
            degradations.with_reverb,
        ),
        Condition("mp3", f"MP3 at {degradations.BIT_RATE} kbit/s", _mp3),
        Condition("wrong-note", "the told pitch is wrong by an octave; sounds of unknown pitch are left out"),
        Condition(
            "leading-silence",
            f"{degradations.LEAD_SECONDS * 1000:g} ms of silence before it",
            _lead,
        ),
        Condition("two-notes", "another note at once, as loud; answers are judged against both together"),
    )
}


def with_conditions(sound_set: SoundSet, names: Sequence[str], folder: Path, seed: int = 0) -> SoundSet:
    """The set, and after it the same sounds under each condition.

    An answer to a degraded sound is judged against the clean one, but to two notes against the mixture. Degraded
    sounds are WAV files below ``folder/targets``, made once.

    Args:
        sound_set: the clean sounds.
        names: conditions, from `CONDITIONS`, or "all"; "clean" is there anyhow.
        folder: of the run.
        seed: of noise, rooms, octaves and second notes.

    Raises:
        UnknownNameError: no such condition.
        OutputError: the disk refuses.
    """
    named = CONDITIONS if ALL in names else dict.fromkeys(names)
    wanted = [name for name in named if name != CLEAN]
    for name in wanted:
        if name not in CONDITIONS:
            raise UnknownNameError(f"no condition is called {name!r}; known: {', '.join((ALL, CLEAN, *CONDITIONS))}")
    if not wanted:
        return sound_set
    clean = [item for item in sound_set.items if item.condition == CLEAN]
    maker = _Maker(Store(folder), clean, seed)
    found = list(sound_set.items)
    left_out: dict[str, int] = {}
    for name in wanted:
        made = [degraded for item in clean if (degraded := maker.make(item, CONDITIONS[name])) is not None]
        left_out[name] = len(clean) - len(made)
        found += made
    origin: dict[str, object] = {
        **sound_set.origin,
        "conditions": {name: CONDITIONS[name].what for name in wanted},
        "conditions_seed": seed,
        "conditions_left_out": {name: count for name, count in left_out.items() if count},
    }
    return replace(sound_set, items=tuple(found), origin=origin)


class _Maker:
    """Makes degraded items."""

    def __init__(self, store: Store, clean: Sequence[Item], seed: int) -> None:
        self._store, self._clean, self._seed = store, clean, seed

    def make(self, item: Item, condition: Condition) -> Item | None:
        """The item under a condition; None where the condition does not apply."""
        degraded = replace(item, condition=condition.name, judged=item.judged or item.sound)
        if item.error:
            return degraded
        if condition.name == "wrong-note":
            return self._wrong_note(degraded)
        other = self._second(item) if condition.name == "two-notes" else None
        try:
            path, sha256 = self._written(degraded, condition, other)
        except (MenuraError, OSError) as error:
            return replace(degraded, error=f"{condition.name} could not be made: {error}".splitlines()[0])
        judged = path if condition.name == "two-notes" and item.judged is None else degraded.judged
        return replace(degraded, sound=path, sha256=sha256, judged=judged)

    def _wrong_note(self, item: Item) -> Item | None:
        if item.pitch is None:
            return None
        up = order(self._seed, item.id, "octave") % 2 == 0
        pitch = item.pitch + (12.0 if up else -12.0)
        pitch = pitch if 0.0 <= pitch <= 127.0 else item.pitch + (-12.0 if up else 12.0)
        # Where the whole note is told, its pitch is too.
        return replace(item, pitch=pitch, note=replace(item.note, pitch=pitch) if item.note else None)

    def _second(self, item: Item) -> Item | None:
        """Another note of the same instrument, 3 to 9 semitones away, by chance; None where there is none."""
        if item.pitch is None or not item.source:
            return None
        near = [
            other
            for other in self._clean
            if other.source == item.source
            and other.category == item.category
            and not other.error
            and other.pitch is not None
            and 3.0 <= abs(other.pitch - item.pitch) <= 9.0
        ]
        return min(near, key=lambda other: order(self._seed, item.id, other.id), default=None)

    def _written(self, item: Item, condition: Condition, other: Item | None) -> tuple[Path, str]:
        recipe: dict[str, Any] = {
            "made": "condition",
            "version": _VERSION,
            "condition": condition.name,
            "what": condition.what,
            "seed": self._seed,
            "id": item.id,
            "sound": hash_file(item.sound),
            "second": hash_file(other.sound) if other else "",
        }
        name = f"targets/{file_name(item.key)}.wav"
        made = self._store.find(recipe)
        if made is None:
            sound = read_audio(item.sound, on_warning=lambda _: None)
            rng = np.random.default_rng(order(self._seed, item.key))
            if condition.change is not None:
                changed = condition.change(sound, rng)
            elif other is not None:
                changed = degradations.together(sound, read_audio(other.sound, on_warning=lambda _: None))
            else:
                changed = degradations.together(sound, degradations.transposed(sound, degradations.FIFTH))
            made = self._store.put(recipe, {name: encode_audio(changed, ".wav")})
        return self._store.folder / name, made.files[name]
