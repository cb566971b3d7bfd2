"""The list of metrics, and what each says of sounds whose answer is known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from menura.audio import read_audio
from menura.errors import AudioError, UnknownNameError, WorkError
from menura.evaluation import metrics
from menura.evaluation.metrics import DEFAULT, METRICS, Metric, measure_all
from menura.features import proxy_distances, spectra
from menura.features.level_distances import log_mel_distance, loudness, loudness_difference
from menura.features.pitch_errors import pitch_errors
from menura.registry import Registry

librosa = pytest.importorskip("librosa")
RATE = 44_100


def tone(hz, seconds: float = 0.6, partials: int = 10, level: float = 0.1) -> np.ndarray:
    """A steady harmonic tone; `hz` is a number or a curve of shape (samples,)."""
    count = int(seconds * RATE)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, count)) / RATE
    number = np.arange(1, partials + 1)
    return (level * (np.sin(np.outer(phase, number)) @ (1.0 / number))).astype(np.float32)


def white(count: int, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(0).normal(size=count)).astype(np.float32)


def cents(amount: float) -> float:
    return 2.0 ** (amount / 1200.0)


class TestTheList:
    def test_every_default_is_registered_under_its_name(self):
        assert set(DEFAULT) <= set(METRICS.names())
        for name in DEFAULT:
            metric = METRICS.get(name)
            assert metric.name == name
            assert metric.title
            assert metric.source
            assert metric.better in ("lower", "higher", "zero")

    def test_measures_those_asked_for_in_that_order(self):
        found = measure_all(["rms", "mss"], tone(220.0), tone(220.0), RATE)
        assert list(found) == ["rms", "mss"]
        assert found["mss"] == 0.0

    def test_an_unknown_name_is_told(self):
        with pytest.raises(UnknownNameError, match="no metric is called 'mfcc'"):
            measure_all(["mfcc"], tone(220.0), tone(220.0), RATE)

    def test_a_metric_of_another_package_must_give_a_number(self, monkeypatch):
        mine: Registry[Metric] = Registry("metric", "menura.test")
        mine.register("bad", Metric("bad", "Bad", "", "lower", 2, "nobody", lambda *_: float("nan")))
        mine.register("none", Metric("none", "None", "", "lower", 2, "nobody", lambda *_: None))
        monkeypatch.setattr(metrics, "METRICS", mine)
        assert measure_all(["none"], tone(220.0), tone(220.0), RATE) == {"none": None}
        with pytest.raises(WorkError, match="metric 'bad' gave nan"):
            measure_all(["bad"], tone(220.0), tone(220.0), RATE)

    def test_a_cost_is_lower_for_what_is_nearer(self):
        assert METRICS.get("mss").cost(2.0) == 2.0
        assert METRICS.get("rms").cost(0.9) < METRICS.get("rms").cost(0.8)
        assert METRICS.get("loudness").cost(-3.0) == 3.0 == METRICS.get("loudness").cost(3.0)

    @pytest.mark.parametrize("name", DEFAULT)
    @pytest.mark.parametrize("bad", [np.zeros(0), np.full(100, np.nan), np.zeros((2, 100))], ids=["empty", "nan", "2d"])
    def test_what_is_no_mono_sound_is_refused(self, name, bad):
        for pair in ((bad, tone(220.0)), (tone(220.0), bad)):
            with pytest.raises(AudioError):
                measure_all([name], *pair, RATE)

    @pytest.mark.parametrize("name", DEFAULT)
    def test_silence_and_single_samples_have_an_answer(self, name):
        silence = np.zeros(8_820, np.float32)
        for pair in ((silence, silence), (silence, tone(220.0)), (tone(220.0), silence), (np.ones(1), np.ones(3))):
            value = measure_all([name], *pair, RATE)[name]
            assert value is None or np.isfinite(value)
        found = measure_all([name], silence, silence, RATE)[name]
        assert found is None or METRICS.get(name).cost(found) in (0.0, -1.0)


class TestAgainstLibrosa:
    @pytest.mark.parametrize(("window", "hop"), [(441, 220), (2205, 882), (1024, 256)])
    def test_the_transform(self, window, hop):
        sound = tone(313.0) + white(int(0.6 * RATE))
        theirs = librosa.stft(sound, n_fft=window, hop_length=hop)
        ours = spectra.stft(sound, window, hop).T
        np.testing.assert_allclose(ours, theirs, atol=1e-3 * np.abs(theirs).max() * 1e-2)

    def test_mel_bands_and_cepstra(self):
        sound = tone(313.0) + white(int(0.6 * RATE), 0.01)
        settings = {"sr": RATE, "n_fft": 2205, "hop_length": 441, "n_mels": 128}
        power = librosa.feature.melspectrogram(y=sound, **settings)
        np.testing.assert_allclose(spectra.mel_power(sound, RATE, 2205, 441, 128).T, power, rtol=1e-3, atol=1e-9)
        mfcc = librosa.feature.mfcc(y=sound, n_mfcc=20, **settings)
        np.testing.assert_allclose(spectra.mfcc(sound, RATE, 2205, 441).T, mfcc, rtol=1e-3, atol=1e-2)

    def test_the_bands_of_the_mel_distance(self):
        magnitudes = np.abs(white(513 * 7)).reshape(7, 513)
        for rate in (22_050, 32_000, 44_100, 48_000):
            bank = librosa.filters.mel(sr=rate, n_fft=1024, n_mels=128)
            ours = spectra.mel_bands(magnitudes, rate, 1024, 128)
            np.testing.assert_allclose(ours, magnitudes @ bank.T, rtol=1e-3, atol=1e-9)


class TestLevel:
    def test_loudness_of_the_standards_own_sine(self):
        # BS.1770: a 997 Hz sine at full scale in one channel is -3.01 LKFS.
        sine = np.sin(2 * np.pi * 997.0 * np.arange(3 * RATE) / RATE).astype(np.float32)
        assert loudness(sine, RATE) == pytest.approx(-3.01, abs=0.02)

    @pytest.mark.parametrize("db", [-20.0, -6.0, 0.0, 6.0])
    def test_loudness_counts_gain_as_it_is(self, db):
        sound = tone(220.0)
        assert loudness_difference(sound, sound * np.float32(10 ** (db / 20)), RATE) == pytest.approx(db, abs=0.01)

    def test_silence_is_seventy_below(self):
        sound, silence = tone(220.0), np.zeros(9_000, np.float32)
        assert loudness_difference(silence, silence, RATE) == 0.0
        assert loudness_difference(sound, silence, RATE) == pytest.approx(-70.0 - loudness(sound, RATE))

    def test_long_silence_after_a_sound_does_not_count(self):
        sound = tone(220.0, 1.2)
        little = loudness(np.pad(sound, (0, RATE // 2)), RATE)
        assert loudness(np.pad(sound, (0, 20 * RATE)), RATE) == pytest.approx(little, abs=0.01)

    @pytest.mark.parametrize("db", [-12.0, -6.0, 3.0])
    def test_log_mel_counts_gain_where_there_is_sound(self, db):
        # Noise fills every band, and none comes near the floor 80 dB down.
        sound = white(RATE // 2)
        louder = sound * np.float32(10 ** (db / 20))
        assert log_mel_distance(sound, louder, RATE) == pytest.approx(abs(db), rel=1e-3)


class TestPitch:
    @pytest.mark.parametrize("amount", [0.0, 4.0, 20.0, 49.0, 70.0, 100.0, 1200.0])
    def test_detuning_is_read_in_cents(self, amount):
        found = pitch_errors(tone(220.0), tone(220.0 * cents(amount)), RATE)
        assert found.median_cents == pytest.approx(amount, abs=1.0)
        assert found.gross_share == pytest.approx(float(amount > 50.0), abs=0.02)

    def test_half_a_note_off_is_half_gross(self):
        curve = np.where(np.arange(2 * RATE) < RATE, 220.0, 220.0 * cents(150.0))
        found = pitch_errors(tone(220.0, 2.0), tone(curve, 2.0), RATE)
        assert found.gross_share == pytest.approx(0.5, abs=0.06)

    def test_noise_has_no_pitch_to_be_wrong(self):
        found = pitch_errors(white(RATE), tone(220.0), RATE)
        assert found.median_cents is None
        assert found.gross_share is None

    def test_an_answer_without_pitch_is_all_wrong(self):
        for answer in (white(RATE), np.zeros(RATE, np.float32)):
            found = pitch_errors(tone(220.0), answer, RATE)
            assert found.median_cents is None
            assert found.gross_share == 1.0

    def test_an_answer_that_ends_early_loses_the_rest(self):
        found = pitch_errors(tone(220.0, 1.0), tone(220.0, 0.5), RATE)
        assert found.median_cents == pytest.approx(0.0, abs=1.0)
        assert found.gross_share == pytest.approx(0.5, abs=0.08)

    def test_recordings_played_a_semitone_faster(self, shared_data):
        heard = 0
        for file in sorted((shared_data / "real").rglob("*.flac"))[5::70]:
            audio = read_audio(file).to_mono().resample(RATE)
            target = audio.mono[: 2 * RATE]
            # The same samples, said to be at a rate a semitone lower: played at the old rate they are a semitone up.
            slower = round(RATE / cents(100.0))
            faster = audio.resample(slower).mono[: int(2 * slower)]
            found = pitch_errors(target, faster, RATE)
            if found.median_cents is not None and pitch_errors(target, target, RATE).gross_share == 0.0:
                heard += 1
                assert found.median_cents == pytest.approx(100.0, abs=12.0), file.name
        assert heard >= 3


class TestProxyDistances:
    def test_bands_without_a_bin_do_not_count(self):
        rate = 96_000
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            empty = ~librosa.filters.mel(sr=rate, n_fft=1024, n_mels=128).any(axis=1)
        assert empty.any()
        assert np.isfinite(proxy_distances.mel_stft_distance(white(9_000), white(9_000, 0.3), rate))

    def test_the_first_term_is_relative_to_the_target(self):
        sound, softer = white(20_000), white(20_000, 0.05)
        # Magnitudes of half the size: convergence 0.5 of the louder and 1 of the softer target, log 2 both times.
        assert proxy_distances.stft_distance(sound, softer) == pytest.approx(0.5 + np.log(2.0), rel=1e-3)
        assert proxy_distances.stft_distance(softer, sound) == pytest.approx(1.0 + np.log(2.0), rel=1e-3)
        assert proxy_distances.multi_stft_distance(sound, softer) == pytest.approx(0.5 + np.log(2.0), rel=1e-3)

    def test_what_is_shorter_is_continued_by_silence(self):
        sound = white(20_000)
        for distance in (proxy_distances.stft_distance, proxy_distances.mfcc_distance, log_mel_distance):
            assert distance(sound, sound[:12_000]) == distance(sound, np.pad(sound[:12_000], (0, 8_000)))
            assert distance(sound, sound[:12_000]) > 0.3
