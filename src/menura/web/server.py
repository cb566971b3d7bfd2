"""The server running: a socket, uvicorn, an orderly end. Owns the process; knows no address."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import replace

import uvicorn

from menura.errors import OutputError
from menura.web.app import make_app
from menura.web.settings import Settings

_LINGER = 3
"""Seconds that open answers have when the server stops."""


def serve(settings: Settings, ready: Callable[[Settings], None]) -> None:
    """Runs until it is interrupted.

    Args:
        settings: where it listens, whom it lets in, what it keeps.
        ready: called with the settings, its port known, when requests are taken.

    Raises:
        OutputError: the port or the folder is taken.
    """
    with _bound(settings) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        config = uvicorn.Config(
            make_app(settings),
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_LINGER,
            timeout_keep_alive=10,
            limit_concurrency=200,
            h11_max_incomplete_event_size=32_768,
            http="h11",
        )
        logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
        _Server(config, lambda: ready(settings)).run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn, which says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Opens the sockets, then tells."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def _bound(settings: Settings) -> socket.socket:
    """A listening socket: taken before anything is started, so that a taken port is one clear line."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, number)
    except OSError as error:
        raise OutputError(f"{settings.host} is no address of this machine ({error.strerror}); try 127.0.0.1") from error
    try:
        if socket.has_ipv6 and family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OutputError(
            f"port {settings.port} of {settings.host} cannot be used ({error.strerror}); choose another with --port"
        ) from error
    return listener
