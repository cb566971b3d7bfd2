"""Places on disk: user folders, content hashes, checked downloads, writes that are whole or not there at all.

Owns how bytes reach a disk. Must not know what they mean.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from pathlib import Path

from menura.errors import OutputError, WorkError

_CHUNK = 1 << 20


# ---------------------------------------------------------------------- places


def cache_folder() -> Path:
    """What can be computed or downloaded again; MENURA_CACHE overrides. It need not exist yet."""
    return _named_folder("MENURA_CACHE", "user_cache_path")


def config_folder() -> Path:
    """The user's own settings; MENURA_CONFIG overrides. It need not exist yet."""
    return _named_folder("MENURA_CONFIG", "user_config_path")


def data_folder() -> Path:
    """What the user made and would miss; MENURA_DATA overrides. It need not exist yet."""
    return _named_folder("MENURA_DATA", "user_data_path")


def vital_preset_folder(
    *, platform: str = sys.platform, environment: Mapping[str, str] | None = None, home: Path | None = None
) -> Path:
    """Where Vital looks for the user's own presets; MENURA_VITAL_PRESETS overrides. It need not exist yet.

    Vital keeps its data in ``Documents/Vital`` on Windows, ``~/Music/Vital`` on macOS and ``$XDG_DATA_HOME/vital``
    (usually ``~/.local/share/vital``) on Linux, and the user's presets in ``User/Presets`` below it.

    Args:
        platform: as `sys.platform`.
        environment: as `os.environ`, the default.
        home: the user's home folder.

    Source: mtytel/vital, src/common/load_save.cpp, LoadSave::getDataDirectory and getUserPresetDirectory.
    """
    environment = os.environ if environment is None else environment
    home = Path.home() if home is None else home
    named = environment.get("MENURA_VITAL_PRESETS")
    if named:
        return Path(named)
    if platform == "darwin":
        data = home / "Music" / "Vital"
    elif platform.startswith(("win", "cygwin")):
        data = Path(environment.get("USERPROFILE") or home) / "Documents" / "Vital"
    else:
        shared = environment.get("XDG_DATA_HOME", "")
        data = (Path(shared) if shared.startswith("/") else home / ".local" / "share") / "vital"
    return data / "User" / "Presets"


def _named_folder(variable: str, ask: str) -> Path:
    named = os.environ.get(variable)
    if named:
        return Path(named)
    import platformdirs

    return Path(getattr(platformdirs, ask)("menura", appauthor=False))


# ---------------------------------------------------------------------- hashes


def hash_bytes(data: bytes) -> str:
    """sha256 of some bytes, as hex."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: str | os.PathLike[str]) -> str:
    """sha256 of a file's content, as hex, read in pieces.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


# ---------------------------------------------------------------------- writing


def write_bytes(path: str | os.PathLike[str], data: bytes, *, force: bool = False) -> Path:
    """Writes a file that is afterwards whole, or as it was before; folders above it are made.

    The bytes go to a temporary file in the same folder, reach the disk (fsync), and take the name in one step.

    Args:
        path: the file.
        data: its whole content.
        force: True replaces a file that is there.

    Raises:
        OutputError: it exists and `force` is False, it is a folder, or the disk refuses.
    """
    path = Path(path)
    with atomic_path(path, force=force) as temporary, _told(path):
        temporary.write_bytes(data)
    return path


def write_text(path: str | os.PathLike[str], text: str, *, force: bool = False) -> Path:
    r"""`write_bytes` of a text in UTF-8, line ends as given (``\n``)."""
    return write_bytes(path, text.encode(), force=force)


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str], *, force: bool = False) -> Generator[Path]:
    """A temporary path beside `path`, with its ending, that takes its name when the block ends well.

    For writers that want a file name rather than bytes. When the block raises, nothing is left behind.

    Raises:
        OutputError: it exists and `force` is False, it is a folder, or the disk refuses.
    """
    path = Path(path)
    check_writable(path, force=force)
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".menura-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with _told(path):
            _give_usual_mode(temporary)
            _sync(temporary)
            if not force and path.exists():
                # Someone else's file arrived while ours was being written.
                check_writable(path, force=False)
            temporary.replace(path)
            _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_folder(path: str | os.PathLike[str], files: Mapping[str, bytes], *, force: bool = False) -> list[Path]:
    """Writes several files below a folder, refusing before the first byte if one of them is taken.

    Args:
        path: the folder; made when it is not there.
        files: relative name (with ``/``) to content.
        force: True replaces files that are there; files of other names are never touched.

    Returns:
        The written paths, in the order of `files`.

    Raises:
        OutputError: a name exists and `force` is False, leads out of the folder, or the disk refuses; files that
            this call had already written new are taken away again.
    """
    folder = Path(path)
    targets = {folder / name: data for name, data in files.items()}
    for target in targets:
        if not target.resolve().is_relative_to(folder.resolve()):
            raise OutputError(f"{target} leads out of {folder}; use names that stay inside it")
        check_writable(target, force=force)
    made: list[Path] = []
    try:
        for target, data in targets.items():
            new = not target.exists()
            write_bytes(target, data, force=force)
            if new:
                made.append(target)
    except BaseException:
        for target in made:
            target.unlink(missing_ok=True)
        raise
    return list(targets)


