"""The `menura` command, its options and how it ends: one line on stderr, and 0, 1, 2 or 130."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import Annotated

import typer

from menura import storage
from menura.cli import (
    STOPPED,
    bench,
    dataset,
    doctor,
    explain,
    info,
    library,
    match,
    models,
    render,
    screen,
    serve,
    synths,
)
from menura.errors import MenuraError
from menura.version import __version__

app = typer.Typer(
    name="menura",
    help="Give it a sound; it answers with presets that play that sound on a real synthesizer.",
    epilog="Exit codes: 0 done, 1 the work failed, 2 the input cannot be used, 130 stopped by Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("match")(match.match)
app.command("explain")(explain.explain)
app.command("render")(render.render)
app.command("info")(info.info)
app.command("doctor")(doctor.doctor)
app.command("serve")(serve.serve)
app.add_typer(synths.app, name="synths")
app.add_typer(bench.app, name="bench")
app.add_typer(dataset.app, name="dataset")
app.add_typer(library.app, name="library")
app.add_typer(models.app, name="models")


def _version(wanted: bool) -> None:
    if wanted:
        screen.out(f"menura {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
    _debug_wanted: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of anything that fails (also: MENURA_DEBUG=1).")
    ] = False,
) -> None:
    """Options before the command; `run` looks for --debug itself, because failures end up there."""


def run(given: list[str]) -> int:
    """Runs the command; answers with its exit code."""
    json_wanted = "--json" in given
    debug = "--debug" in given or os.environ.get("MENURA_DEBUG", "") not in ("", "0")
    screen.show_warnings()
    try:
        answer = app(given, prog_name="menura", standalone_mode=False)
        code = answer if isinstance(answer, int) else 0
        if code == STOPPED:  # typer has turned a KeyboardInterrupt into this
            screen.complain("stopped; nothing was written", code, json_wanted)
    except match.StoppedError:
        code = STOPPED
    except typer.TyperException as error:
        code = error.exit_code
        if message := error.format_message().rstrip("."):  # empty where the help was shown instead
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "menura"
            screen.complain(f"{message}; {command} --help tells what there is", code, json_wanted)
    except MenuraError as error:
        code = error.exit_code
        if debug:
            traceback.print_exc()
        screen.complain(str(error), code, json_wanted)
    except BrokenPipeError:
        # The reader of our output has left (`menura ... | head`); Python must not complain at its end either.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        code = 1
    except Exception as error:  # noqa: BLE001 the last door: whatever it is becomes one line and a log
        code = 1
        if debug:
            traceback.print_exc()
        said = " ".join(str(error).split()) or "no message"
        where = "" if debug else f"; {_log()}"
        screen.complain(f"unexpected {type(error).__name__}: {said}{where}", code, json_wanted)
    return code


def _log() -> str:
    """Keeps the traceback in a file and says where it is."""
    path = storage.cache_folder() / "log" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    try:
        storage.write_text(path, f"menura {__version__}\n{' '.join(sys.argv)}\n\n{traceback.format_exc()}", force=True)
    except MenuraError:
        return "menura --debug shows where"
    return f"what happened is in {path}"
