"""The command line: parses, calls, shows. Knows none of the algorithms; heavy rooms load inside the commands."""

from menura.cli.app import app, main

__all__ = ["app", "main"]
