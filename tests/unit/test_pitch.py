"""The ear's pitch, on made sounds whose pitch is known and on recordings by people."""

from __future__ import annotations

import numpy as np
import pytest

from menura.audio import Audio, read_audio
from menura.errors import AudioError, NoteError
from menura.evaluation.bench import recordings
from menura.features.comb import SpectralPeaks, sharpen
from menura.features.pitch import TRACK_STEP, NoteEstimate, estimate_note
from menura.features.trackers import hertz, midi

RATE = 44_100


def tone(hz, partials: dict[int, float], *, seconds: float = 1.2, decay: float = 0.0, noise: float = 1e-4) -> Audio:
    """Partials by number and amplitude; `hz` is a number or a curve, shape (samples,)."""
    count = int(seconds * RATE)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, count)) / RATE
    time = np.arange(count) / RATE
    wave = sum(level * np.sin(number * phase + number) for number, level in partials.items())
    ramp = np.minimum(1.0, np.minimum(time, seconds - time) / 0.01)
    rng = np.random.default_rng(0)
    sound = (0.3 * wave * np.exp(-decay * time) + noise * rng.normal(size=count)) * ramp
    return Audio(0.8 * sound / np.abs(sound).max(), RATE)


SAW = {number: 1.0 / number for number in range(1, 21)}
ODD = {number: 1.0 / number for number in range(1, 20, 2)}
NO_FUNDAMENTAL = {number: 1.0 / number for number in range(2, 14)}
SINE = {1: 1.0}


def cents_off(estimate: NoteEstimate, hz: float) -> float:
    return abs(1200 * np.log2(estimate.fundamental_hz / hz))


@pytest.mark.parametrize("hz", [27.5, 41.2, 110.0, 440.0, 1318.5, 3520.0])
@pytest.mark.parametrize("partials", [SAW, ODD, SINE], ids=["saw", "odd", "sine"])
def test_plain_tones_are_heard_to_two_cents(hz, partials):
    partials = {number: level for number, level in partials.items() if number * hz < 0.45 * RATE}
    estimate = estimate_note(tone(hz, partials))
    assert estimate.pitched
    assert cents_off(estimate, hz) < 2.0
    assert estimate.pitch == pytest.approx(float(midi(np.array(hz))), abs=0.03)
    assert estimate.confidence > 0.5


def test_bass_below_the_range_of_most_trackers():
    assert cents_off(estimate_note(tone(20.6, SAW, seconds=2.0)), 20.6) < 5.0


def test_a_missing_fundamental_is_heard():
    assert cents_off(estimate_note(tone(196.0, NO_FUNDAMENTAL)), 196.0) < 3.0


def test_a_pluck_with_stiff_strings():
    stretched = {number * np.sqrt(1 + 3e-4 * number**2): level for number, level in SAW.items()}
    assert cents_off(estimate_note(tone(82.4, stretched, decay=4.0)), 82.4) < 15.0


def test_a_short_high_note():
    assert cents_off(estimate_note(tone(1046.5, SINE, seconds=0.12)), 1046.5) < 10.0


def test_vibrato_is_followed_and_averaged():
    time = np.arange(int(2.0 * RATE)) / RATE
    curve = 330.0 * 2 ** (40 / 1200 * np.sin(2 * np.pi * 5.5 * time))
    estimate = estimate_note(tone(curve, SAW, seconds=2.0))
    assert cents_off(estimate, 330.0) < 8.0
    wanted = np.interp(estimate.track_times, time, curve)
    inner = (estimate.track_times > 0.1) & (estimate.track_times < 1.9)
    error = 1200 * np.log2(estimate.track_hz / wanted)[inner]
    assert np.sqrt(np.mean(error**2)) < 10.0


def test_a_glide_is_followed_in_one_octave():
    time = np.arange(int(1.5 * RATE)) / RATE
    curve = 110.0 * 2 ** (5 / 12 * np.clip((time - 0.4) / 0.5, 0, 1))
    estimate = estimate_note(tone(curve, SAW, seconds=1.5))
    wanted = np.interp(estimate.track_times, time, curve)
    inner = (estimate.track_times > 0.1) & (estimate.track_times < 1.4)
    assert np.percentile(np.abs(1200 * np.log2(estimate.track_hz / wanted)[inner]), 90) < 25.0


