"""Sounds as data URIs that browsers play. Knows no page."""

from __future__ import annotations

import base64
import io

import numpy as np

from menura.audio import Audio

_LOSSLESS_SECONDS = 8.0
"""Up to this length a sound is embedded as FLAC, whose samples an A/B comparison can trust; longer ones as MP3.

Every current browser plays both; Ogg Vorbis and Opus are missing in older Safaris.
"""


def within_full_scale(audio: Audio) -> Audio:
    """The same sound, turned down where it is louder than a file of integers can hold; never clipped."""
    peak = float(np.abs(audio.samples).max(initial=0.0))
    return audio if peak <= 1.0 else Audio(audio.samples / peak, audio.sample_rate)


def audio_uri(audio: Audio) -> str:
    """The sound, within full scale, as a `data:` URI: FLAC (16 bit), or MP3 where it is long."""
    import soundfile

    samples = audio.samples.T
    buffer = io.BytesIO()
    lossless = audio.seconds <= _LOSSLESS_SECONDS
    mime = "audio/flac" if lossless else "audio/mpeg"
    if lossless:
        soundfile.write(buffer, samples, audio.sample_rate, format="FLAC", subtype="PCM_16")
    else:
        soundfile.write(buffer, samples, audio.sample_rate, format="MP3", subtype="MPEG_LAYER_III")
    return data_uri(buffer.getvalue(), mime)


def data_uri(body: bytes, mime: str) -> str:
    """Bytes as a base64 `data:` URI."""
    return f"data:{mime};base64,{base64.b64encode(body).decode('ascii')}"
