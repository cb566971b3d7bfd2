"""What can go wrong with a sound before it is heard: pure functions from sound to sound. Knows no item and no file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.errors import AudioError

NOISE_DB = 20.0
"""Signal over noise, dB."""
REVERB_SECONDS = 0.8
"""RT60: after this the reverberation is 60 dB below where it began."""
REVERB_DB = 6.0
"""Direct sound over reverberation, dB."""
LEAD_SECONDS = 0.3
"""Of silence before the sound."""
BIT_RATE = 64
"""Of the MP3, kbit/s for all channels together."""
FIFTH = 7.0
"""Semitones from a sound to the second note that is made of it."""
_MP3_RATE = 44_100
# libsndfile spreads its compression levels evenly over 32 to 320 kbit/s and LAME takes the next rate it knows.
_MP3_LEVEL = (320 - BIT_RATE) / (320 - 32)
_MP3_FRAME_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)


def with_noise(audio: Audio, rng: np.random.Generator, *, snr_db: float = NOISE_DB) -> Audio:
    """The sound with white noise, its power over the whole sound exactly `snr_db` below the sound's.

    Args:
        audio: any sound; a silent one stays as it is.
        rng: of the noise, independent in each channel.
        snr_db: signal over noise.
    """
    noise = rng.standard_normal(audio.samples.shape)
    wanted = _power(audio.samples) * 10.0 ** (-snr_db / 10.0)
    noise *= np.sqrt(wanted / max(_power(noise), 1e-30))
    return Audio(audio.samples + noise.astype(np.float32), audio.sample_rate)


def room(rng: np.random.Generator, sample_rate: int, *, rt60: float = REVERB_SECONDS) -> NDArray[np.float64]:
    """The impulse response of a room's reverberation, without the direct sound: decaying noise, energy 1.

    Source: Polack's model of late reverberation, Gaussian noise under an exponential envelope; see Moorer, "About this
    reverberation business", Computer Music Journal 3(2), 1979.

    Args:
        rng: of the noise.
        sample_rate: Hz.
        rt60: seconds to 60 dB below the beginning.

    Returns:
        Shape (rt60 * sample_rate,).
    """
    time = np.arange(max(1, round(rt60 * sample_rate))) / sample_rate
    response = rng.standard_normal(time.size) * 10.0 ** (-3.0 * time / rt60)
    return response / np.sqrt(np.sum(np.square(response)))


def with_reverb(
    audio: Audio, rng: np.random.Generator, *, rt60: float = REVERB_SECONDS, direct_db: float = REVERB_DB
) -> Audio:
    """The sound in a room: itself, followed by its reverberation, `rt60` seconds longer.

    Args:
        audio: any sound.
        rng: of the room, another one for each channel.
        rt60: seconds to 60 dB below the beginning.
        direct_db: energy of the direct sound over that of the reverberation.
    """
    from scipy.signal import fftconvolve

    wet = np.stack([fftconvolve(channel, room(rng, audio.sample_rate, rt60=rt60)) for channel in audio.samples])
    energies = float(np.sum(np.square(audio.samples, dtype=np.float64))), float(np.sum(np.square(wet)))
    wet *= np.sqrt(energies[0] / max(energies[1], 1e-30)) * 10.0 ** (-direct_db / 20.0)
    wet[:, : audio.samples.shape[1]] += audio.samples
    return Audio(wet, audio.sample_rate)


def through_mp3(audio: Audio) -> Audio:
    """The sound as MP3 at 64 kbit/s and back, in place: the codec's delay and padding are taken out.

    A sound at another rate than 44.1 kHz is resampled to it; one that full scale would clip is turned down for the
    codec and up again behind it.

    Raises:
        AudioError: this machine's libsndfile cannot write MP3 at that rate, or more than two channels are given.
    """
    import io

    import soundfile

    sound = audio.resample(_MP3_RATE)
    gain = min(1.0, 0.98 / max(sound.peak, 1e-9))
    buffer = io.BytesIO()
    try:
        with soundfile.SoundFile(
            buffer,
            "w",
            _MP3_RATE,
            sound.channels,
            format="MP3",
            subtype="MPEG_LAYER_III",
            bitrate_mode="CONSTANT",
            compression_level=_MP3_LEVEL,
        ) as file:
            file.write(sound.samples.T * np.float32(gain))
        rate = mp3_bit_rate(buffer.getvalue())
        buffer.seek(0)
        decoded, _ = soundfile.read(buffer, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, ValueError, TypeError) as error:
        raise AudioError(
            f"{sound.channels} channels cannot be written as MP3 ({error}); install soundfile 0.13 or newer"
        ) from error
    if rate != BIT_RATE:
        raise AudioError(f"the MP3 encoder made {rate} kbit/s and not {BIT_RATE}; install another libsndfile")
    return Audio(_aligned(decoded.T, sound.samples) / np.float32(gain), _MP3_RATE)


def mp3_bit_rate(data: bytes) -> int:
    """The bit rate that the first frame of an MP3 (MPEG 1, layer III) states, kbit/s; 0 where there is none.

    Source: ISO/IEC 11172-3, 2.4.2.3, bitrate_index.
    """
    for place in range(min(len(data) - 4, 4096)):
        if data[place] == 0xFF and data[place + 1] & 0xFE == 0xFA and data[place + 2] >> 4 < len(_MP3_FRAME_RATES):
            return _MP3_FRAME_RATES[data[place + 2] >> 4]
    return 0


def with_lead(audio: Audio, *, seconds: float = LEAD_SECONDS) -> Audio:
    """The sound after `seconds` of silence."""
    lead = round(seconds * audio.sample_rate)
    return Audio(np.pad(audio.samples, ((0, 0), (lead, 0))), audio.sample_rate)


def transposed(audio: Audio, semitones: float) -> Audio:
    """The sound played faster or slower, as on tape: pitch and length change together."""
    ratio = 2.0 ** (semitones / 12.0)
    rate = max(1_000, round(audio.sample_rate * ratio))
    faster = Audio(audio.samples, rate).resample(audio.sample_rate)
    return Audio(faster.samples, audio.sample_rate)


def together(first: Audio, second: Audio) -> Audio:
    """Two sounds that begin at once, the second as loud (RMS while it lasts) as the first.

    The mixture has the first one's rate and channels and the longer one's length.
    """
    other = second.resample(first.sample_rate)
    added = other.samples if other.channels == first.channels else np.repeat(other.to_mono().samples, first.channels, 0)
    level = np.sqrt(_power(first.samples) / max(_power(added), 1e-30))
    count = max(first.samples.shape[1], added.shape[1])
    mixture = np.zeros((first.channels, count))
    mixture[:, : first.samples.shape[1]] += first.samples
    mixture[:, : added.shape[1]] += level * added
    return Audio(mixture, first.sample_rate)


def _power(samples: NDArray[np.float32] | NDArray[np.float64]) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0


def _aligned(decoded: NDArray[np.float32], wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """The decoded sound moved onto the original, of the same shape.

    A header that states delay and padding lets the decoder cut them; without one (libsndfile writes none below 64
    kbit/s) a delay of some 1,105 samples stays. It is measured, so that either is right.
    """
    from scipy.signal import correlate

    count = wanted.shape[1]
    late = correlate(decoded[0].astype(np.float64), wanted[0].astype(np.float64), "full", "fft")
    # Lags from 0 to two frames and the decoder's own 529 samples.
    lags = late[count - 1 : count - 1 + 4096]
    delay = int(np.argmax(lags)) if lags.size and float(np.max(lags)) > 0 else 0
    moved = decoded[:, delay : delay + count]
    return np.pad(moved, ((0, 0), (0, count - moved.shape[1])))
