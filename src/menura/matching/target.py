"""The sound that is to be matched, and the note that it plays. Owns the value; knows no preset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio, check_sound, read_audio
from menura.features.pitch import NoteEstimate, estimate_note
from menura.features.spectra import rms_envelope
from menura.note import Note

if TYPE_CHECKING:
    from menura.matching.words.words import Words

SAMPLE_RATE = 44_100
"""Rate at which everything is rendered and compared."""
LONGEST = 12.0
"""Seconds of a target that are matched, as many as are read of a file; what follows says little about the patch."""
REST = 0.5
"""Seconds heard of the quiet that follows a sound: an echo or a release that rings on there is not the sound's."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What is to be matched."""

    audio: Audio
    """Mono, 44.1 kHz, from its onset, with `REST` seconds of the quiet that followed; at most `LONGEST` seconds."""
    note: Note
    """The note at which candidates are rendered; its total is the length of the audio."""
    estimate: NoteEstimate
    """What was heard: pitch with confidence, sustain, hold and release; its total is where the sound has ended."""
    name: str = ""
    """What to call it, the file's name without its ending."""
    words: Words | None = None
    """What is asked for in words, where something is."""

    @property
    def sound(self) -> Audio:
        """`audio` up to where the sound has ended."""
        return self.audio.cut(stop=self.estimate.total)

    @property
    def audible(self) -> bool:
        """False where words alone say what is wanted: `audio` is silence as long as the note."""
        return self.words is None or bool(self.words.changes)

    @classmethod
    def of(cls, sound: str | Path | Audio, note: float | Note | None = None) -> Target:
        """Prepare a sound.

        Args:
            sound: A file, or a sound in memory.
            note: The MIDI pitch that it plays, or the whole note; None listens.

        Raises:
            AudioError: it cannot be read, or holds nothing to match.
        """
        name = "" if isinstance(sound, Audio) else Path(sound).stem
        if isinstance(sound, Audio):
            check_sound(sound)
        audio = sound if isinstance(sound, Audio) else read_audio(sound)
        audio = audio.to_mono().resample(SAMPLE_RATE)
        pitch = note.pitch if isinstance(note, Note) else note
        estimate = estimate_note(audio.trim().cut(stop=LONGEST), pitch=pitch)
        audio = audio.trim(rest=REST).cut(stop=LONGEST)
        if isinstance(note, Note):
            played = replace(note, total=audio.seconds)
            # Whoever knows when the key goes up knows better than any ear: a tail is no held note.
            estimate = replace(estimate, hold=min(note.hold, estimate.total))
        else:
            played = Note(
                # The nearest key, which a player can press: what lies between is the patch's own tuning.
                pitch=estimate.pitch if pitch is not None else float(min(127, max(0, round(estimate.pitch)))),
                hold=min(max(estimate.hold, 0.01), audio.seconds),
                total=audio.seconds,
            )
        return cls(audio, played, estimate, name)


def base_frequency(target: Target) -> float:
    """What the oscillators play: the note's own fundamental, or an unpitched sound's strongest partial."""
    if target.estimate.pitched:
        hertz = target.estimate.fundamental_hz
        # A fundamental far from the key that the user has named is a mishearing.
        return hertz if abs(np.log2(hertz / target.note.frequency_hz)) < 0.08 else target.note.frequency_hz
    mono = target.audio.mono
    spectrum = np.abs(np.fft.rfft(mono[: SAMPLE_RATE // 2] * np.hanning(min(mono.size, SAMPLE_RATE // 2))))
    hertz = np.fft.rfftfreq(min(mono.size, SAMPLE_RATE // 2), 1.0 / SAMPLE_RATE)
    usable = (hertz > 40.0) & (hertz < 4000.0)
    return float(hertz[usable][int(np.argmax(spectrum[usable]))])


def attack_of(target: Target) -> float:
    """Seconds from the start to where the level first comes within 3 dB of its highest."""
    level: NDArray[np.float32] = rms_envelope(target.audio.mono, 882, 220)
    return float(np.argmax(level > 0.7 * level.max())) * 220 / SAMPLE_RATE
