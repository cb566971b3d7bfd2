"""A report stays small enough to be mailed, and says everything in the page itself."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re

import numpy as np
import pytest
import soundfile

from menura.audio import Audio
from menura.note import Note
from menura.report import Answer, Attachment, Page, render_page

RATE = 44_100


def page(seconds: float, channels: int, n: int, rng: np.random.Generator) -> Page:
    """Noise, which no codec makes small, and presets of 400 kB whose text hides random bytes."""
    sounds = [Audio(rng.uniform(-0.5, 0.5, (channels, round(seconds * RATE))), RATE) for _ in range(n)]
    body = json.dumps({"wave_data": base64.b64encode(rng.bytes(300_000)).decode()}).encode()
    answers = [
        Answer(sound, 1.0, "Close.", {"mss": 2.0}, preset=Attachment(f"0{i}-a.vital", body), sound_name=f"0{i}-a.wav")
        for i, sound in enumerate(sounds)
    ]
    target = Audio(rng.uniform(-0.5, 0.5, (1, round(seconds * RATE))), RATE)
    return Page("noise", target, Note(60, hold=seconds, total=seconds), False, "vital", answers)


def embedded(html: str) -> list[tuple[str, bytes]]:
    return [(kind, base64.b64decode(body)) for kind, body in re.findall(r'src="data:audio/(\w+);base64,([^"]+)"', html)]


def test_five_answers_of_three_seconds_stay_below_5_mb(rng: np.random.Generator) -> None:
    html = render_page(page(3.0, 2, 5, rng))
    assert len(html.encode()) < 5_000_000
    sounds = embedded(html)
    assert [kind for kind, _ in sounds] == ["mpeg"] * 6
    for _, body in sounds:
        samples, rate = soundfile.read(io.BytesIO(body))
        assert len(samples) / rate == pytest.approx(3.0, abs=0.1)


def test_small_sounds_are_embedded_without_loss(rng: np.random.Generator) -> None:
    told = page(0.5, 1, 2, rng)
    sounds = embedded(render_page(told))
    assert [kind for kind, _ in sounds] == ["flac"] * 3
    assert told.target is not None
    for audio, (_, body) in zip([told.target, *(a.audio for a in told.answers)], sounds, strict=True):
        samples, _ = soundfile.read(io.BytesIO(body), always_2d=True)
        assert np.abs(samples.T - audio.samples).max() < 1 / 32_000


def test_the_presets_are_in_the_page_byte_for_byte(rng: np.random.Generator) -> None:
    told = page(0.2, 1, 2, rng)
    packed = re.findall(r'data-gzip="([^"]+)"', render_page(told))
    assert [gzip.decompress(base64.b64decode(text)) for text in packed] == [
        answer.preset.body for answer in told.answers if answer.preset
    ]


def test_the_page_names_no_place_outside_itself(rng: np.random.Generator) -> None:
    html = render_page(page(0.2, 1, 1, rng))
    assert not re.search(
        r"(https?:)?//[a-z]", re.sub(r"base64,[A-Za-z0-9+/=]+", "", re.sub(r'data-gzip="[^"]+"', "", html))
    )
    assert "default-src 'none'" in html


def test_the_same_input_makes_the_same_page() -> None:
    pages = [render_page(page(0.2, 1, 1, np.random.default_rng(5))) for _ in range(2)]
    assert pages[0] == pages[1]
