"""What documents say to type: their blocks of code, and whether their commands parse. For the guards of all of them."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

_FILE = re.compile(r"\A# (\S+\.(?:py|toml))\n")


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(document: Path) -> list[str]:
    """The lines of shell blocks that call menura."""
    return [line for block in blocks(document, "sh") for line in block.splitlines() if line.startswith("menura ")]


def files(document: Path) -> dict[str, str]:
    """Blocks whose first line is a comment with the name of a file, by that name."""
    found = blocks(document, "python") + blocks(document, "toml")
    return {named[1]: block for block in found if (named := _FILE.match(block))}


def programme(document: Path) -> str:
    """The blocks of Python that are no files, one after the other."""
    return "\n".join(block for block in blocks(document, "python") if not _FILE.match(block))


def parse(line: str) -> None:
    """Checks every command, option and value of a line as the command line does, and runs nothing.

    Sounds and presets that the line names are made, empty, in the current folder. Raises what the parser raises.
    """
    import typer.main

    from menura.cli.app import app

    command: Any = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    for before, word in zip(["", *words], words, strict=False):
        if Path(word).suffix in (".wav", ".vital") and before != "--out":
            Path(word).parent.mkdir(exist_ok=True)
            Path(word).touch()
    # A group that does something by itself may stand alone.
    while hasattr(command, "commands") and (words or not command.invoke_without_command):
        assert words[0] in command.commands, f"no command {words[0]}"
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)


def example(repository: Path, name: str) -> ModuleType:
    """A script of examples/ as a module."""
    spec = importlib.util.spec_from_file_location(name, repository / "examples" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
