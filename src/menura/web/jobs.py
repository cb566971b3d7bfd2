"""Matches that were asked for: they wait, run one process each, end in a result or a clear word, and are kept a while.

Owns the queue and the life of a job; knows nothing of HTTP, and of matching no more than what to ask for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from menura.errors import WorkError
from menura.web.child import Child, ChildGoneError
from menura.web.journal import Journal
from menura.web.settings import Limits
from menura.web.store import RESULT, SO_FAR, Store

_log = logging.getLogger(__name__)
_PATIENCE = 30.0
"""Seconds that a cancelled match has to hand in its best so far."""
_STATES = {"finished": "finished", "failed": "failed", "cancelled": "cancelled"}


class BusyError(WorkError):
    """No more jobs are taken now."""


@dataclass(slots=True, eq=False)
class Job:
    """One match."""

    id: str
    facts: Mapping[str, Any]
    """What was asked for, as `job.json` has it."""
    journal: Journal
    folder: Path
    running: bool = False
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def state(self) -> str:
        """`queued`, `running`, `finished`, `failed` or `cancelled`."""
        if self.journal.over:
            return _STATES[self.journal.events[-1]["event"]]
        return "running" if self.running else "queued"

    def last(self, kind: str) -> dict[str, Any] | None:
        """The newest event of a kind."""
        return next((event for event in reversed(self.journal.events) if event["event"] == kind), None)

    @property
    def audible(self) -> bool:
        """False where words alone say what is wanted: there is no target to hear."""
        heard = self.last("listened")
        return heard is None or heard.get("audible", True)

    @property
    def matches(self) -> list[dict[str, Any]]:
        """The answers; none before the end."""
        finished = self.last("finished")
        return finished["matches"] if finished else []

    def preset(self, shelf: str, number: int) -> Path | None:
        """The file of an answer, or of a candidate that was the best for a while; None where there is none."""
        if shelf == "matches":
            match = next((match for match in self.matches if match["number"] == number), None)
            return self.folder / RESULT / match["preset"] if match else None
        path = self.folder / SO_FAR / f"{int(number)}.preset"
        return path if path.is_file() else None


class Jobs:
    """All jobs of one server."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        for name in store.known():
            with contextlib.suppress(OSError, ValueError):
                job = Job(name, store.read_job(name), Journal(store.events(name)), store.place(name))
                job.journal.write("failed", message="the server stopped before this match was done; match again")
                self._jobs[name] = job

    def start(self) -> None:
        """Begins to work."""
        self._sweep()
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._limits.jobs_at_once)]

    async def close(self) -> None:
        """Ends all matches; those that run end in a clear word."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job in self._jobs.values():
            job.journal.write("failed", message="the server was stopped; match again")

    def check_room(self) -> None:
        """Refuses before the upload what would be refused after it. Raises BusyError."""
        if len(self._waiting) >= self._limits.jobs_waiting:
            raise BusyError(f"{len(self._waiting)} matches wait already; try again when some of them are done")

    def add(self, job_id: str, facts: Mapping[str, Any]) -> Job:
        """Puts a job into the queue; its sound lies in its folder. Raises BusyError."""
        self.check_room()
        self._store.write_job(job_id, facts)
        job = Job(job_id, facts, Journal(self._store.events(job_id)), self._store.place(job_id))
        self._jobs[job_id] = job
        self._waiting.append(job)
        job.journal.write("queued", ahead=len(self._waiting) - 1 + sum(other.running for other in self._jobs.values()))
        self._news.set()
        return job

    def get(self, job_id: str) -> Job | None:
        """The job of that id."""
        return self._jobs.get(job_id)

    def newest_first(self) -> list[Job]:
        """All of them."""
        return sorted(self._jobs.values(), key=lambda job: float(job.facts["created"]), reverse=True)

    def cancel(self, job: Job) -> None:
        """Asks a job to end: one that waits ends at once, one that runs with its best so far."""
        job.cancelled.set()
        if job in self._waiting:
            self._waiting.remove(job)
            job.journal.write("cancelled", message="cancelled before it began")

    async def remove(self, job: Job) -> None:
        """Ends a job and takes it away with all that it made."""
        self.cancel(job)
        while job.running:
            await asyncio.sleep(0.05)
        self._jobs.pop(job.id, None)
        await asyncio.to_thread(self._store.remove, job.id)

    async def _work(self) -> None:
        while True:
            while not self._waiting:
                self._news.clear()
                await self._news.wait()
            job = self._waiting.pop(0)
            job.running = True
            try:
                await self._run(job)
            except Exception as error:  # noqa: BLE001 one job that goes wrong must not end the queue
                _log.exception("job %s", job.id)
                job.journal.write("failed", message=f"unexpected {type(error).__name__}; match again")
            finally:
                job.running = False
            self._sweep()

    async def _run(self, job: Job) -> None:
        child = Child("menura.web.match_worker", self._limits.child_bytes, job.folder / "worker.log")
        cancelling = asyncio.create_task(self._pass_on_cancel(job, child))
        try:
            async with asyncio.timeout(float(job.facts["seconds"]) + self._limits.overtime):
                await child.start()
                await child.say({**job.facts, "folder": str(job.folder), "longest": self._limits.upload_seconds})
                while not job.journal.over:
                    event = await child.hear()
                    job.journal.write(event.pop("event"), **event)
        except TimeoutError:
            job.journal.write("failed", message="the match took far longer than its limit and was ended; match again")
        except ChildGoneError:
            if job.cancelled.is_set():
                job.journal.write("cancelled", message="cancelled; it had nothing to hand in yet")
            job.journal.write("failed", message="the process of this match died; match again")
        finally:
            cancelling.cancel()
            await child.end()

    async def _pass_on_cancel(self, job: Job, child: Child) -> None:
        await job.cancelled.wait()
        with contextlib.suppress(ChildGoneError):
            await child.say({"cancel": True})
        await asyncio.sleep(_PATIENCE)
        await child.end()

    def _sweep(self) -> None:
        """Takes away what is too old or too many; never what waits or runs."""
        now = time.time()
        done = [job for job in self.newest_first() if job.journal.over]
        for place, job in enumerate(done):
            old = now - float(job.facts["created"]) > 86_400 * self._limits.keep_days
            if old or place >= self._limits.keep_jobs:
                del self._jobs[job.id]
                self._store.remove(job.id)
        self._store.sweep()
