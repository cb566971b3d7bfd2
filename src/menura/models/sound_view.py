"""What an estimator is shown of a sound: its picture, its contour and its note. Knows no network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.features.contour import contour
from menura.features.semitones import FRAMES, RANGE_DB, SAMPLE_RATE, semitone_picture
from menura.note import Note

LONGEST_HOLD = 1.5
"""Seconds: as long as the pictures that estimators are trained on."""


@dataclass(frozen=True, slots=True, eq=False)
class SoundView:
    """One sound."""

    picture: NDArray[np.float32]
    """dB below the loudest, shape (FRAMES, BANDS)."""
    contour: NDArray[np.float32]
    """dB below the loudest, shape (slots, bands)."""
    note: NDArray[np.float32]
    """MIDI pitch, velocity, hold in seconds, and 1; or four zeros, where an estimator has to infer it. Shape (4,)."""

    @classmethod
    def of(cls, audio: Audio, note: Note | None) -> SoundView:
        """The view of a sound.

        Args:
            audio: from its onset.
            note: that it plays; None lets the estimator infer it.

        Raises:
            AudioError: it is empty.
        """
        heard = audio.to_mono().resample(SAMPLE_RATE)
        # No picture has fewer frames; what is cut may have been the loudest.
        picture = semitone_picture(heard.mono)[:FRAMES]
        picture = np.maximum(picture - picture.max(), -RANGE_DB)
        return cls(picture, contour(heard.mono, SAMPLE_RATE), note_row(note))


def note_row(note: Note | None) -> NDArray[np.float32]:
    """A note as an estimator takes it, shape (4,)."""
    if note is None:
        return np.zeros(4, dtype=np.float32)
    return np.array([note.pitch, note.velocity, min(note.hold, LONGEST_HOLD), 1.0], dtype=np.float32)