def test_the_track_covers_the_sound():
    audio = tone(220.0, SAW, seconds=0.8)
    estimate = estimate_note(audio)
    assert estimate.track_times.shape == estimate.track_hz.shape == estimate.track_voiced.shape
    assert estimate.track_times[0] == 0.0
    assert estimate.total - estimate.track_times[-1] <= TRACK_STEP + 1e-9
    assert estimate.track_voiced.mean() > 0.8
    assert np.ptp(1200 * np.log2(estimate.track_hz / 220.0)) < 5.0


def noise(seconds: float = 0.6, decay: float = 8.0) -> Audio:
    time = np.arange(int(seconds * RATE)) / RATE
    return Audio(0.3 * np.random.default_rng(3).normal(size=time.size) * np.exp(-decay * time), RATE)


def test_noise_and_clicks_have_no_pitch():
    click = np.zeros(4410)
    click[10:14] = 1.0
    for sound in (noise(), noise(0.08, 60.0), Audio(click, RATE)):
        estimate = estimate_note(sound)
        assert not estimate.pitched
        assert estimate.pitch == 60.0
        assert not estimate.sustaining
        assert not estimate.track_voiced.any()


def test_silence_and_a_millisecond_are_cases_not_errors():
    for sound in (Audio(np.zeros(RATE), RATE), Audio(np.full(44, 0.5), RATE), Audio(np.ones(1), RATE)):
        estimate = estimate_note(sound)
        assert not estimate.pitched
        assert np.isfinite([estimate.confidence, estimate.hold, estimate.total, estimate.release]).all()


def test_the_callers_pitch_is_kept_and_measured_finely():
    estimate = estimate_note(tone(hertz(57.2), SAW), pitch=57.0)
    assert estimate.pitch == 57.0
    assert estimate.pitched
    assert cents_off(estimate, hertz(57.2)) < 2.0
    assert estimate_note(noise(), pitch=48.0).pitch == 48.0


@pytest.mark.parametrize("pitch", [-1.0, 128.0, float("nan")])
def test_a_pitch_that_is_no_key_is_refused(pitch):
    with pytest.raises(NoteError):
        estimate_note(tone(220.0, SAW), pitch=pitch)


def test_a_broken_sound_is_refused():
    with pytest.raises(AudioError):
        estimate_note(Audio(np.full(4410, np.nan), RATE))


def test_other_rates_and_levels_do_not_matter():
    audio = tone(220.0, SAW)
    for other in (audio.resample(16_000), audio.resample(96_000), audio.gain(-50.0)):
        assert cents_off(estimate_note(other), 220.0) < 2.0


def test_a_comb_prefers_the_fundamental_to_its_octaves():
    peaks = SpectralPeaks.of(tone(220.0, SAW).mono, RATE)
    fits = {ratio: peaks.fit(220.0 * ratio) for ratio in (1 / 3, 0.5, 1.0, 1.5, 2.0, 3.0)}
    assert max(fits, key=lambda ratio: fits[ratio]) == 1.0
    assert fits[1.0] > 0.9


@pytest.mark.parametrize("partials", [SAW, ODD, SINE], ids=["saw", "odd", "sine"])
def test_a_rough_fundamental_is_sharpened(partials):
    for hz in (30.0, 220.0, 1500.0):
        known = {number: level for number, level in partials.items() if number * hz < 0.45 * RATE}
        assert sharpen(tone(hz, known).mono, RATE, 1.008 * hz) == pytest.approx(hz, rel=4e-4)


def test_recordings_by_people(shared_data):
    """A sample of the recordings: 94 of 100 within 50 cents, and no false note where there is none."""
    rows = recordings(shared_data / "real" / "manifest.csv")
    known = [row for row in rows if row.pitch is not None][::5]
    estimates = [(row, estimate_note(read_audio(row.sound))) for row in known]
    right = [abs(estimate.pitch - row.pitch) <= 0.5 for row, estimate in estimates if row.pitch is not None]
    assert len(right) > 30
    assert np.mean(right) >= 0.94
    names = ("snap", "Clap", "Shaker", "HiHat", "fingerclap", "belly")
    toneless = [row for row in rows if row.category == "percussive" and any(name in row.id for name in names)][:8]
    assert len(toneless) >= 6
    assert not any(estimate_note(read_audio(row.sound)).pitched for row in toneless)
