"""Sounds as data URIs that browsers play. Knows no page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np

from menura.audio import Audio

_LOSSLESS_BYTES = 2_000_000
"""As long as all sounds of a page fit into this they are FLAC, whose samples a comparison can trust; else all are MP3.

Every current browser plays both; Ogg Vorbis and Opus are missing in older Safaris.
"""


def within_full_scale(audio: Audio) -> Audio:
    """The same sound, turned down where it is louder than a file of integers can hold; never clipped."""
    return audio if audio.peak <= 1.0 else Audio(audio.samples / audio.peak, audio.sample_rate)


def audio_uris(sounds: Sequence[Audio]) -> list[str]:
    """The sounds, each within full scale, as `data:` URIs of one format: FLAC (16 bit), or MP3 where that is too much.

    One format for all, because an encoder's delay would set them apart.
    """
    bodies = [_encoded(audio, "FLAC", "PCM_16") for audio in sounds]
    if sum(map(len, bodies)) <= _LOSSLESS_BYTES:
        return [data_uri(body, "audio/flac") for body in bodies]
    return [data_uri(_encoded(audio, "MP3", "MPEG_LAYER_III"), "audio/mpeg") for audio in sounds]


def data_uri(body: bytes, mime: str) -> str:
    """Bytes as a base64 `data:` URI."""
    return f"data:{mime};base64,{base64.b64encode(body).decode('ascii')}"


def _encoded(audio: Audio, kind: str, subtype: str) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    samples = np.clip(audio.samples.T, -1.0, 1.0)
    soundfile.write(buffer, samples, audio.sample_rate, format=kind, subtype=subtype)
    return buffer.getvalue()
