"""What must not come in: foreign hosts and origins, strangers without the token, bodies without end. Knows no address.

It stands before everything else as plain ASGI, so that nothing is read, parsed or run for a request that it refuses.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from menura.web.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "menura"
HEADERS = (
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "microphone=(self), camera=(), geolocation=()"),
)
"""On every answer."""


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """The door of the server, around all the rest of it."""

    def __init__(self, inner: Asgi, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings
        self._names = {name.lower().rstrip(".") for name in (settings.host, "localhost", *settings.names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        if scope["type"] != "http":  # no web sockets here
            return
        began = False
        body = _Body(receive, self._settings)

        async def guarded(message: Message) -> None:
            nonlocal began
            if body.refused is not None and not began:
                # Whoever was reading the body takes a refusal for a torn one, and would say so.
                raise body.refused
            if message["type"] == "http.response.start":
                began = True
                own = {name.encode() for name, _ in HEADERS}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in own]
                message["headers"] = kept + [(name.encode(), value.encode()) for name, value in HEADERS]
            await send(message)

        try:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            self._check_host(headers, scope)
            self._check_origin(headers)
            if await self._let_in(scope, headers, guarded):
                return
            body.check_length(headers)
            await self._inner(scope, body.receive, guarded)
        except _RefusedError as error:
            body.refused = None
            if not began:
                await _refuse(guarded, error)

    def _check_host(self, headers: dict[str, str], scope: Scope) -> None:
        """Refuses names that are not ours: a page elsewhere could have them point here (DNS rebinding)."""
        if sum(name == b"host" for name, _ in scope["headers"]) != 1:
            raise _RefusedError(400, "the request names no host, or more than one")
        try:
            parts = urlsplit(f"//{headers['host']}")
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            host, port = "", None
        server = scope.get("server")
        if server and server[1] and (port or 80) != server[1]:
            raise _RefusedError(403, "this is not the port that the request names")
        if host in self._names:
            return
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            address = None
        # An address cannot be made to point elsewhere. On loopback only those of this machine can be meant.
        if address is not None and (address.is_loopback or not self._settings.loopback):
            return
        raise _RefusedError(403, "this server is not known under that name; see menura serve --name")

    def _check_origin(self, headers: dict[str, str]) -> None:
        """Refuses requests that a page from elsewhere makes a browser send."""
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{headers['host']}", f"https://{headers['host']}"):
            raise _RefusedError(403, "the request comes from a page of another origin")
        if origin is None and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise _RefusedError(403, "the request comes from a page of another site")

    async def _let_in(self, scope: Scope, headers: dict[str, str], send: Send) -> bool:
        """Looks for the token; True where the request was answered here: a link with it becomes a cookie."""
        token = self._settings.token
        if token is None:
            return False
        given = [value for value in (_bearer(headers), _cookie(headers)) if value]
        if any(hmac.compare_digest(value.encode(), token.encode()) for value in given):
            return False
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and scope["method"] == "GET" and hmac.compare_digest(asked.encode(), token.encode()):
            cookie = f"{COOKIE}={quote(token)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000"
            moved = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 303, "headers": moved})
            await send({"type": "http.response.body", "body": b""})
            return True
        raise _RefusedError(401, "this server asks for its token; open the link that menura serve printed")


class _Body:
    """A request's body, as long as it may be and as slow as it may be."""

    def __init__(self, receive: Receive, settings: Settings) -> None:
        self.refused: _RefusedError | None = None
        self._receive = receive
        self._limits = settings.limits
        self._count = 0
        self._over = False
        self._deadline = time.monotonic() + self._limits.body_seconds

    def check_length(self, headers: dict[str, str]) -> None:
        """Refuses what says itself that it is too much."""
        promised = headers.get("content-length", "0")
        if not promised.isdecimal() or int(promised) > self._limits.upload_bytes:
            raise self._too_much()

    async def receive(self) -> Message:
        """The next piece."""
        if self._over:  # what follows the body is the client's leaving
            return await self._receive()
        patience = min(self._limits.body_wait, self._deadline - time.monotonic())
        try:
            async with asyncio.timeout(max(patience, 0.0)):
                message = await self._receive()
        except TimeoutError as error:
            self.refused = _RefusedError(408, "the rest of the request did not come in time; send it again")
            raise self.refused from error
        if message["type"] == "http.request":
            self._count += len(message.get("body", b""))
            self._over = not message.get("more_body", False)
            if self._count > self._limits.upload_bytes:
                self.refused = self._too_much()
                raise self.refused
        return message

    def _too_much(self) -> _RefusedError:
        return _RefusedError(
            413, f"the sound is too large; give a file of {self._limits.upload_bytes / 1e6:.0f} MB at most"
        )


def _bearer(headers: dict[str, str]) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _cookie(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    from urllib.parse import unquote

    return unquote(found.value) if found else ""


async def _refuse(send: Send, error: _RefusedError) -> None:
    body = json.dumps({"error": str(error)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
