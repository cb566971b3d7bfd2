"""Many DX7 voices in one file: an array of packed voices, or a dump of banks. Knows no engine."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np

from menura.errors import ManifestError, PresetError
from menura.storage import hash_file
from menura.synths.dx7.format import PACKED_SIZE, read_voices, unpack, valid, write_voice

ENDINGS = (".npy", ".syx")


class Voices:
    """The valid voices of one file, each as a file of its own: the same doors as `archive.Archive`.

    Args:
        path: ``.npy`` (uint8, shape (n, 128), as in a bank's dump) or ``.syx`` (any number of messages).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left_out: dict[str, int] = {}
        """Reason to how many voices may not be read; known once `names` is."""

    @cached_property
    def sha256(self) -> str:
        """Of the file."""
        return hash_file(self.path)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """``STEM/NUMBER.syx`` of every valid voice, numbers from 0 in the order of the file.

        Raises:
            ManifestError: the file holds no voices.
        """
        sound = valid(self._table)
        if not sound.all():
            self.left_out["a value out of range"] = int(np.sum(~sound))
        return tuple(f"{self.path.stem}/{number:05d}.syx" for number in np.flatnonzero(sound))

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """The voices of these names, each as a message of its own."""
        known = set(self.names)
        numbers = {name: int(Path(name).stem) for name in names if name in known}
        return {name: write_voice(self._table[number].tobytes()) for name, number in numbers.items()}

    @cached_property
    def _table(self) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        """All voices, valid or not, shape (n, 155)."""
        try:
            if self.path.suffix.lower() == ".npy":
                packed = np.load(self.path, allow_pickle=False)
                if packed.dtype != np.uint8 or packed.ndim != 2 or packed.shape[1] != PACKED_SIZE:
                    raise ValueError(f"an array of {packed.dtype} {packed.shape}, not of uint8 (n, {PACKED_SIZE})")
                return unpack(packed)
            voices = read_voices(self.path.read_bytes())
        except (OSError, ValueError, PresetError) as error:
            raise ManifestError(f"{self.path} holds no DX7 voices ({error}); give a .syx or packed voices") from None
        return np.frombuffer(b"".join(voices), np.uint8).reshape(len(voices), -1)
