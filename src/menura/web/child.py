"""A child process that is spoken to in lines of JSON. Owns the process; knows nothing of what is said.

Whatever computes for more than a moment runs in one, so that the server's own loop is always free, and a crash or a
kill costs one answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from menura.synths.child import import_path

LONGEST_LINE = 1 << 22


class ChildGoneError(Exception):
    """The process ended, was killed, or said what is no JSON."""


class Child:
    """One process.

    Args:
        module: what it runs, a module of menura with a `main`, which takes `memory`.
        memory: bytes of address space that it may have.
        log: file that takes what it writes to stderr; None drops it.
    """

    def __init__(self, module: str, memory: int, log: Path | None = None) -> None:
        self._module = module
        self._memory = memory
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process number; 0 while there is none."""
        return self._process.pid if self.alive and self._process is not None else 0

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Starts the process where none runs."""
        if self.alive:
            return
        with contextlib.ExitStack() as stack:
            errors = stack.enter_context(self._log.open("ab")) if self._log else asyncio.subprocess.DEVNULL
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-c",
                f"from {self._module} import main; main({self._memory})",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": import_path()},
                limit=LONGEST_LINE,
                # A session of its own: Ctrl-C reaches the server alone, which then ends its children.
                start_new_session=True,
            )

    async def say(self, message: Mapping[str, Any]) -> None:
        """Sends one line. Raises ChildGoneError."""
        process = self._process
        if process is None or process.stdin is None:
            raise ChildGoneError("the process was never started")
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            await process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise ChildGoneError("the process does not listen") from error

    async def hear(self) -> dict[str, Any]:
        """The next line. Raises ChildGoneError at the end of all lines."""
        process = self._process
        if process is None or process.stdout is None:
            raise ChildGoneError("the process was never started")
        try:
            line = await process.stdout.readline()
            if not line.endswith(b"\n"):
                raise ChildGoneError("the process ended")
            return json.loads(line)
        except ValueError as error:
            raise ChildGoneError("the process said what cannot be understood") from error

    async def end(self) -> None:
        """Ends the process, at once."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            # It may be gone by now, or have been taken by someone else's waiting.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
        await process.wait()
