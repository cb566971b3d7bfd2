"""`menura serve`: the page and its server."""

from __future__ import annotations

import secrets
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from menura.cli import screen
from menura.cli.options import Json
from menura.errors import EngineError

if TYPE_CHECKING:
    from menura.web.settings import Settings


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; any but this machine's own needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0 takes a free one.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="MENURA_TOKEN", help="What every request must show; drawn where one is needed."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Host name under which it may be asked; repeatable.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder for results.", show_default="the user's data folder")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Matches at a time.")] = 1,
    keep_days: Annotated[float, typer.Option("--keep-days", min=0.0, help="Days that results are kept.")] = 30.0,
    keep_jobs: Annotated[int, typer.Option("--keep-jobs", min=1, help="Results that are kept.")] = 100,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    json: Json = False,
) -> None:
    """Serve the page: drop a sound, watch presets arrive, compare, turn, save. Ctrl-C stops it."""
    try:
        from menura.web.server import serve as run
        from menura.web.settings import Limits, Settings
    except ModuleNotFoundError as error:
        raise EngineError(f"the server needs {error.name}; run: pip install 'menura[web]'") from error

    limits = Limits(jobs_at_once=jobs, keep_days=keep_days, keep_jobs=keep_jobs)
    drawn = token or (None if _is_here(host) else secrets.token_urlsafe(24))
    settings = Settings(host=host, port=port, token=drawn, names=tuple(name or ()), limits=limits)
    if data is not None:
        from dataclasses import replace

        settings = replace(settings, folder=data)

    def ready(running: Settings) -> None:
        link = link_of(running)
        if json:
            screen.emit({"url": link, "folder": str(running.folder), "token": running.token})
        else:
            screen.out(f"menura listens at {link}")
            screen.note(f"results are kept in {running.folder}; Ctrl-C stops")
        if open_page:
            webbrowser.open(link)

    try:
        run(settings, ready)
    except KeyboardInterrupt:
        screen.note("stopped")


def link_of(settings: Settings) -> str:
    """The page's address, with the token where one is needed."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    query = f"?token={settings.token}" if settings.token else ""
    return f"http://{host}:{settings.port}/{query}"


def _is_here(host: str) -> bool:
    from menura.web.settings import Settings

    return Settings(host=host, token="-" * 16).loopback
