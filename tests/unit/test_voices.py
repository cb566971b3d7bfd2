"""Files of many DX7 voices as banks of presets."""

from __future__ import annotations

import numpy as np
import pytest

from menura.datasets.voices import Voices
from menura.errors import ManifestError
from menura.synths.dx7.format import initial_voice, pack, write_bank
from menura.synths.registry import synth_of


@pytest.fixture
def packed() -> np.ndarray:
    """Four voices; the third has an output level above 99."""
    voices = np.stack([np.frombuffer(initial_voice(), np.uint8)] * 4).copy()
    for number in range(4):
        voices[number, 134] = number  # the algorithm
    found = pack(voices)
    found[2, 14] = 127
    return found


def test_an_array_of_packed_voices(packed, tmp_path):
    np.save(tmp_path / "many.npy", packed)
    bank = Voices(tmp_path / "many.npy")
    assert bank.names == ("many/00000.syx", "many/00001.syx", "many/00003.syx")
    assert bank.left_out == {"a value out of range": 1}
    read = bank.read(["many/00003.syx", "many/00002.syx", "elsewhere.syx"])
    assert list(read) == ["many/00003.syx"]
    assert synth_of("dx7").read(read["many/00003.syx"]).values["algorithm"] == 3.0
    assert len(bank.sha256) == 64


def test_a_dump_of_a_bank(tmp_path):
    (tmp_path / "b.syx").write_bytes(write_bank([initial_voice()] * 5))
    assert len(Voices(tmp_path / "b.syx").names) == 32


def test_what_holds_no_voices(tmp_path):
    np.save(tmp_path / "floats.npy", np.zeros((3, 128)))
    (tmp_path / "junk.npy").write_bytes(b"junk")
    (tmp_path / "junk.syx").write_bytes(b"junk")
    for name in ("floats.npy", "junk.npy", "junk.syx", "absent.npy"):
        with pytest.raises(ManifestError, match=r"DX7 voices|absent"):
            _ = Voices(tmp_path / name).names
