"""Arms that match nothing: floors, baselines, and answers that other tools made. Knows no metric."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from menura.audio import read_audio
from menura.errors import InputError, RenderError
from menura.evaluation.answer import Answer
from menura.evaluation.arm import Case, NotApplicableError, TableTrack
from menura.evaluation.results import safe_name

SOUNDS = (".wav", ".flac", ".aiff", ".ogg", ".mp3")
"""Endings of an external arm's sounds, in the order in which they are looked for."""


@dataclass(frozen=True)
class NoiseFloor:
    """The patch held against itself: its author's preset, chance and all, rendered twice by fresh engines."""

    name: str = "noise-floor"
    what: str = "the preset as its author left it, rendered twice: how near the patch is to itself"
    track: TableTrack = "reference"
    optimised: tuple[str, ...] = ()

    def answer(self, case: Case) -> Answer:
        """Render twice. Raises NotApplicableError where no preset is known, RenderError where a render fails."""
        if case.item.original is None:
            raise NotApplicableError("the preset behind this sound is not known")
        if case.item.synth != case.synth.name:
            raise NotApplicableError(f"the preset behind this sound is of {case.item.synth}")
        preset = case.synth.read(case.item.original)
        note = case.item.note or case.target.note
        # Two engines made one after the other. The pool would not do: each of its renders begins from one and the
        # same pristine engine, the state of its chance included.
        began = time.monotonic()
        first, second = (case.synth.render(preset, note).to_mono() for _ in range(2))
        spent = time.monotonic() - began
        return Answer(note=note, sound=second, against=first, renders=2, engine_seconds=spent)


@dataclass(frozen=True)
class Resampled:
    """The recording itself, played faster or slower: what a sampler with one sample does at another key."""

    name: str = "resampled"
    what: str = "the recording resampled to the other note's pitch, as a sampler plays it (pairs of notes only)"
    track: TableTrack = "reference"
    optimised: tuple[str, ...] = ()

    def answer(self, case: Case) -> Answer:
        """Resample. Raises NotApplicableError where the item is no pair of notes."""
        item = case.item
        if item.judged_pitch is None or item.pitch is None:
            raise NotApplicableError("only a pair of notes has another pitch to play")
        sound = case.target.audio.transposed(item.judged_pitch - item.pitch)
        return Answer(note=replace(case.target.note, pitch=item.judged_pitch), sound=sound)


@dataclass(frozen=True)
class External:
    """Answers that another tool left in a folder: ``KEY.vital`` (or another preset) or ``KEY.wav`` for each item.

    KEY is the item's key made safe by `safe_name`, with or without the ending of its sound file; the bare file name
    does where it is unique in the folder. A preset is preferred to a sound.
    """

    name: str
    folder: Path
    track: TableTrack = "reference"
    optimised: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """Where it comes from."""
        return f"answers that another tool left in {self.folder.name}"

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise InputError(f"{self.folder} is no folder of answers; name one with a preset or sound for each item")

    def answer(self, case: Case) -> Answer:
        """The file for the item. Raises RenderError where there is none, PresetError or AudioError where it is bad."""
        names = [case.item.key, Path(case.item.key).with_suffix("").as_posix(), Path(case.item.key).stem]
        for ending in (case.synth.suffix, *SOUNDS):
            for name in names:
                path = self.folder / f"{safe_name(name)}{ending}"
                if not path.is_file():
                    continue
                if ending == case.synth.suffix:
                    return Answer(note=case.target.note, presets=(case.synth.read(path),))
                return Answer(note=case.target.note, sound=read_audio(path))
        raise RenderError(
            f"{self.folder} holds no answer called {safe_name(case.item.key)} ({case.synth.suffix}, .wav)"
        )
