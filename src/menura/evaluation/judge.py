"""From an answer to the numbers of a row. Owns what is compared with what; knows no arm and no set.

The presets are written as files, read back and rendered by an exact engine that the arm's own numbers never touched.
The first answer is judged, over the whole recording from its onset (docs/decisions/022-benchmark.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from menura import storage
from menura.audio import Audio, encode_audio, read_audio
from menura.datasets.item import Item
from menura.datasets.names import file_name
from menura.errors import RenderError
from menura.evaluation.answer import Answer
from menura.evaluation.arm import Case
from menura.evaluation.metrics import measure_all
from menura.evaluation.parameters import parameter_errors
from menura.evaluation.playability import play
from menura.evaluation.product import diversity
from menura.evaluation.results import Row
from menura.features.course import level_course
from menura.features.distances import mss
from menura.matching.lens import active_lens
from menura.matching.target import SAMPLE_RATE, Target
from menura.note import Note
from menura.preset import Preset

SILENT_PEAK = 1e-4
"""An answer whose peak is below this (-80 dBFS) is silent."""


@dataclass(frozen=True)
class Judge:
    """Measures answers and keeps their files."""

    metrics: tuple[str, ...]
    folder: Path | None
    """Of the run; presets and sounds go to ``answers/ARM/``. None keeps nothing."""
    playing: bool = True
    """Also play each first answer longer, softer and over the keyboard."""

    def row(self, arm: str, case: Case, answer: Answer) -> Row:
        """The fields of a row.

        Raises:
            MenuraError: the answer does not load, does not render, or has no finite sound.
        """
        item, exact = case.item, case.pools[1]
        against = answer.against or read_target(item)
        note = judged_note(item, answer.note, case.target, against)
        written = [case.synth.write(preset) for preset in answer.presets]
        presets = [case.synth.read(body) for body in written]
        before = exact.engine_seconds
        sounds = [answer.sound] if answer.sound is not None else _rendered(case, presets, note)
        heard = sounds[0].to_mono().resample(SAMPLE_RATE)
        distances = [mss(against.mono, _mono(sound), SAMPLE_RATE) for sound in sounds]
        measured = measure_all(self.metrics, against.mono, heard.mono, SAMPLE_RATE)
        row: Row = {
            "metrics": {name: None if value is None else round(value, 6) for name, value in measured.items()},
            "answers": len(sounds),
            "best_of": {str(k): round(min(distances[:k]), 6) for k in _counts(len(distances))},
            "diversity": _places(diversity([_mono(sound) for sound in sounds], SAMPLE_RATE)),
            "renders": answer.renders,
            "stopped_by": answer.stopped_by,
            "verdict": answer.verdict,
            "lineage": list(answer.lineage),
            "pitch_from": "ear" if item.pitch is None and item.note is None else "set",
            "sustaining": bool(case.target.estimate.sustaining),
            "note": {name: round(value, 4) for name, value in asdict(note).items()},
            "curve": [[p.renders, round(p.seconds, 3), round(p.mss, 4)] for p in answer.curve],
            "loads": True,
            "silent": heard.peak < SILENT_PEAK,
        }
        files = {"sound": encode_audio(_bounded(sounds[0]), ".flac")}
        if presets:
            row["preset_bytes"] = len(written[0])
            files["preset"] = written[0]
            # Of another synth's preset (sounds of one matched on another) there is nothing to compare.
            if item.preset is not None and item.synth == case.synth.name:
                truth = case.synth.read(item.preset)
                active = active_lens(case.synth, truth).names
                row["parameters"] = parameter_errors(truth, presets[0], case.synth.space, active=active)
            if self.playing:
                row["play"] = asdict(play(presets[0], note, exact, sustaining=bool(case.target.estimate.sustaining)))
        row["engine_seconds"] = round(answer.engine_seconds + exact.engine_seconds - before, 4)
        if self.folder is not None:
            row["files"] = {kind: _kept(self.folder, arm, case, kind, body) for kind, body in files.items()}
        return row


def _kept(folder: Path, arm: str, case: Case, kind: str, body: bytes) -> str:
    ending = ".flac" if kind == "sound" else case.synth.suffix
    name = f"answers/{file_name(arm)}/{file_name(case.item.key)}{ending}"
    storage.write_bytes(folder / name, body, force=True)
    return name


def read_target(item: Item) -> Audio:
    """What answers to an item are held against: mono, 44.1 kHz, from its onset to its end. Raises AudioError."""
    return read_audio(item.judged or item.sound).to_mono().resample(SAMPLE_RATE).trim(tail=False)


def judged_note(item: Item, note: Note, target: Target, against: Audio) -> Note:
    """The note at which an answer is judged: the match's own, or the other note of a pair, as long as the recording.

    The matcher may have heard the first seconds alone; a recording that went on is held as long as its level says.
    """
    if item.judged_pitch is not None:
        hold = level_course(against.mono, SAMPLE_RATE).hold
        return replace(note, pitch=item.judged_pitch, total=against.seconds, hold=_held(hold, against))
    if against.seconds <= note.total + 0.01:
        return replace(note, total=against.seconds, hold=_held(note.hold, against))
    heard = target.audio.seconds
    cut_off = note.hold >= note.total - 0.01
    ends_quiet = float(np.abs(against.cut(heard).samples).max(initial=0.0)) < 1e-3 * against.peak
    hold = level_course(against.mono, SAMPLE_RATE).hold if cut_off and not ends_quiet else note.hold
    return replace(note, total=against.seconds, hold=_held(hold, against))


def _held(hold: float, against: Audio) -> float:
    return min(max(hold, 0.01), against.seconds)


def _rendered(case: Case, presets: Sequence[Preset], note: Note) -> list[Audio]:
    if not presets:
        raise RenderError("the arm answered with neither a preset nor a sound")
    rendered = case.pools[1].render_many([(preset, note) for preset in presets])
    if rendered[0].audio is None:
        raise RenderError(f"the exported preset does not render: {rendered[0].error}")
    return [answer.audio for answer in rendered if answer.audio is not None]


def _mono(sound: Audio) -> Any:
    return sound.to_mono().resample(SAMPLE_RATE).mono


def _counts(n: int) -> list[int]:
    return sorted({k for k in (1, 3, 5, 8) if k < n} | {n})


def _places(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _bounded(sound: Audio) -> Audio:
    """Within what a file of integers holds; never clipped."""
    return sound if sound.peak <= 1.0 else sound.at_peak(0.999)
