"""What happened in one job, in order, on disk. Owns the file and its readers; knows no job.

Each event is one line of JSON with a number from 1, so that a reader who was away asks for what came after the last
number it saw.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

LAST = frozenset({"finished", "failed", "cancelled"})
"""Kinds of event after which nothing comes."""
Event = dict[str, Any]


class Journal:
    """The events of one job; written by one, read by any number.

    Args:
        path: the file; it is read where it is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: list[Event] = _read(path)
        self._news = asyncio.Event()

    @property
    def events(self) -> list[Event]:
        """All of them, the first first."""
        return self._events

    @property
    def over(self) -> bool:
        """True where nothing more will come."""
        return bool(self._events) and self._events[-1]["event"] in LAST

    def write(self, kind: str, **details: Any) -> Event:
        """Adds one and wakes the readers; after the last event nothing is added."""
        if self.over:
            return self._events[-1]
        event: Event = {"id": len(self._events) + 1, "event": kind, **details}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n")
        self._events.append(event)
        news, self._news = self._news, asyncio.Event()
        news.set()
        return event

    async def follow(self, after: int = 0, *, pulse: float = 15.0) -> AsyncIterator[Event | None]:
        """Events behind number `after`, and each new one; None after every `pulse` seconds without one.

        A slow reader holds no copy: it takes the next event from the list when it is ready for it.
        """
        place = max(0, after)
        while True:
            news = self._news
            while place < len(self._events):
                place += 1
                yield self._events[place - 1]
            if self.over:
                return
            if news.is_set():
                continue
            try:
                await asyncio.wait_for(news.wait(), pulse)
            except TimeoutError:
                yield None


def as_stream(event: Mapping[str, Any] | None) -> bytes:
    """An event as the bytes of a `text/event-stream`; None is a comment that keeps the line open.

    Source: WHATWG HTML, 9.2 Server-sent events.
    """
    if event is None:
        return b": still here\n\n"
    body = json.dumps(event, ensure_ascii=False, allow_nan=False)
    return f"id: {event['id']}\nevent: {event['event']}\ndata: {body}\n\n".encode()


def _read(path: Path) -> list[Event]:
    """The events of a file; a last line that was cut off by a crash is left out."""
    events: list[Event] = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return events
    for line in text.splitlines():
        try:
            event: Event = json.loads(line)
        except ValueError:
            break
        events.append(event)
    return events
