"""A plucked string, made by arithmetic: the sound of `make demo`, owned by nobody.

    python examples/pluck.py out/pluck.wav --note C3

The model is the extended Karplus-Strong string: a burst of noise, shaped by where and how hard the string is picked,
runs round a delay loop that is as long as one period and loses a little of its highs on every turn; two resonances
stand for the wooden body.

Source: K. Karplus, A. Strong (1983), "Digital synthesis of plucked-string and drum timbres", and D. Jaffe, J. O. Smith
(1983), "Extensions of the Karplus-Strong plucked-string algorithm", both in Computer Music Journal 7(2).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from menura import Audio, Note, write_audio
from menura.note import parse_pitch


def pluck(
    frequency_hz: float,
    *,
    seconds: float = 2.5,
    sample_rate: int = 44_100,
    pick_position: float = 0.17,
    hardness: float = 0.6,
    decay_seconds: float = 3.0,
    damping: float = 0.25,
    seed: int = 0,
) -> NDArray[np.float32]:
    """One plucked note.

    Args:
        frequency_hz: fundamental, 30 Hz to a tenth of the sample rate.
        seconds: length of the sound.
        sample_rate: in Hz.
        pick_position: share of the string between the bridge and the pick, above 0 and up to 0.5.
        hardness: of the pick, 0 (thumb) to 1 (plectrum).
        decay_seconds: until the fundamental has lost 60 dB, damping aside.
        damping: of the highs on every turn, 0 to 0.5.
        seed: of the noise in the burst.

    Returns:
        Shape (samples,), peak 0.8.
    """
    if not 30.0 <= frequency_hz <= sample_rate / 10:
        raise ValueError(f"a string at {frequency_hz} Hz is out of range; choose 30 to {sample_rate / 10:g} Hz")
    count = round(seconds * sample_rate)
    period = sample_rate / frequency_hz

    # Once round the loop: a whole delay, a cubic fraction of one, and a loss that is symmetric and so shifts all
    # frequencies by exactly one sample; together one period, which keeps the string in tune.
    whole = int(period) - 2
    fraction = period - whole - 1.0  # 1 <= fraction < 2, where the cubic is at its best
    cubic = np.array([np.prod([(fraction - k) / (j - k) for k in range(4) if k != j]) for j in range(4)])
    loss = np.array([damping / 2, 1.0 - damping, damping / 2]) * 10.0 ** (-3.0 * period / (sample_rate * decay_seconds))
    loop = np.concatenate((np.zeros(whole), np.convolve(cubic, loss)))
    feedback = np.concatenate(([1.0], -loop[1:]))

    burst = np.zeros(count)
    length = round(period)
    burst[:length] = np.random.default_rng(seed).uniform(-1.0, 1.0, length)
    burst -= burst[:length].mean() * (np.arange(count) < length)
    softness = 0.9 * (1.0 - hardness)
    burst = signal.lfilter([1.0 - softness], [1.0, -softness], burst)
    notch = max(1, round(pick_position * period))
    burst[notch:] -= burst[:-notch].copy()

    string = signal.lfilter([1.0], feedback, burst)
    sound = string.copy()
    for centre_hz, quality, share in ((105.0, 6.0, 0.35), (215.0, 9.0, 0.25)):
        numerator, denominator = signal.iirpeak(centre_hz, quality, fs=sample_rate)
        sound += share * signal.lfilter(numerator, denominator, string)

    fade = min(count, round(0.02 * sample_rate))
    sound[count - fade :] *= np.linspace(1.0, 0.0, fade)
    return (0.8 * sound / np.max(np.abs(sound))).astype(np.float32)


def main() -> None:
    """Writes one note to a file."""
    parser = argparse.ArgumentParser(description="Write a plucked string to a sound file.")
    parser.add_argument("path", type=Path, help="sound file to write; replaced if it is there")
    parser.add_argument("--note", default="C3", help="key such as C3 (130.8 Hz) or a MIDI number")
    arguments = parser.parse_args()
    frequency_hz = Note(pitch=parse_pitch(arguments.note)).frequency_hz
    path = write_audio(arguments.path, Audio(pluck(frequency_hz), 44_100), force=True)
    print(f"{path}: a plucked string at {frequency_hz:.1f} Hz")


if __name__ == "__main__":
    main()
