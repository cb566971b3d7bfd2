"""A server of its own process for tests, which also measures how long its loop was ever held up."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

HELD_UP = 0.1
"""Seconds for which nothing may keep the loop of a server busy."""


class Server:
    """One running server.

    Args:
        folder: where it keeps its results.
        options: of `Settings`; `limits` those of `Limits`.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.options = options
        wanted = json.dumps({"folder": str(folder), **options})
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._log = (folder.parent / f"{folder.name}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, __file__, wanted], stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        started = json.loads(line) if line else {}
        if "url" not in started:
            self._end()
            raise AssertionError(self.log())
        self.url = started["url"]
        token = options.get("token")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def match(self, sound: bytes, name: str = "sound.wav", **wanted: Any) -> dict[str, Any]:
        """Asks for a match, quick unless told otherwise."""
        asked = {"synth": "toy", "track": "knobs", "renders": 12, "top": 2, **wanted}
        answer = self.http.post("/api/jobs", files={"sound": (name, sound)}, data=asked)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def wait(self, job: str, *states: str, seconds: float = 90.0) -> dict[str, Any]:
        """Waits until a job is in a state, or at its end."""
        end = time.monotonic() + seconds
        while True:
            found = self.http.get(f"/api/jobs/{job}").json()
            if found["state"] in (states or ("finished", "failed", "cancelled")):
                return found
            assert time.monotonic() < end, (found, self.log())
            time.sleep(0.05)

    def events(self, job: str, after: int = 0) -> list[dict[str, Any]]:
        """All events of a job until its end."""
        with self.http.stream("GET", f"/api/jobs/{job}/events", params={"after": after}) as stream:
            lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    def log(self) -> str:
        """What it wrote to stderr."""
        return Path(self._log.name).read_text()

    def _end(self) -> str:
        try:
            last, _ = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            last, _ = self.process.communicate()
        self._log.close()
        return last

    def close(self) -> float:
        """Stops it politely; the longest time, in seconds, for which its loop was busy without a pause."""
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        last = self._end()
        return float(json.loads(last)["held_up"]) if last.strip() else float("nan")


def main() -> None:
    from menura.web.server import serve
    from menura.web.settings import Limits, Settings

    wanted = json.loads(sys.argv[1])
    limits = Limits(**wanted.pop("limits", {}))
    settings = Settings(**{"port": 0, **wanted, "folder": Path(wanted["folder"]), "limits": limits})
    longest = 0.0
    run = asyncio.Handle._run

    def timed(self: asyncio.Handle) -> None:
        nonlocal longest
        # Of this thread's own work: what other processes do to a shared machine is no fault of the server.
        start = time.thread_time()
        run(self)
        longest = max(longest, time.thread_time() - start)

    def ready(running: Settings) -> None:
        nonlocal longest
        longest = 0.0
        asyncio.Handle._run = timed
        host = "127.0.0.1" if running.host == "0.0.0.0" else running.host
        print(json.dumps({"url": f"http://{host}:{running.port}"}), flush=True)

    try:
        serve(settings, ready)
    except KeyboardInterrupt:
        pass
    finally:
        print(json.dumps({"held_up": longest}), flush=True)


if __name__ == "__main__":
    main()
