"""One piece of work with foreign code, done in a process of its own that may crash or hang.

Owns the process, its deadline and the words for its end. Knows nothing of plug-ins.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import subprocess
from collections.abc import Callable
from typing import Any

from menura.errors import EngineError, MenuraError
from menura.synths import child

_CODE = "from menura.synths.plugins.worker import main; main()"


def isolated(task: str, *arguments: Any, seconds: float) -> Any:
    """What a function answers when it is called in a new process.

    Args:
        task: the function, as ``"module:name"``.
        arguments: handed to it; they and the answer travel as pickles.
        seconds: how long it may take.

    Raises:
        EngineError: the process crashed or was late.
        MenuraError: whatever the function raised of our own kind; anything else comes as EngineError.
    """
    process = child.spawn(_CODE)
    try:
        answer, _ = process.communicate(pickle.dumps((task, arguments)), timeout=seconds)
    except subprocess.TimeoutExpired:
        raise EngineError(f"it hung: no answer within {seconds:g} s, and the process was ended") from None
    finally:
        # Whatever the foreign code forked goes with it.
        child.end(process)
    if process.returncode or not answer:
        raise EngineError(f"it crashed: {_end(process.returncode)}")
    found: Any = pickle.loads(answer)
    if isinstance(found, BaseException):
        raise found
    return found


def _end(code: int) -> str:
    """What the end of a process is called."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"its process ended by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"


def main() -> None:
    """The child: reads one task, writes one answer."""
    requests, answers = child.streams()
    task, arguments = pickle.loads(requests.read())
    module, _, name = task.partition(":")
    try:
        work: Callable[..., Any] = getattr(importlib.import_module(module), name)
        answer: Any = work(*arguments)
    except MenuraError as error:
        answer = error
    except Exception as error:  # noqa: BLE001 - foreign code may raise anything; it is told by name
        answer = EngineError(f"it failed: {type(error).__name__}: {error}")
    with answers:
        answers.write(pickle.dumps(answer, protocol=5))
    # Foreign code that crashes while it is taken down has done its work all the same.
    os._exit(0)
