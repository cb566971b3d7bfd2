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
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Archive:
    """What a folder or tar holds."""

    path: Path
    names: tuple[str, ...]
    """Of the files that may be read, with ``/``, relative, sorted."""
    sha256: str
    """Of the tar, or of the names and contents of the folder's files."""
    left_out: dict[str, int] = field(default_factory=dict[str, int])
    """Reason to how many files may not be read."""

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """The content of these files, in one pass; a file that cannot be read any more is missing.

        Raises:
            ManifestError: the tar is broken.
        """
        wanted = set(names) & set(self.names)
        found: dict[str, bytes] = {}
        if self.path.is_dir():
            for name in sorted(wanted):
                try:
                    found[name] = (self.path / name).read_bytes()
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


def is_tar(path: Path) -> bool:
    """True for a file whose name ends as a tar's."""
    return path.name.lower().endswith(TAR_ENDINGS) and path.is_file()


def open_archive(path: Path, suffix: str) -> Archive:
    """Lists the files of one ending.

    Args:
        path: a folder, searched through and through, or a tar.
        suffix: the ending with its dot; upper and lower case are the same.

    Raises:
        ManifestError: it cannot be read, or is broken.
    """
    names: set[str] = set()
    left_out: dict[str, int] = {}

    def note(name: str, size: int) -> None:
        parts = PurePosixPath(name)
        if not name.lower().endswith(suffix.lower()) or parts.name.startswith("._") or "__MACOSX" in parts.parts:
            return
        reason = "too many files" if len(names) >= MOST_FILES else _refused(name, size)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            names.add(name)

    if path.is_dir():
        digest = hashlib.sha256()
        for file in _files(path, suffix):
            note(file.relative_to(path).as_posix(), file.stat().st_size)
        for name in sorted(names):
            digest.update(f"{name}\x1f{hash_file(path / name)}\n".encode())
        return Archive(path, tuple(sorted(names)), digest.hexdigest(), left_out)
    for member, _ in _members(path):
        if member.isfile():
            note(member.name, member.size)
    return Archive(path, tuple(sorted(names)), hash_file(path), left_out)


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    """Files of that ending below a folder; links to folders are not followed, links out of it are no files of it."""
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            file = Path(place) / name
            if name.lower().endswith(suffix.lower()) and file.is_file():
                yield file


def _members(path: Path) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    """Every member of a tar as it streams by."""
    try:
        # Not as a stream ("r|*"): tarfile then reads in small blocks, twenty times slower.
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
