"""Makes `metrics.json`: what auraloss, torchaudio and librosa say of sounds that anyone can make again.

    python tests/golden/make_metric_references.py            prints what is installed here says, as JSON
    python tests/golden/make_metric_references.py --write    writes it to the golden file

Needs ``pip install 'menura[reference]' librosa``; MFCCD also torchaudio, whose mel filters are Kaldi's, and is left out
where it is missing. The sounds use no random stream that NumPy may change.
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).with_name("metrics.json")

Sound = np.ndarray


def tone(hz: float, rate: int, seconds: float, decay: float, seed: int, partials: int = 8) -> Sound:
    """A decaying harmonic tone with noise 50 dB below it, float32."""
    time = np.arange(int(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, partials + 1))
    return ((0.2 * wave + 1e-3 * noise(time.size, seed)) * np.exp(-decay * time)).astype(np.float32)


def noise(count: int, seed: int) -> Sound:
    """Uniform white noise from -1 to 1, of raw bits that every version of NumPy gives alike."""
    return np.random.PCG64(seed).random_raw(count) / 2.0**63 - 1.0


def pairs() -> dict[str, tuple[int, Sound, Sound]]:
    """Name to (sample rate, target, prediction), both of one length."""
    silence = np.zeros(20_000, np.float32)
    a = tone(220.0, 44_100, 0.6, 2.0, 1)
    cut = np.where(np.arange(a.size) < 9_000, a, 0.0).astype(np.float32)
    clicks = np.zeros(20_000, np.float32)
    clicks[[100, 5_000, 12_345]] = (0.9, -0.5, 0.25)
    return {
        "near": (44_100, a, tone(221.0, 44_100, 0.6, 2.2, 2)),
        "far": (44_100, tone(110.0, 44_100, 0.6, 1.0, 3), tone(987.0, 44_100, 0.6, 9.0, 4)),
        "soft": (44_100, a, (1e-3 * tone(440.0, 44_100, 0.6, 2.0, 5)).astype(np.float32)),
        "ends early": (44_100, a, cut),
        "noises": (44_100, (0.5 * noise(20_000, 6)).astype(np.float32), (0.1 * noise(20_000, 7)).astype(np.float32)),
        "clicks": (44_100, clicks, tone(330.0, 44_100, 20_000 / 44_100, 30.0, 8)),
        "silent answer": (44_100, a[:20_000], silence),
        "silent target": (44_100, silence, a[:20_000]),
        "short": (44_100, a[:1_100], tone(233.1, 44_100, 0.1, 2.0, 9)[:1_100]),
        "32 kHz": (32_000, tone(196.0, 32_000, 0.7, 2.0, 10), tone(196.0, 32_000, 0.7, 3.0, 11, partials=3)),
    }


def by_auraloss(rate: int, target: Sound, prediction: Sound) -> dict[str, float]:
    torch, auraloss = import_module("torch"), import_module("auraloss")
    given, wanted = (torch.from_numpy(sound.copy())[None, None] for sound in (prediction, target))
    losses = {
        "stft": auraloss.freq.STFTLoss(),
        "mstft": auraloss.freq.MultiResolutionSTFTLoss(),
        "mel": auraloss.freq.MelSTFTLoss(rate, n_mels=128),
    }
    return {name: float(loss(given, wanted)) for name, loss in losses.items()}


def by_torchaudio(rate: int, target: Sound, prediction: Sound) -> dict[str, float]:
    torch = import_module("torch")
    try:
        kaldi, torchaudio = import_module("torchaudio.compliance.kaldi"), import_module("torchaudio.functional")
    except ImportError:
        return {}
    bank = torch.nn.functional.pad(
        kaldi.get_mel_banks(128, 1024, float(rate), 0.0, rate // 2, 100.0, -500.0, 1.0)[0], (0, 1)
    )
    cepstra = []
    for sound in (target, prediction):
        wave = torch.from_numpy(sound.copy())
        wave = torch.nn.functional.conv1d(wave[None, None], torch.tensor([[[-0.97, 1.0]]]))[0]
        window = torch.hann_window(1024, periodic=False)
        power = torch.stft(wave, 1024, 512, 1024, window, center=True, return_complex=True).abs() ** 2
        decibels = 10 * torch.log10((bank @ power).clamp(min=1e-8))
        cepstra.append((decibels.transpose(-1, -2) @ torchaudio.create_dct(40, 128, norm="ortho"))[..., 1:])
    return {"mfccd": float((cepstra[0] - cepstra[1]).abs().mean())}


def by_librosa(rate: int, target: Sound, prediction: Sound) -> dict[str, float]:
    librosa = import_module("librosa")
    means = []
    for window, hop, mels in ((0.01, 0.005, 32), (0.025, 0.01, 64), (0.1, 0.05, 128)):
        settings: dict[str, Any] = {
            "sr": rate, "n_fft": int(window * rate), "hop_length": int(hop * rate), "n_mels": mels
        }  # fmt: skip
        powers = np.stack([librosa.feature.melspectrogram(y=sound, **settings) for sound in (target, prediction)])
        decibels = librosa.power_to_db(powers, ref=np.max, top_db=80.0)
        means.append(float(np.mean(np.abs(decibels[0] - decibels[1]))))
    return {"logmel": float(np.mean(means))}


def references() -> dict[str, dict[str, float]]:
    """Pair to metric to value."""
    found: dict[str, dict[str, float]] = {}
    for name, (rate, target, prediction) in pairs().items():
        found[name] = {**by_auraloss(rate, target, prediction), **by_torchaudio(rate, target, prediction)}
        found[name] |= by_librosa(rate, target, prediction)
    return found


if __name__ == "__main__":
    # Ten-millisecond windows leave a mel band without a bin; the protocol keeps it so.
    warnings.filterwarnings("ignore", message="Empty filters detected")
    text = json.dumps(references(), indent=1)
    if "--write" in sys.argv[1:]:
        GOLDEN.write_text(text + "\n", encoding="utf-8")
    print(text)
