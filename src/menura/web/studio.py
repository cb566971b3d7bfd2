"""What listeners ask for, rendered by a few processes and kept in the cache. Owns their queue; renders nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from menura.errors import WorkError
from menura.web.child import Child, ChildGoneError
from menura.web.settings import Limits

_T = TypeVar("_T")


class StudioError(WorkError):
    """A render for a listener that did not come; `status` is the HTTP status that says why."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Studio:
    """A few processes that render.

    Args:
        cache: folder of what was rendered.
        limits: how many, how many may wait, and how long one may take.
    """

    def __init__(self, cache: Path, limits: Limits) -> None:
        self._cache = cache
        self._limits = limits
        self._children = [Child("menura.web.studio_worker", limits.child_bytes) for _ in range(limits.studios)]
        self._free: asyncio.LifoQueue[Child] = asyncio.LifoQueue()
        for child in self._children:
            self._free.put_nowait(child)
        self._waiting = 0
        self._making: dict[str, asyncio.Task[Path]] = {}
        # A tutorial takes half a minute: one process stays for those who listen.
        self._builders = asyncio.Semaphore(max(1, limits.studios - 1))

    async def sound(self, request: Mapping[str, Any]) -> Path:
        """The sound file of a request; its numbers lie beside it, as `.json`. Raises StudioError."""
        return await self._made({"what": "sound", **request}, ".wav")

    async def target(self, request: Mapping[str, Any]) -> Path:
        """The numbers of a target's picture. Raises StudioError."""
        return await self._made({"what": "target", **request}, ".json")

    async def preset(self, request: Mapping[str, Any]) -> Path:
        """A preset file. Raises StudioError."""
        return await self._made({"what": "preset", **request}, ".preset")

    async def building(self, request: Mapping[str, Any]) -> Path:
        """How a preset is built. Raises StudioError."""
        return await self._made({"what": "building", **request}, ".json")

    async def controls(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The controls of a preset. Raises StudioError."""
        return await self._ask({"what": "controls", **request})

    def processes(self) -> list[int]:
        """Process numbers of those that run."""
        return [child.pid for child in self._children if child.pid]

    async def close(self) -> None:
        """Ends all processes."""
        for task in self._making.values():
            task.cancel()
        for child in self._children:
            await child.end()

    async def _made(self, request: dict[str, Any], suffix: str) -> Path:
        """The file that answers a request, from the cache where it is there; who ask for the same wait together."""
        key = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        path = self._cache / f"{key}{suffix}"
        beside = path.with_suffix(".json")
        if path.is_file() and (suffix != ".wav" or beside.is_file()):
            os.utime(path)  # what is asked for stays
            return path
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make({**request, "out": str(path)}, path))
            self._making[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def _forget(self, key: str, done: asyncio.Task[Path]) -> None:
        self._making.pop(key, None)
        if not done.cancelled():
            done.exception()  # where all who waited have left, nobody else looks at it

    async def _make(self, request: dict[str, Any], path: Path) -> Path:
        if request["what"] != "building":
            await self._ask(request)
            return path
        await self._wait(self._builders.acquire)
        try:
            await self._ask(request, self._limits.building_seconds)
        finally:
            self._builders.release()
        return path

    async def _wait(self, coming: Callable[[], Awaitable[_T]]) -> _T:
        """One's turn. Raises StudioError where too many wait already."""
        if self._waiting >= self._limits.studio_waiting:
            raise StudioError("too many renders wait; try again in a moment", 503)
        self._waiting += 1
        try:
            return await coming()
        finally:
            self._waiting -= 1

    async def _ask(self, request: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        child = await self._wait(self._free.get)
        try:
            async with asyncio.timeout(seconds or self._limits.studio_seconds):
                await child.start()
                await child.say(request)
                answer = await child.hear()
        except (TimeoutError, ChildGoneError) as error:
            await child.end()
            why = "took too long" if isinstance(error, TimeoutError) else "ended the process that rendered it"
            raise StudioError(f"this sound {why}; try again, or turn less", 503) from error
        except asyncio.CancelledError:
            await child.end()
            raise
        finally:
            self._free.put_nowait(child)
        if "error" in answer:
            raise StudioError(str(answer["error"]), int(answer["status"]))
        return answer
