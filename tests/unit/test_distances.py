"""The protocol's metrics, held against librosa's parts put together from the published definition."""

from __future__ import annotations

import numpy as np
import pytest

from menura.errors import AudioError
from menura.features.distances import METRICS, MssTarget, all_metrics, mss, rms_similarity, sot, warping_cost, wmfcc
from menura.features.spectra import mel_filterbank

librosa = pytest.importorskip("librosa")
RATE = 44_100


def tone(hz: float, seconds: float = 0.7, decay: float = 3.0, seed: int = 0) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.01, time.size)
    partials = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 9))
    return ((0.2 * partials + noise) * np.exp(-decay * time)).astype(np.float32)


PAIRS = {
    "near": (tone(220.0), tone(221.0, seed=1)),
    "far": (tone(110.0, decay=1.0), tone(987.0, decay=9.0, seed=2)),
    "quiet": (tone(220.0), 1e-3 * tone(440.0, seed=3)),
    "with silence": (tone(220.0), np.concatenate([np.zeros(9000, np.float32), tone(220.0)])[: int(0.7 * RATE)]),
}


def librosa_mss(x: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for window, hop, mels in ((441, 220, 32), (1102, 441, 64), (4410, 2205, 128)):
        spectra = [
            librosa.power_to_db(
                librosa.feature.melspectrogram(y=s, sr=RATE, n_fft=window, hop_length=hop, n_mels=mels), ref=np.max
            )
            for s in (x, y)
        ]
        total += float(np.mean(np.abs(spectra[0] - spectra[1])))
    return total / 3


def librosa_wmfcc(x: np.ndarray, y: np.ndarray) -> float:
    first, second = (librosa.feature.mfcc(y=s, sr=RATE, n_mfcc=20, n_fft=2205, hop_length=441) for s in (x, y))
    costs = np.abs(first[:, :, None] - second[:, None, :]).mean(axis=0)
    steps = np.array([[1, 1], [0, 1], [1, 0]])
    total = librosa.sequence.dtw(
        C=costs, step_sizes_sigma=steps, weights_mul=np.array([2.0, 1.0, 1.0]), backtrack=False
    )
    return float(total[-1, -1] / sum(costs.shape))


def librosa_sot(x: np.ndarray, y: np.ndarray) -> float:
    masses = [np.abs(librosa.stft(s, n_fft=2205, hop_length=882)) for s in (x, y)]
    first, second = (m / np.maximum(m.sum(axis=0), 1e-6) for m in masses)
    return float(np.abs(np.cumsum(first, axis=0) - np.cumsum(second, axis=0)).mean())


def librosa_rms(x: np.ndarray, y: np.ndarray) -> float:
    first, second = (librosa.feature.rms(y=s, frame_length=2205, hop_length=1102)[0] for s in (x, y))
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(mss, librosa_mss), (wmfcc, librosa_wmfcc), (sot, librosa_sot), (rms_similarity, librosa_rms)],
    ids=METRICS,
)
def test_equals_the_published_definition(name, ours, theirs):
    target, prediction = PAIRS[name]
    assert ours(target, prediction) == pytest.approx(theirs(target, prediction), abs=1e-3)


def test_mel_filters_are_librosas():
    for n_fft, n_mels in ((441, 32), (1102, 64), (4410, 128), (2205, 128)):
        # Windows this short leave a band without a bin; librosa warns, the protocol keeps it so.
        theirs = librosa.filters.mel(sr=RATE, n_fft=n_fft, n_mels=n_mels)
        np.testing.assert_allclose(mel_filterbank(RATE, n_fft, n_mels).T, theirs, atol=1e-7)


def test_warping_forgives_time_not_timbre():
    rng = np.random.default_rng(0)
    sequence = rng.normal(size=(40, 20)).astype(np.float32)
    slower = np.repeat(sequence, 2, axis=0)
    assert warping_cost(sequence, slower) == 0.0
    assert warping_cost(sequence, sequence[::-1]) > 0.3
    assert warping_cost(sequence[:1], sequence[1:2]) == pytest.approx(np.abs(sequence[0] - sequence[1]).mean() / 2)


def test_a_prepared_target_answers_as_the_function_does():
    target, prediction = PAIRS["far"]
    prepared = MssTarget(target, RATE)
    assert prepared.distance(prediction) == mss(target, prediction)
    assert prepared.distance(prediction[:5000]) == mss(target, prediction[:5000])
    longer = np.pad(prediction, (0, 4000))
    assert prepared.distance(longer) == pytest.approx(mss(longer, target))


@pytest.mark.parametrize("bad", [np.zeros(0), np.full(100, np.nan), np.zeros((2, 100)), np.array([0.0, np.inf])])
def test_what_is_no_mono_sound_is_refused(bad):
    for metric in (mss, wmfcc, sot, rms_similarity):
        with pytest.raises(AudioError):
            metric(bad, PAIRS["near"][0])
        with pytest.raises(AudioError):
            metric(PAIRS["near"][0], bad)


def test_silence_and_one_sample_have_finite_distances():
    silence = np.zeros(8820, np.float32)
    for pair in ((silence, silence), (silence, PAIRS["near"][0]), (np.ones(1), silence)):
        assert all(np.isfinite(value) for value in all_metrics(*pair).values())
    assert rms_similarity(silence, silence) == 1.0
    assert rms_similarity(silence, PAIRS["near"][0]) == 0.0
