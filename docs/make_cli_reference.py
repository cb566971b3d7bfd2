"""Writes docs/reference/cli.md from the commands themselves: every command, argument, option and default.

    python docs/make_cli_reference.py            # writes it
    python docs/make_cli_reference.py --check    # exit code 1 where it is not what the code says

What is read is what the functions declare, not the help that typer makes of it, so that the page is the same with every
version of typer. A guard in the tests asks for it: a page that lags behind fails.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from menura.cli.app import app

PAGE = Path(__file__).resolve().parent / "reference" / "cli.md"
HEAD = """\
# Commands

Every command with its options and their defaults, made from the code by `docs/make_cli_reference.py`. What the commands
write and mean is told in [the command line](../cli.md); `-h` and `--help` show the same in a terminal.
"""
VALUES = {str: "TEXT", int: "N", float: "X", Path: "PATH"}
"""What stands for a value behind its option."""


def page() -> str:
    """The whole page."""
    callback = app.registered_callback
    parts = [HEAD, _table(callback.callback if callback else None), str(app.info.epilog or "")]
    for path, depth, what, function in _commands(app, "menura", 2):
        parts += [f"{'#' * depth} {path}", what, _table(function)]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _commands(group: typer.Typer, path: str, depth: int) -> Iterator[tuple[str, int, str, Callable[..., Any] | None]]:
    """Path, depth of the heading, words and function of every command below a group."""
    for command in group.registered_commands:
        if not command.hidden and command.callback:
            name = command.name or command.callback.__name__.replace("_", "-")
            words = inspect.getdoc(command.callback) or str(command.help or "")
            yield f"{path} {name}", depth, words, command.callback
    for inner in group.registered_groups:
        instance = inner.typer_instance
        if instance is None or inner.hidden is True:
            continue
        own = instance.registered_callback
        name = f"{path} {inner.name}"
        function = own.callback if own else None
        yield (
            name,
            depth,
            _words(inner.help, instance.info.help, inspect.getdoc(function) if function else ""),
            function,
        )
        yield from _commands(instance, name, depth + 1)


def _words(*found: object) -> str:
    return next((text for text in found if isinstance(text, str) and text), "")


def _table(function: Callable[..., Any] | None) -> str:
    rows = [] if function is None else list(_rows(function))
    return "\n".join(["| | | default |", "|---|---|---|", *rows]) if rows else ""


def _rows(function: Callable[..., Any]) -> Iterator[str]:
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters.values():
        notes = get_args(hints[parameter.name])
        info = next((note for note in notes if isinstance(note, OptionInfo | ArgumentInfo)), None)
        if info is None or info.hidden:
            continue
        kind = notes[0]
        if isinstance(info, OptionInfo):
            # Where an option is an annotation, typer keeps the first of its names in the place of the default.
            names = [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]
            shown = " ".join(word for word in (", ".join(sorted(names, key=len)), _value(kind)) if word)
        else:
            shown = str(info.metavar or parameter.name.upper())
        what = re.sub(r"\s+", " ", f"{info.help or ''} {_range(info)}").strip()
        yield f"| `{_cell(shown)}` | {_cell(what)} | {_cell(_default(parameter.default, info))} |"


def _value(kind: Any) -> str:
    """What stands for a value of this type; nothing for a switch."""
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if kind is bool:
        return ""
    inner = [one for one in get_args(kind) if one is not type(None)]
    return VALUES.get(kind) or (_value(inner[0]) if inner else "VALUE")


def _range(info: OptionInfo | ArgumentInfo) -> str:
    low, high = info.min, info.max
    if low is None and high is None:
        return ""
    if high is None:
        return f"({low:g} or more)"
    return f"(up to {high:g})" if low is None else f"({low:g} to {high:g})"


def _default(default: object, info: OptionInfo | ArgumentInfo) -> str:
    if isinstance(info.show_default, str):
        return info.show_default
    if default is inspect.Parameter.empty:
        return "needed"
    if default is True:
        return "on"
    return "" if default is None or default is False else f"{default:g}" if isinstance(default, float) else str(default)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Writes the page, or says whether it is up to date."""
    parser = argparse.ArgumentParser(description="Write docs/reference/cli.md from the commands.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 where the page lags behind")
    wanted = page()
    if not parser.parse_args().check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{PAGE.name} is not what the commands say; run: python docs/make_cli_reference.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
