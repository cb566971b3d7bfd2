"""Real files of every format, rate and width, and every way in which one can be bad."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import AsNobody
from menura.audio import Audio, encode_audio, read_audio, write_audio
from menura.errors import AudioError, OutputError


def tone(hz: float = 440.0, seconds: float = 0.5, rate: int = 44_100, peak: float = 0.5) -> np.ndarray:
    return peak * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def refusal(path: Path) -> str:
    with pytest.raises(AudioError) as caught:
        read_audio(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


# ---------------------------------------------------------------------- good files


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 96_000, 384_000])
@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        ("wav", "PCM_U8", 1e-2),
        ("wav", "PCM_16", 1e-4),
        ("wav", "PCM_24", 1e-6),
        ("wav", "PCM_32", 1e-6),
        ("wav", "FLOAT", 1e-7),
        ("wav", "DOUBLE", 1e-7),
        ("wav", "ULAW", 3e-2),
        ("flac", "PCM_16", 1e-4),
        ("flac", "PCM_24", 1e-6),
        ("aiff", "PCM_16", 1e-4),
        ("aiff", "FLOAT", 1e-7),
    ],
)
def test_lossless_formats(tmp_path: Path, suffix: str, subtype: str, tolerance: float, rate: int) -> None:
    wave = np.stack([tone(rate=rate), tone(660, rate=rate)])
    path = tmp_path / f"x.{suffix}"
    soundfile.write(path, wave.T, rate, subtype=subtype)
    audio = read_audio(path)
    assert audio.sample_rate == rate
    np.testing.assert_allclose(audio.samples, wave, atol=tolerance)


@pytest.mark.parametrize(("suffix", "rate"), [("ogg", 44_100), ("ogg", 48_000), ("mp3", 44_100), ("mp3", 22_050)])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_formats(tmp_path: Path, suffix: str, rate: int, channels: int) -> None:
    path = tmp_path / f"x.{suffix}"
    soundfile.write(path, np.stack([tone(rate=rate, seconds=1.0)] * channels).T, rate)
    audio = read_audio(path)
    assert audio.channels == channels
    assert audio.seconds == pytest.approx(1.0, abs=0.06)
    spectrum = np.abs(np.fft.rfft(audio.mono[: rate // 2] * np.hanning(rate // 2)))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=2)
    assert audio.cut(0.3, 0.7).peak == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_channel_counts(tmp_path: Path, channels: int) -> None:
    wave = np.stack([tone(200.0 + 50 * k) for k in range(channels)])
    soundfile.write(tmp_path / "x.wav", wave.T, 44_100, subtype="FLOAT")
    assert read_audio(tmp_path / "x.wav").samples.shape == (channels, 22_050)


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.flac", tone(), 44_100)
    (tmp_path / "x.flac").rename(tmp_path / "grüße ♪.wav")
    assert read_audio(tmp_path / "grüße ♪.wav").seconds == 0.5


def test_a_rate_can_be_asked_for(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", tone(rate=384_000), 384_000)
    audio = read_audio(tmp_path / "x.wav", sample_rate=44_100)
    assert audio.sample_rate == 44_100
    assert audio.samples.shape == (1, 22_050)


def test_reading_changes_no_level_and_trims_nothing(tmp_path: Path) -> None:
    wave = np.concatenate((np.zeros(22_050), tone(peak=0.01)))
    soundfile.write(tmp_path / "x.wav", wave, 44_100, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "x.wav").samples[0], wave.astype(np.float32))


def test_every_shared_recording_is_read(shared_data: Path) -> None:
    paths = sorted((shared_data / "real").glob("*/*.flac"))
    assert len(paths) >= 300
    for path in paths[::8]:
        audio = read_audio(path, sample_rate=44_100)
        assert audio.peak > 0.5
        assert audio.trim(tail=False).seconds > audio.seconds - 0.25


# ---------------------------------------------------------------------- warnings


def test_a_clipped_file_is_used_with_a_warning(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.clip(tone(peak=2.0), -1.0, 1.0), 44_100, subtype="PCM_16")
    heard: list[str] = []
    audio = read_audio(tmp_path / "x.wav", on_warning=heard.append)
    assert audio.seconds == 0.5
    assert len(heard) == 1
    assert "clipped" in heard[0]


@pytest.mark.parametrize("peak", [0.5, 1.0])
def test_a_clean_file_warns_of_nothing(tmp_path: Path, peak: float) -> None:
    soundfile.write(tmp_path / "x.wav", tone(peak=peak), 44_100, subtype="PCM_24")
    heard: list[str] = []
    read_audio(tmp_path / "x.wav", on_warning=heard.append)
    assert heard == []


def test_a_warning_nobody_listens_for_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    soundfile.write(tmp_path / "x.wav", np.ones(4_410), 44_100)
    read_audio(tmp_path / "x.wav")
    assert "clipped" in caplog.text


def test_an_hour_is_read_from_where_it_sounds_and_never_whole(tmp_path: Path) -> None:
    path = tmp_path / "hour.wav"
    rate = 8_000
    silence = np.zeros(60 * rate, np.int16)
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
        for _ in range(30):
            file.write(silence)
        file.write(np.int16(10_000 * tone(peak=1.0, seconds=60.0, rate=rate)))
        for _ in range(29):
            file.write(silence)
    heard: list[str] = []
    tracemalloc.start()
    audio = read_audio(path, max_seconds=12.0, on_warning=heard.append)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert audio.seconds == 12.0
    assert abs(audio.samples[0, :40]).max() > 0.1
    assert most < 8_000_000
    assert len(heard) == 1
    assert "3600.0 s long; the first 12.0 s" in heard[0]


def test_a_long_silence_is_silent(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros(20 * 8_000), 8_000)
    assert "is silent" in refusal(tmp_path / "x.wav")


# ---------------------------------------------------------------------- bad files


def test_no_file(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "x.wav")


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


def test_zero_bytes(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"")
    assert "0 bytes" in refusal(tmp_path / "x.wav")


@pytest.mark.parametrize("name", ["x.wav", "x.txt", "x.raw", "x", "x.mp3"])
def test_no_sound(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Not a sound at all, but a few lines of text.\n" * 40)
    assert "give WAV, FLAC, OGG, MP3 or AIFF" in refusal(tmp_path / name)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device")
def test_a_device() -> None:
    assert "is not a file" in refusal(Path("/dev/zero"))


def test_no_permission(public_folder: Path, as_nobody: AsNobody) -> None:
    soundfile.write(public_folder / "x.wav", tone(), 44_100)
    (public_folder / "x.wav").chmod(0)
    with as_nobody():
        assert "cannot be read (Permission denied)" in refusal(public_folder / "x.wav")


def test_a_name_that_is_none() -> None:
    with pytest.raises(AudioError, match="does not exist"):
        read_audio("x\0.wav")


def test_no_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros(0), 44_100)
    assert "holds no samples" in refusal(tmp_path / "x.wav")


def test_one_millisecond(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", tone(seconds=0.001), 44_100)
    message = refusal(tmp_path / "x.wav")
    assert "ms long" in message
    assert "at least 20 ms" in message


@pytest.mark.parametrize("level", [0.0, 5e-5])
def test_silence(tmp_path: Path, level: float) -> None:
    soundfile.write(tmp_path / "x.wav", tone(peak=level), 44_100, subtype="FLOAT")
    assert "is silent" in refusal(tmp_path / "x.wav")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("seconds", [0.5, 20.0])
def test_samples_that_are_no_numbers(tmp_path: Path, bad: float, seconds: float) -> None:
    wave = tone(seconds=seconds, rate=8_000)
    wave[800:810] = bad
    soundfile.write(tmp_path / "x.wav", wave, 8_000, subtype="FLOAT")
    message = refusal(tmp_path / "x.wav")
    assert "10 samples that are not numbers" in message
    assert "at 0.100 s" in message


def test_absurd_levels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", tone(peak=1e30), 44_100, subtype="FLOAT")
    assert "times full scale" in refusal(tmp_path / "x.wav")


def test_an_absurd_rate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", tone(), 10)
    assert "sample rate of 10 Hz" in refusal(tmp_path / "x.wav")


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_cut_short(tmp_path: Path, suffix: str, share: float, rng: np.random.Generator) -> None:
    path = tmp_path / f"x.{suffix}"
    soundfile.write(path, 0.1 * rng.standard_normal(44_100), 44_100)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    message = refusal(path)
    assert "is cut short" in message or "cannot be read as a sound" in message


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_a_stream_that_ends_early_is_a_shorter_sound_or_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    soundfile.write(path, tone(seconds=2.0), 44_100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    try:
        assert 0.2 < read_audio(path).seconds < 2.0
    except AudioError as error:
        assert "\n" not in str(error)


def test_a_damaged_mp3_says_nothing_past_python(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(encode_audio(Audio(tone(seconds=2.0), 44_100), ".mp3"))
    for place in range(900, len(data) // 2, 97):
        data[place] ^= 0xFF
    (tmp_path / "x.mp3").write_bytes(bytes(data[: len(data) // 2]))
    try:
        read_audio(tmp_path / "x.mp3", on_warning=lambda _: None)
    except AudioError as error:
        assert "\n" not in str(error)
    assert capfd.readouterr() == ("", "")
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"


@pytest.mark.parametrize("length", [0xFFFF_FFFF, 0])
def test_a_recorder_that_streams_leaves_no_length(tmp_path: Path, length: int) -> None:
    data = bytearray(encode_audio(Audio(tone(), 44_100)))
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", length)
    path = tmp_path / "x.wav"
    path.write_bytes(bytes(data))
    if length:
        assert read_audio(path).seconds == pytest.approx(0.5, abs=0.01)
    else:
        try:
            assert read_audio(path).seconds == pytest.approx(0.5, abs=0.01)
        except AudioError as error:
            assert "holds no samples" in str(error)


# ---------------------------------------------------------------------- writing


@pytest.mark.parametrize(("suffix", "tolerance"), [(".wav", 0.0), (".flac", 1e-6), (".aiff", 1e-6), (".AIF", 1e-6)])
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str, tolerance: float) -> None:
    audio = Audio(np.stack([tone(), tone(660)]), 44_100)
    back = read_audio(write_audio(tmp_path / f"x{suffix}", audio))
    np.testing.assert_allclose(back.samples, audio.samples, atol=tolerance)


@pytest.mark.parametrize("suffix", [".ogg", ".mp3"])
def test_lossy_formats_are_written(tmp_path: Path, suffix: str) -> None:
    back = read_audio(write_audio(tmp_path / f"x{suffix}", Audio(tone(), 44_100)))
    assert back.cut(0.1, 0.4).peak == pytest.approx(0.5, abs=0.05)


def test_wav_clips_nothing_and_equal_sounds_make_equal_files(tmp_path: Path) -> None:
    audio = Audio(tone(peak=3.0), 48_000)
    write_audio(tmp_path / "a.wav", audio)
    assert soundfile.info(tmp_path / "a.wav").subtype == "FLOAT"
    assert read_audio(tmp_path / "a.wav").peak == pytest.approx(3.0, rel=1e-3)
    assert encode_audio(audio) == (tmp_path / "a.wav").read_bytes()


def test_a_format_that_would_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"peaks at 3\.00, which FLAC would clip"):
        write_audio(tmp_path / "x.flac", Audio(tone(peak=3.0), 44_100))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x", "x.m4a", "x.vital"])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AudioError, match=r"end its name in \.wav"):
        write_audio(tmp_path / name, Audio(tone(), 44_100))


def test_a_format_that_cannot_hold_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be written as MP3"):
        write_audio(tmp_path / "x.mp3", Audio(np.zeros((8, 4_410)), 44_100))
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "x.wav", Audio(tone(), 44_100))
    with pytest.raises(OutputError, match="exists"):
        write_audio(path, Audio(tone(660), 44_100))
    assert write_audio(path, Audio(tone(660), 44_100), force=True) == path
