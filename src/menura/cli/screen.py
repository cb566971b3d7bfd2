"""What is printed: answers on stdout, everything else on stderr. The only place that prints."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from menura.export import plain


def out(text: str) -> None:
    """A line of the answer."""
    print(text, flush=True)


def note(text: str) -> None:
    """A line about the work."""
    print(text, file=sys.stderr, flush=True)


class _Warnings(logging.Handler):
    """Shows what the rooms below log as a warning."""

    def emit(self, record: logging.LogRecord) -> None:
        note(f"warning: {record.getMessage()}")


def show_warnings() -> None:
    """Sends the package's warnings to stderr, once."""
    log = logging.getLogger("menura")
    if not any(isinstance(handler, _Warnings) for handler in log.handlers):
        log.addHandler(_Warnings(logging.WARNING))


def complain(text: str, code: int, json_wanted: bool) -> None:
    """One line on what went wrong; with --json also the object that stdout promises."""
    line = " ".join(text.split())
    print(f"menura: {line}", file=sys.stderr)
    if json_wanted:
        emit({"error": line, "exit_code": code})


def emit(answer: Mapping[str, Any]) -> None:
    """The one JSON object of a command, on one line."""
    print(json.dumps(plain(answer), allow_nan=False))


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """A plain table; the columns named in `numbers` are set right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # Overlong words wrap: a file name that is cut short is of no use.
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return made


def show(thing: Any) -> None:
    """A rich object on stdout; wide where nobody looks, so that lines stay whole in pipes."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=160, highlight=False)
    console.print(thing)


def show_markdown(text: str) -> None:
    """Markdown, set for a terminal; as it is where nobody looks."""
    if Console(file=sys.stdout).is_terminal:
        show(Markdown(text))
    else:
        print(text, end="", flush=True)


def errors() -> Console:
    """The console for progress, on stderr."""
    return Console(file=sys.stderr, highlight=False)


def verbatim(text: str) -> Text:
    """Text that is shown as it is, whatever brackets are in it."""
    return Text(text)