def check_writable(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Refuses early what a write would refuse late: a taken name, a folder, a file where a folder must be.

    Raises:
        OutputError: with what to do.
    """
    path = Path(path)
    with _told(path):
        if path.is_dir():
            raise OutputError(f"{path} is a folder; name a file")
        if not force and (path.exists() or path.is_symlink()):
            raise OutputError(f"{path} exists; choose another name, or --force to replace it")
        for parent in path.parents:
            if parent.exists():
                if not parent.is_dir():
                    raise OutputError(f"{parent} is a file, not a folder; choose another place")
                if not _may_write(parent):
                    raise OutputError(
                        f"{parent} cannot be written to; choose another folder, or change its permissions"
                    )
                return


def check_folder(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Refuses an output folder that cannot be written, or that holds something and `force` is False.

    Raises:
        OutputError: with what to do.
    """
    folder = Path(path)
    with _told(folder):
        if folder.is_dir():
            if not force and any(folder.iterdir()):
                raise OutputError(f"{folder} is not empty; choose another folder, or --force to replace files in it")
            if not _may_write(folder):
                raise OutputError(f"{folder} cannot be written to; choose another folder, or change its permissions")
            return
        if folder.exists():
            raise OutputError(f"{folder} is a file; name a folder")
        check_writable(folder, force=True)


def _may_write(folder: Path) -> bool:
    """Whether files may be made in a folder, by the rights that making them goes by."""
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


@contextlib.contextmanager
def _told(path: Path) -> Generator[None]:
    """Turns what the system says while writing `path` into an OutputError that says what to do."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({_reason(error)}); {_advice(error)}") from error
    except ValueError as error:  # a null character in a name
        raise OutputError(f"{str(path)!r} is not a file name ({error}); choose another name") from error


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space, or choose another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "choose another folder, or change its permissions"
    if error.errno == errno.ENAMETOOLONG:
        return "choose a shorter name"
    return "choose another place"


def _give_usual_mode(path: Path) -> None:
    """Files of mkstemp are private; a result is as readable as the user's umask lets it be."""
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        path.chmod(0o666 & ~mask)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """The name itself must reach the disk too; only POSIX can ask for that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# ---------------------------------------------------------------------- downloads


def download(
    url: str, sha256: str | None, *, name: str | None = None, folder: Path | None = None, timeout: float = 30
) -> Path:
    """A file from the net, kept in the cache, with exactly the content that was asked for.

    Args:
        url: where it is; https, or file for a copy on this machine.
        sha256: its content's hash, as hex; None where nobody has told it, so that the caller records what came. A
            copy that is there is then taken as it is.
        name: the kept file's name; the address's last part by default.
        folder: where it is kept; ``downloads`` in the cache by default.
        timeout: seconds without an answer.

    Returns:
        The kept file. A copy that is there with the right hash is not asked for again.

    Raises:
        WorkError: the net cannot be reached, or what came is something else.
        OutputError: the cache cannot be written.
    """
    if not url.startswith(("https://", "file://")):
        raise WorkError(f"{url} is not an https address; menura downloads nothing over an open line")
    folder = cache_folder() / "downloads" if folder is None else folder
    path = folder / (name or url.rstrip("/").rsplit("/", 1)[-1])
    if path.is_file() and (sha256 is None or hash_file(path) == sha256.lower()):
        return path
    with atomic_path(path, force=True) as temporary:
        try:
            # The scheme was checked above.
            with urllib.request.urlopen(url, timeout=timeout) as answer, temporary.open("wb") as file:
                shutil.copyfileobj(answer, file, _CHUNK)
                promised = answer.headers.get("Content-Length")
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise WorkError(
                f"{url} could not be downloaded ({reason}); go online and try again, or put the file at {path} yourself"
            ) from error
        except OSError as error:
            raise OutputError(f"{path} cannot be written ({_reason(error)}); {_advice(error)}") from error
        came = temporary.stat().st_size
        if promised is not None and came != int(promised):
            raise WorkError(f"{url} broke off after {came:,} of {int(promised):,} bytes; nothing was kept; try again")
        if sha256 is not None and (found := hash_file(temporary)) != sha256.lower():
            raise WorkError(
                f"{url} brought other content than expected (sha256 {found[:12]}…, not {sha256[:12]}…); "
                "nothing was kept; try again, and update menura if it happens twice"
            )
    return path
