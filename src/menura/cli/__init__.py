"""The command line: parses, calls, shows. Knows none of the algorithms; heavy rooms load inside the commands."""

from __future__ import annotations

import sys

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it (128 + SIGINT)."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command and ends the process with its exit code."""
    try:
        from menura.cli.app import run
    except KeyboardInterrupt:  # so early that nothing has begun
        sys.exit(STOPPED)
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))
