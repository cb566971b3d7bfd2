"""Where a pretrained network's files come from, where they lie, and that they are the right ones.

Owns files and checksums. Must not know what is in them.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from menura import storage
from menura.errors import InputError, WorkError

_log = logging.getLogger(__name__)

_SAME = {"pytorch_model.bin": "model.safetensors", "model.safetensors": "pytorch_model.bin"}
"""Either of the two may hold the weights in a folder of the user's."""
_RECORD = "checksums.json"


@dataclass(frozen=True, slots=True)
class Weights:
    """The files of one pretrained network, at one revision."""

    name: str
    """Of its folder, below the cache and below MENURA_EMBEDDERS."""
    source: str
    """Address that the files' names follow, the revision in it."""
    files: Mapping[str, str | None]
    """Name to sha256, as hex; None where nobody has published it: it is recorded when the file first comes."""
    megabytes: int
    """What is downloaded, about."""
    licence: str
    """Of the weights."""

    def locate(self, folder: Path | None = None, *, fetch: bool = True) -> Path:
        """The folder that holds all files.

        The first of: `folder`; the folder of this name in the folder that MENURA_EMBEDDERS names; the user's cache,
        into which missing files are downloaded. Only files in the cache are held against the checksums: the other two
        are the user's own, whatever they trained.

        Args:
            folder: with the files; None looks in the other two places.
            fetch: whether missing files may be downloaded.

        Raises:
            InputError: a folder that was named lacks a file.
            WorkError: the cache lacks a file that may not or could not be fetched, or a file in it is another.
        """
        own = folder or self._own_folder()
        if own is not None:
            missing = [file for file in self.files if not self._file(own, file).is_file()]
            if missing:
                raise InputError(f"{own} lacks {', '.join(missing)}; it must hold {', '.join(self.files)}")
            return own
        cache = self.cache
        recorded = _recorded(cache)
        for file, told in self.files.items():
            expected = told or recorded.get(file)
            here = cache / file
            if not fetch and not here.is_file():
                raise WorkError(f"its weights are not here ({self.megabytes} MB, {self.licence}); {self._advice()}")
            try:
                storage.download(f"{self.source}/{file}", expected, folder=cache)
            except WorkError as error:
                raise WorkError(f"{self.name} needs weights that are not here: {error}; {self._advice()}") from error
            if expected is None:
                recorded[file] = storage.hash_file(here)
                _log.warning(
                    "nobody has published a checksum of %s of %s; sha256 %s is recorded, and another will be refused",
                    file, self.name, recorded[file],
                )  # fmt: skip
                storage.write_text(cache / _RECORD, json.dumps(recorded, indent=1) + "\n", force=True)
        return cache

    def present(self, folder: Path | None = None) -> bool:
        """True where all files are here, so that nothing need be fetched; what is in them is not looked at."""
        place = folder or self._own_folder() or self.cache
        return all(self._file(place, file).is_file() for file in self.files)

    @property
    def cache(self) -> Path:
        """Where downloaded files are kept; another source has another folder."""
        return storage.cache_folder() / "embedders" / f"{self.name}-{storage.hash_bytes(self.source.encode())[:8]}"

    def hashes(self, folder: Path) -> dict[str, str]:
        """File to sha256 of the files in a folder that `locate` found: what a fingerprint is made of."""
        return {path.name: storage.hash_file(path) for path in (self._file(folder, file) for file in self.files)}

    def _own_folder(self) -> Path | None:
        named = os.environ.get("MENURA_EMBEDDERS")
        found = Path(named) / self.name if named else None
        return found if found is not None and found.is_dir() else None

    def _file(self, folder: Path, file: str) -> Path:
        path = folder / file
        return path if path.is_file() or file not in _SAME else folder / _SAME[file]

    def _advice(self) -> str:
        return (
            f"download {', '.join(self.files)} from {self.source} and put them into {self.cache}, or name a folder "
            f"that has them: {self.name}=FOLDER, or MENURA_EMBEDDERS=FOLDER with a folder {self.name} in it"
        )


def hub(name: str, repository: str, revision: str, files: Mapping[str, str | None], size: int, licence: str) -> Weights:
    """Weights in a repository of the Hugging Face hub, at one revision; `size` in MB."""
    return Weights(name, f"https://huggingface.co/{repository}/resolve/{revision}", files, size, licence)


def _recorded(folder: Path) -> dict[str, str]:
    path = folder / _RECORD
    if not path.is_file():
        return {}
    try:
        return {str(file): str(value) for file, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise WorkError(f"{path} cannot be read ({error}); delete it, and the checksums are recorded anew") from error
