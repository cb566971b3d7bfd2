"""Where jobs lie on disk, for how long, and who may write there. Owns names and folders; knows no job's inside.

    FOLDER/serve.lock          held by the server that uses the folder
    FOLDER/jobs/ID/            one job: job.json, events.jsonl, sound, target.wav, so-far/, result/
    FOLDER/cache/KEY.wav       sounds rendered for listeners, and KEY.json beside them

An id is 16 random hex digits and a key a hash: nothing that a request brings becomes a part of a path.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from menura import storage
from menura.errors import OutputError

ID = r"^[0-9a-f]{16}$"
SOUND, TARGET, RESULT, SO_FAR = "sound", "target.wav", "result", "so-far"
_JOB, _EVENTS = "job.json", "events.jsonl"


class Store:
    """The folder of one server.

    Args:
        folder: made when it is not there.
        cache_bytes: how much the cache may hold.

    Raises:
        OutputError: it cannot be written, or another server uses it.
    """

    def __init__(self, folder: Path, cache_bytes: int) -> None:
        self.folder = folder
        self._cache_bytes = cache_bytes
        try:
            for place in (self.jobs, self.cache):
                place.mkdir(parents=True, exist_ok=True)
            self._lock: BinaryIO = (folder / "serve.lock").open("ab")
        except OSError as error:
            raise OutputError(f"{folder} cannot be written ({error.strerror}); name another with --data") from error
        if not _locked(self._lock):
            self._lock.close()
            raise OutputError(f"another menura serve uses {folder}; stop it, or name another folder with --data")

    @property
    def jobs(self) -> Path:
        """The folder of all jobs."""
        return self.folder / "jobs"

    @property
    def cache(self) -> Path:
        """The folder of rendered sounds."""
        return self.folder / "cache"

    def new_job(self) -> tuple[str, Path]:
        """A new id and its folder."""
        name = secrets.token_hex(8)
        place = self.jobs / name
        place.mkdir()
        return name, place

    def place(self, job: str) -> Path:
        """The folder of a job. Raises ValueError for what is no id."""
        if not re.fullmatch(ID, job):
            raise ValueError(f"{job!r} is no id")
        return self.jobs / job

    def known(self) -> list[str]:
        """Ids of all jobs on disk, the oldest first."""
        found = [path for path in self.jobs.iterdir() if re.fullmatch(ID, path.name) and (path / _JOB).is_file()]
        return [path.name for path in sorted(found, key=lambda path: (path / _JOB).stat().st_mtime)]

    def events(self, job: str) -> Path:
        """The journal's file."""
        return self.place(job) / _EVENTS

    def write_job(self, job: str, facts: Mapping[str, Any]) -> None:
        """Keeps what was asked for."""
        storage.write_text(self.place(job) / _JOB, json.dumps(facts, indent=1, ensure_ascii=False), force=True)

    def read_job(self, job: str) -> dict[str, Any]:
        """What was asked for. Raises OSError, ValueError."""
        return json.loads((self.place(job) / _JOB).read_text(encoding="utf-8"))

    def remove(self, job: str) -> None:
        """Takes a job away with all of its files."""
        shutil.rmtree(self.place(job), ignore_errors=True)

    def sweep(self) -> None:
        """Takes the oldest sounds out of the cache until it holds no more than it may; half-made jobs too."""
        files = [(path.stat(), path) for path in self.cache.iterdir() if path.is_file()]
        total = sum(facts.st_size for facts, _ in files)
        for facts, path in sorted(files, key=lambda item: item[0].st_mtime):
            if total <= self._cache_bytes:
                break
            path.unlink(missing_ok=True)
            total -= facts.st_size

    def close(self) -> None:
        """Lets another server use the folder."""
        self._lock.close()


def _locked(file: BinaryIO) -> bool:
    """Takes the lock that ends with this process; True where the system has none."""
    if os.name != "posix":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
