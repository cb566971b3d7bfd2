"""What is done to sounds for robustness: each does what its name says, by the number that it states."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menura.audio import Audio, read_audio, write_audio
from menura.datasets import degradations
from menura.datasets.conditions import CONDITIONS, with_conditions
from menura.datasets.item import Item, SoundSet
from menura.datasets.sets import load_set
from menura.errors import UnknownNameError
from menura.note import Note

RATE = 44_100


def sound(seconds=0.5, frequency=220.0, channels=1, level=0.5, rate=RATE):
    time = np.arange(round(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * frequency * number * time) / number for number in range(1, 6))
    tone *= np.exp(-3.0 * time) * level / 1.7
    return Audio(np.stack([tone * 0.8**channel for channel in range(channels)]), rate)


sounds = st.builds(
    sound,
    seconds=st.floats(0.1, 0.8),
    frequency=st.floats(60, 2000),
    channels=st.integers(1, 2),
    level=st.floats(0.01, 2.0),
    rate=st.sampled_from([16_000, 44_100, 48_000]),
)


def power_db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))


@given(sounds, st.integers(0, 100), st.floats(0, 40))
def test_noise_has_the_stated_power(audio, seed, snr_db):
    noisy = degradations.with_noise(audio, np.random.default_rng(seed), snr_db=snr_db)
    noise = noisy.samples.astype(np.float64) - audio.samples
    assert power_db(audio.samples) - power_db(noise) == pytest.approx(snr_db, abs=0.01)
    assert noisy.samples.shape == audio.samples.shape


def test_noise_is_white():
    noisy = degradations.with_noise(sound(2.0), np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(noisy.samples[0] - sound(2.0).samples[0])) ** 2
    halves = spectrum[: spectrum.size // 2].mean(), spectrum[spectrum.size // 2 :].mean()
    assert abs(10 * np.log10(halves[0] / halves[1])) < 0.5


@given(st.integers(0, 100), st.floats(0.2, 1.5))
@settings(max_examples=20)
def test_a_room_decays_by_60_db_in_the_stated_time(seed, rt60):
    response = degradations.room(np.random.default_rng(seed), RATE, rt60=rt60)
    assert np.sum(np.square(response)) == pytest.approx(1.0)
    assert response.size == round(rt60 * RATE)
    # Schroeder's backward integration; the slope between -5 and -25 dB is that of the whole decay.
    left_db = 10 * np.log10(np.cumsum(np.square(response)[::-1])[::-1])
    first, last = (int(np.argmax(left_db <= level)) for level in (-5.0, -25.0))
    assert 3.0 * (last - first) / RATE == pytest.approx(rt60, rel=0.05)


@given(sounds, st.integers(0, 20))
@settings(max_examples=20)
def test_reverberation_is_added_at_the_stated_level(audio, seed):
    wet = degradations.with_reverb(audio, np.random.default_rng(seed), rt60=0.3, direct_db=6.0)
    count = audio.samples.shape[1]
    assert wet.samples.shape[1] == count + round(0.3 * audio.sample_rate) - 1
    tail = wet.samples.astype(np.float64)
    tail[:, :count] -= audio.samples
    ratio = np.sum(np.square(audio.samples, dtype=np.float64)) / np.sum(np.square(tail))
    assert 10 * np.log10(ratio) == pytest.approx(6.0, abs=0.05)


@given(sounds)
@settings(max_examples=15)
def test_mp3_keeps_time_level_and_length(audio):
    coded = degradations.through_mp3(audio)
    plain = audio.resample(RATE)
    assert coded.sample_rate == RATE
    assert coded.samples.shape == plain.samples.shape
    assert np.all(np.isfinite(coded.samples))
    lags = np.correlate(coded.samples[0], plain.samples[0], "full")
    assert abs(int(np.argmax(lags)) - (plain.samples.shape[1] - 1)) <= 1
    assert power_db(coded.samples) == pytest.approx(power_db(plain.samples), abs=1.0)


@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_is_coded_at_64_kbit(channels, monkeypatch):
    import soundfile

    written: list[bytes] = []
    rates = degradations.mp3_bit_rate
    monkeypatch.setattr(degradations, "mp3_bit_rate", lambda data: (written.append(data), rates(data))[1])
    noise = Audio(np.random.default_rng(0).standard_normal((channels, 2 * RATE)) * 0.1, RATE)
    degraded = degradations.through_mp3(noise)
    (data,) = written
    assert rates(data) == 64
    assert len(data) * 8 / 2.0 / 1000 == pytest.approx(64, rel=0.05)
    assert soundfile.info(io.BytesIO(data)).channels == channels
    # It loses something: noise cannot be kept at that rate.
    assert power_db(degraded.samples - noise.samples) > power_db(noise.samples) - 20


def test_the_delay_of_a_codec_that_states_none_is_taken_out():
    plain = sound(0.4).samples
    late = np.pad(plain, ((0, 0), (1105, 875)))
    moved = degradations._aligned(late, plain)
    np.testing.assert_array_equal(moved, plain)


@pytest.mark.parametrize(("data", "rate"), [(b"\xff\xfb\x50\xc4", 64), (b"ID3xx\xff\xfb\xe0\x00", 320), (b"RIFF", 0)])
def test_bit_rates_are_read_from_frames(data, rate):
    assert degradations.mp3_bit_rate(data + bytes(8)) == rate


@given(sounds, st.floats(0.0, 1.0))
def test_a_lead_is_silence_of_the_stated_length(audio, seconds):
    led = degradations.with_lead(audio, seconds=seconds)
    lead = round(seconds * audio.sample_rate)
    assert not led.samples[:, :lead].any()
    np.testing.assert_array_equal(led.samples[:, lead:], audio.samples)


def peak_hz(audio):
    spectrum = np.abs(np.fft.rfft(audio.samples[0] * np.hanning(audio.samples.shape[1]), 1 << 18))
    return np.argmax(spectrum) * audio.sample_rate / (1 << 18)


@given(st.floats(-12, 12), st.floats(200, 800))
@settings(max_examples=20)
def test_transposing_moves_the_pitch_by_semitones(semitones, frequency):
    audio = sound(0.8, frequency)
    moved = degradations.transposed(audio, semitones)
    assert peak_hz(moved) == pytest.approx(peak_hz(audio) * 2 ** (semitones / 12), rel=0.01)
    assert moved.seconds == pytest.approx(audio.seconds / 2 ** (semitones / 12), rel=0.01)


@given(sounds, sounds)
def test_two_sounds_together_are_equally_loud(first, second):
    both = degradations.together(first, second)
    other = both.samples.astype(np.float64)
    other[:, : first.samples.shape[1]] -= first.samples
    count = round(second.samples.shape[1] * first.sample_rate / second.sample_rate)
    assert power_db(other[:, :count]) == pytest.approx(power_db(first.samples), abs=0.2)
    assert both.samples.shape[1] == max(first.samples.shape[1], count)


# ---------------------------------------------------------------------- sets


@pytest.fixture
def clean(tmp_path):
    """Two notes of one instrument, one of unknown pitch, one that is missing."""
    for name, frequency in (("c4", 261.6), ("g4", 392.0), ("x", 150.0)):
        write_audio(tmp_path / f"{name}.wav", sound(0.3, frequency))
    items = (
        Item("c4", tmp_path / "c4.wav", 60.0, source="s"),
        Item("g4", tmp_path / "g4.wav", 67.0, source="s"),
        Item("x", tmp_path / "x.wav", None, source="t"),
        Item("gone", tmp_path / "gone.wav", 60.0, error="gone.wav does not exist"),
    )
    return SoundSet("clean", items)


def test_clean_comes_first_and_everything_has_its_own_key(clean, tmp_path):
    found = with_conditions(clean, list(CONDITIONS), tmp_path / "run")
    assert found.items[:4] == clean.items
    assert len({item.key for item in found.items}) == len(found.items) == 4 + 6 * 4 - 1
    assert found.origin["conditions_left_out"] == {"wrong-note": 1}
    conditions = found.origin["conditions"]
    assert isinstance(conditions, dict)
    assert set(conditions) == set(CONDITIONS)
    files = [item.sound for item in found.items if not item.error and item.condition not in ("clean", "wrong-note")]
    assert len(set(files)) == len(files)
    assert all(read_audio(path).peak > 0 and path.parent == tmp_path / "run" / "targets" for path in files)


def test_answers_are_judged_against_the_clean_sound(clean, tmp_path):
    found = with_conditions(clean, list(CONDITIONS), tmp_path / "run")
    for item in found.items[4:]:
        if item.error:
            assert item.id == "gone"
        elif item.condition == "two-notes":
            assert item.judged == item.sound
        else:
            assert item.judged == tmp_path / f"{item.id}.wav"


def test_a_wrong_note_is_an_octave_away_and_the_sound_is_as_it_was(clean, tmp_path):
    found = with_conditions(clean, ["wrong-note"], tmp_path / "run", seed=3)
    for item, original in zip(found.items[4:6], clean.items, strict=False):
        assert abs(item.pitch - original.pitch) == 12.0
        assert item.sound == original.sound


@given(pitch=st.floats(0, 127), seed=st.integers(0, 20))
def test_a_wrong_note_is_always_a_key(pitch, seed):
    items = (Item("a", Path("a.wav"), pitch, note=Note(pitch, hold=0.3)),)
    found = with_conditions(SoundSet("s", items), ["wrong-note"], Path("nowhere-needed"), seed)
    told = found.items[1].pitch
    assert told is not None
    assert 0 <= told <= 127
    assert found.items[1].note == Note(told, hold=0.3)
    assert abs(told - pitch) == pytest.approx(12.0)


def test_the_second_note_is_of_the_same_instrument_where_there_is_one(clean, tmp_path):
    found = {item.id: item for item in with_conditions(clean, ["two-notes"], tmp_path / "run").items[4:]}
    first = read_audio(found["c4"].sound).samples - read_audio(tmp_path / "c4.wav").samples
    other = read_audio(tmp_path / "g4.wav").samples
    assert np.corrcoef(first[0], other[0])[0, 1] > 0.999
    # The sound without a neighbour is joined by itself, a fifth up.
    alone = read_audio(tmp_path / "x.wav")
    fifth = read_audio(found["x"].sound).samples - alone.samples
    assert peak_hz(Audio(fifth, RATE)) == pytest.approx(1.498 * peak_hz(alone), rel=0.02)


def test_degraded_sounds_are_made_once_and_by_the_seed(clean, tmp_path):
    run = tmp_path / "run"
    first = with_conditions(clean, ["noise"], run, seed=1)
    times = {item.sound: item.sound.stat().st_mtime_ns for item in first.items[4:7]}
    assert with_conditions(clean, ["noise"], run, seed=1) == first
    assert {path: path.stat().st_mtime_ns for path in times} == times
    other = with_conditions(clean, ["noise"], tmp_path / "other", seed=2)
    assert [item.sha256 for item in other.items[4:7]] != [item.sha256 for item in first.items[4:7]]


def test_an_item_with_an_error_keeps_it(clean, tmp_path):
    found = with_conditions(clean, ["noise"], tmp_path / "run")
    assert found.items[-1].error == "gone.wav does not exist"
    assert found.items[-1].key == "gone@noise"


def test_a_sound_that_turns_out_broken_is_an_error_row(clean, tmp_path):
    (tmp_path / "x.wav").write_bytes(b"nothing")
    found = with_conditions(clean, ["mp3"], tmp_path / "run")
    broken = next(item for item in found.items if item.key == "x@mp3")
    assert "mp3 could not be made" in broken.error
    assert "\n" not in broken.error


def test_an_unknown_condition_is_refused(clean, tmp_path):
    with pytest.raises(UnknownNameError, match="leading-silence"):
        with_conditions(clean, ["loud"], tmp_path)


def test_no_condition_changes_nothing(clean, tmp_path):
    assert with_conditions(clean, ["clean"], tmp_path / "run") is clean
    assert not (tmp_path / "run").exists()


def test_the_recordings_under_every_condition(shared_data, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(repository)
    found = load_set("real-quick", folder=tmp_path, synth="toy", limit=5, conditions=list(CONDITIONS))
    assert not [item.error for item in found.items if item.error]
    assert {item.condition for item in found.items} == {"clean", *CONDITIONS}
    assert all(item.judged.is_file() for item in found.items if item.judged)


def test_all_is_every_condition(tmp_path):
    from menura.audio import Audio, write_audio
    from menura.datasets.conditions import CONDITIONS, with_conditions
    from menura.datasets.item import Item, SoundSet

    items = []
    for name, hz in (("low", 110.0), ("high", 330.0)):
        wave = 0.3 * np.sin(2 * np.pi * hz * np.arange(8820) / 44_100)
        write_audio(tmp_path / f"{name}.wav", Audio(wave.astype(np.float32), 44_100))
        items.append(Item(id=name, sound=tmp_path / f"{name}.wav", pitch=60.0))
    found = with_conditions(SoundSet("two", tuple(items)), ["all"], tmp_path / "run")
    assert {item.condition for item in found.items} == {"clean", *CONDITIONS}
    assert len(found.items) == 2 * (1 + len(CONDITIONS))
