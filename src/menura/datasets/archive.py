"""Files of one ending in a folder or a tar, by name. Knows no preset.

Trusts no member: nothing is unpacked to disk, names and sizes are bounded.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from menura.errors import ManifestError
from menura.storage import hash_file

TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
LARGEST_FILE = 64 << 20
"""A larger member is left out: no preset is."""
MOST_FILES = 1_000_000
LARGEST_TAR = 64 << 30
"""Unpacked bytes after which a tar is taken for a bomb."""

_BROKEN = (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError)


class Archive:
    """The files of one ending in a folder, searched through and through, or in a tar."""

    def __init__(self, path: Path, suffix: str) -> None:
        """Opens nothing yet.

        Args:
            path: the folder or tar; or a single file of that ending.
            suffix: the ending with its dot; upper and lower case are the same.
        """
        self.path = path
        self.suffix = suffix.lower()
        self.left_out: dict[str, int] = {}
        """Reason to how many files may not be read; known once `names` is."""
        self._folder = path if path.is_dir() else None if is_tar(path) else path.parent

    @cached_property
    def sha256(self) -> str:
        """Of the tar, or of the names and contents of the files.

        Raises:
            ManifestError: a file cannot be read.
        """
        try:
            if self._folder is None:
                return hash_file(self.path)
            digest = hashlib.sha256()
            for name in self.names:
                digest.update(f"{name}\x1f{hash_file(self._folder / name)}\n".encode())
            return digest.hexdigest()
        except OSError as error:
            raise ManifestError(f"{error.filename} cannot be read ({error.strerror}); check its permissions") from error

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the files that may be read, with ``/``, relative, sorted.

        Raises:
            ManifestError: the tar is broken.
        """
        found: set[str] = set()
        for name, size in self._listed():
            parts = PurePosixPath(name)
            if not name.lower().endswith(self.suffix) or parts.name.startswith("._") or "__MACOSX" in parts.parts:
                continue
            reason = "too many files" if len(found) >= MOST_FILES else _refused(name, size)
            if reason:
                self.left_out[reason] = self.left_out.get(reason, 0) + 1
            else:
                found.add(name)
        return tuple(sorted(found))

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """The content of these files, in one pass; a file that cannot be read any more is missing.

        Raises:
            ManifestError: the tar is broken.
        """
        wanted = set(names) & set(self.names)
        found: dict[str, bytes] = {}
        if self._folder is not None:
            for name in sorted(wanted):
                try:
                    found[name] = (self._folder / name).read_bytes()
                except OSError:
                    continue
            return found
        for member, tar in _members(self.path) if wanted else ():
            if member.name in wanted and _refused(member.name, member.size) is None:
                content = tar.extractfile(member)
                if content is not None:
                    # Of two members of one name the last one counts, as it does when a tar is unpacked.
                    found[member.name] = content.read(LARGEST_FILE)
        return found

    def _listed(self) -> Iterator[tuple[str, int]]:
        """(name, size) of every file."""
        if self._folder is None:
            yield from ((member.name, member.size) for member, _ in _members(self.path) if member.isfile())
        elif self.path.is_file():
            yield self.path.name, self.path.stat().st_size
        else:
            # os.walk does not follow links to folders: nothing outside is read, and no circle is walked.
            for place, _, names in os.walk(self.path):
                for file in (Path(place) / name for name in names):
                    if file.is_file():
                        yield file.relative_to(self.path).as_posix(), file.stat().st_size


def is_tar(path: Path) -> bool:
    """True for a file whose name ends as a tar's."""
    return path.name.lower().endswith(TAR_ENDINGS) and path.is_file()


def _members(path: Path) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    """Every member of a tar as it streams by."""
    try:
        # Not as a stream ("r|*"): tarfile then reads in small blocks, five times slower.
        with tarfile.open(path, "r:*") as tar:
            for member in tar:
                if member.offset > LARGEST_TAR:
                    raise ManifestError(f"{path} unpacks to more than {LARGEST_TAR >> 30} GiB; give a smaller bank")
                yield member, tar
    except _BROKEN as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ManifestError(f"{path} cannot be read as a tar ({reason}); copy or download it again") from error


def _refused(name: str, size: int) -> str | None:
    """Why a member may not be read; None where it may."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or "\0" in name or (len(name) > 1 and name[1] == ":"):
        return "unsafe name"
    return "too large" if size > LARGEST_FILE else None
