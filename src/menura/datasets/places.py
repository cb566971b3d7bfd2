"""Where a corpus lies: a local folder, or one behind an fsspec address. Files appear whole or not at all.

The only importer of fsspec. Knows no content.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from menura.errors import CorpusError, InputError, OutputError
from menura.storage import write_bytes

_LEFT_BEHIND = ".menura-"


class Place(Protocol):
    """A folder of files; names are relative, with ``/``."""

    address: str
    """What `place_of` takes, in another process too."""

    def write(self, name: str, data: bytes) -> None:
        """Writes a file whole, in place of what is there. Raises OutputError."""
        ...

    def open(self, name: str) -> BinaryIO:
        """A file to read and seek in. Raises CorpusError."""
        ...

    def exists(self, name: str) -> bool:
        """True where the file is there. Raises CorpusError."""
        ...

    def names(self, folder: str) -> list[str]:
        """Names of the files right below a folder, sorted; none where it is missing. Raises CorpusError."""
        ...

    def remove(self, name: str) -> None:
        """Takes a file away, where it is there. Raises OutputError."""
        ...

    def tidy(self, folder: str) -> None:
        """Takes away what writers that were killed left behind."""
        ...


def place_of(address: str | os.PathLike[str]) -> Place:
    """The place of a path, or of an address such as ``s3://bucket/corpus``.

    Raises:
        InputError: fsspec, or its part for this kind of address, is missing.
    """
    text = os.fspath(address)
    return Remote(text) if "://" in text else Folder(Path(text))


def read(place: Place, name: str) -> bytes:
    """All of a file. Raises CorpusError."""
    try:
        with place.open(name) as file:
            return file.read()
    except OSError as error:
        raise CorpusError(f"{name} of {place.address} cannot be read ({error}); try again") from error


class Folder:
    """A folder of this machine, or one that all machines mount."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self.address = str(self._path)

    def write(self, name: str, data: bytes) -> None:
        """As `Place`."""
        write_bytes(self._path / name, data, force=True)

    def open(self, name: str) -> BinaryIO:
        """As `Place`."""
        try:
            return (self._path / name).open("rb")
        except OSError as error:
            raise CorpusError(f"{self._path / name} cannot be read ({error.strerror}); check the name") from error

    def exists(self, name: str) -> bool:
        """As `Place`."""
        return (self._path / name).is_file()

    def names(self, folder: str) -> list[str]:
        """As `Place`."""
        place = self._path / folder
        if not place.is_dir():
            return []
        return sorted(f"{folder}/{entry.name}" for entry in place.iterdir() if not entry.name.startswith("."))

    def remove(self, name: str) -> None:
        """As `Place`."""
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{self._path / name} cannot be removed ({error.strerror}); remove it") from error

    def tidy(self, folder: str) -> None:
        """As `Place`."""
        for left in (self._path / folder).glob(f"{_LEFT_BEHIND}*"):
            left.unlink(missing_ok=True)


class Remote:
    """A folder behind an fsspec address."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        try:
            from fsspec.core import url_to_fs

            found: Any = url_to_fs(self.address)
        except ImportError as error:
            raise InputError(
                f"{address} cannot be reached ({error}); pip install 'menura[cluster]' and fsspec's part for it"
            ) from error
        except ValueError as error:
            raise InputError(
                f"{address} is no place that fsspec knows ({error}); give a path or another address"
            ) from (error)
        self._files, root = found
        self._root = PurePosixPath(root)

    def write(self, name: str, data: bytes) -> None:
        """As `Place`. Written under another name first: not every kind of storage takes a file whole."""
        path = str(self._root / name)
        beside = str((self._root / name).with_name(f"{_LEFT_BEHIND}{uuid.uuid4().hex}"))
        try:
            self._files.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
            try:
                self._files.pipe_file(beside, data)
                self._files.mv(beside, path)
            except BaseException:
                with contextlib.suppress(Exception):
                    self._files.rm_file(beside)
                raise
        except Exception as error:
            raise OutputError(f"{self.address}/{name} cannot be written ({error}); check space and rights") from error

    def open(self, name: str) -> BinaryIO:
        """As `Place`."""
        try:
            return self._files.open(str(self._root / name), "rb")
        except Exception as error:
            raise CorpusError(f"{self.address}/{name} cannot be read ({error}); check the address") from error

    def exists(self, name: str) -> bool:
        """As `Place`."""
        try:
            return bool(self._files.exists(str(self._root / name)))
        except Exception as error:
            raise CorpusError(f"{self.address} cannot be reached ({error}); check the address") from error

    def names(self, folder: str) -> list[str]:
        """As `Place`."""
        try:
            # Another machine may have written since the last look.
            self._files.invalidate_cache()
            found = [PurePosixPath(path).name for path in self._files.ls(str(self._root / folder), detail=False)]
        except FileNotFoundError:
            return []
        except Exception as error:
            raise CorpusError(f"{self.address} cannot be reached ({error}); check the address") from error
        return sorted(f"{folder}/{name}" for name in found if not name.startswith("."))

    def remove(self, name: str) -> None:
        """As `Place`."""
        try:
            self._files.rm_file(str(self._root / name))
        except FileNotFoundError:
            return
        except Exception as error:
            raise OutputError(f"{self.address}/{name} cannot be removed ({error}); remove it") from error

    def tidy(self, folder: str) -> None:
        """As `Place`."""
        with contextlib.suppress(FileNotFoundError):
            for path in self._files.ls(str(self._root / folder), detail=False):
                if PurePosixPath(path).name.startswith(_LEFT_BEHIND):
                    self._files.rm_file(path)
