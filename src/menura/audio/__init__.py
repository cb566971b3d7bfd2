"""Sound as a value and its files. Knows no synth, no preset and no target.

`Audio` is the value; `read_audio` and `write_audio` are its files; `measure_loudness` says how loud it is.

Level policy: reading and writing change no level, and nothing is normalised unasked. What wants a level takes a copy
at a stated one: `Audio.at_peak` for analysis, `at_lufs` for comparing by ear.
"""

from menura.audio.files import (
    MAX_SECONDS,
    MIN_SECONDS,
    SILENCE_PEAK,
    check_sound,
    encode_audio,
    read_audio,
    write_audio,
)
from menura.audio.loudness import Loudness, at_lufs, measure_loudness
from menura.audio.sound import Audio

__all__ = [
    "MAX_SECONDS",
    "MIN_SECONDS",
    "SILENCE_PEAK",
    "Audio",
    "Loudness",
    "at_lufs",
    "check_sound",
    "encode_audio",
    "measure_loudness",
    "read_audio",
    "write_audio",
]
