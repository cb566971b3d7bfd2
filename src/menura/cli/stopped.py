"""What ends a command that Ctrl-C has stopped, and that goes on when it is called again."""

from __future__ import annotations

from menura.errors import InputError


class StoppedEarlyError(InputError):
    """Ctrl-C: what is finished stays."""

    exit_code = 130
