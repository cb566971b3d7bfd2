"""What every embedder promises, over all there are; the pretrained ones on random weights."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from menura.audio import Audio
from menura.errors import AudioError, InputError
from menura.features.embedders import EMBEDDERS, Embedder, FrameEmbedder, embedder_of

BASELINES = ("mel128", "mfcc40", "mstft", "spectra-stats", "contour", "semitones", "timbre")
PRETRAINED = (
    "ast", "clap", "clap-style", "dac", "encodec", "openl3-mel256-512", "openl3-mel256-6144", "passt", "wav2vec2",
)  # fmt: skip

OTHERS = tuple(os.environ.get("MENURA_TEST_EMBEDDERS", "").split())
"""Embedders of other packages, by name; docs/guides/adding-an-embedder.md."""


@pytest.fixture(params=[*BASELINES, *PRETRAINED, *OTHERS])
def embedder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Embedder:
    if request.param in PRETRAINED:
        networks: Path = request.getfixturevalue("tiny_networks")
        monkeypatch.setenv("MENURA_EMBEDDERS", str(networks))
    return embedder_of(request.param, fetch=False)


def tone(hertz: float, seconds: float, rate: int = 44_100, channels: int = 1) -> Audio:
    times = np.arange(round(seconds * rate)) / rate
    wave = sum(np.sin(2.0 * np.pi * hertz * k * times) / k for k in range(1, 8)) * np.exp(-2.0 * times)
    return Audio(np.tile(0.2 * np.asarray(wave), (channels, 1)), rate)


def test_every_embedder_is_held_to_the_contract() -> None:
    assert set(BASELINES) | set(PRETRAINED) <= set(EMBEDDERS.names())


def test_vectors_are_what_the_protocol_says(embedder: Embedder) -> None:
    assert isinstance(embedder, Embedder)
    sounds = [tone(220.0, 0.5), tone(1_500.0, 0.5, 48_000, channels=2), tone(220.0, 0.9), tone(220.0, 0.01)]
    vectors = embedder.embed(sounds)
    assert vectors.shape == (4, embedder.dim)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.abs(vectors[0] - vectors[1]).sum() > 0.0, "deaf"
    assert np.array_equal(embedder.embed(sounds[1:2])[0], vectors[1]), "a row depends on the others"
    assert embedder.embed([]).shape == (0, embedder.dim)
    assert embedder.licence
    assert len(embedder.fingerprint) == 64
    assert 8_000 <= embedder.sample_rate <= 48_000


def test_a_broken_sound_is_refused(embedder: Embedder) -> None:
    for samples in (np.zeros((1, 0)), np.full((1, 4_410), np.nan)):
        with pytest.raises(AudioError, match="empty, or holds NaN"):
            embedder.embed([Audio(samples, 44_100)])


def test_frames_can_be_lined_up_instead(embedder: Embedder) -> None:
    assert isinstance(embedder, FrameEmbedder)
    if not embedder.framewise:
        with pytest.raises(InputError, match="leave /flat away"):
            embedder.reduced("flat")
        return
    flat = embedder.reduced("flat")
    assert (flat.name, flat.dim) == (f"{embedder.name}/flat", 0)
    assert flat.fingerprint != embedder.fingerprint
    sounds = [tone(220.0, 1.2), tone(440.0, 1.2)]
    vectors = flat.embed(sounds)
    assert vectors.shape[1] % embedder.dim == 0 or embedder.name == "mstft"
    assert vectors.shape[1] > embedder.dim
    if embedder.name != "mstft":
        means = vectors.reshape(2, -1, embedder.dim).mean(axis=1)
        np.testing.assert_allclose(means, embedder.embed(sounds), rtol=1e-3, atol=1e-4)
    with pytest.raises(AudioError, match="sounds of one length"):
        flat.embed([sounds[0], tone(220.0, 4.2)])
