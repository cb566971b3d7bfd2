"""The server put together: addresses, pages, guard, jobs. Knows no algorithm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import as_file, files
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from menura.version import __version__
from menura.web import routes_jobs, routes_sounds
from menura.web.asking import only_known_names, problems
from menura.web.guard import Guard
from menura.web.jobs import Jobs
from menura.web.schemas import About, SynthInfo
from menura.web.settings import Settings
from menura.web.store import Store
from menura.web.studio import Studio
from menura.web.synths import usable_synths

_KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
SHARED = ("playhead.js", "style.css")
"""Files of the report that the page uses as they are."""


def make_app(settings: Settings, synths: list[SynthInfo] | None = None) -> Guard:
    """A server as an ASGI application.

    Args:
        settings: where it listens, whom it lets in, what it keeps.
        synths: what the page offers; None looks for every usable synth.

    Raises:
        OutputError: its folder cannot be used.
    """
    offered = usable_synths() if synths is None else synths
    store = Store(settings.folder, settings.limits.cache_bytes)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.jobs = Jobs(store, settings.limits)
        app.state.studio = Studio(store.cache, settings.limits)
        app.state.jobs.start()
        try:
            yield
        finally:
            await app.state.jobs.close()
            await app.state.studio.close()
            store.close()

    app = FastAPI(
        title="menura",
        version=__version__,
        description="Give it a sound; it answers with presets that play that sound on a real synthesizer.",
        lifespan=life,
        openapi_url="/api/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings, app.state.store, app.state.streams = settings, store, 0
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AnyHTTPException, _refused)
    app.include_router(routes_jobs.router, dependencies=[Depends(only_known_names)])
    app.include_router(routes_sounds.router, dependencies=[Depends(only_known_names)])
    limits = settings.limits

    @app.get("/api/about", tags=["server"], responses=problems())
    async def about() -> About:
        """The server: its version, its synths, its limits."""
        return About(
            version=__version__,
            synths=offered,
            upload_bytes=limits.upload_bytes,
            upload_seconds=limits.upload_seconds,
            renders=limits.renders,
            seconds=limits.seconds,
            matches=limits.matches,
        )

    pages = _pages()

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return _file(pages["index.html"])

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> FileResponse:
        if name not in pages:
            raise HTTPException(404, "there is no such file")
        return _file(pages[name])

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return _file(pages["icon.svg"])

    return Guard(app, settings)


def _pages() -> dict[str, str]:
    """Name to path of every file that is served as it is: a name that is not here has no file."""
    found: dict[str, str] = {}
    for package, wanted in (("menura.web", None), ("menura.report", SHARED)):
        folder = files(package).joinpath("static") if wanted is None else files(package)
        with as_file(folder) as place:
            for path in place.iterdir():
                if path.suffix in _KINDS and (wanted is None or path.name in wanted):
                    found[path.name] = str(path)
    return found


def _file(path: str) -> FileResponse:
    suffix = path[path.rindex(".") :]
    return FileResponse(path, media_type=_KINDS[suffix], headers={"Cache-Control": "no-cache"})


async def _invalid(_request: Request, error: Any) -> JSONResponse:
    """What does not fit the schema, as one line."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return JSONResponse({"error": f"{place}: {first['msg']}"}, 422)


async def _refused(_request: Request, error: Any) -> JSONResponse:
    said = str(error.detail)
    text = {"Not Found": "there is nothing at this address; see /api/openapi.json"}.get(said, said)
    return JSONResponse({"error": text}, error.status_code, headers=error.headers)
