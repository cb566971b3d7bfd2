"""A headless Chromium for tests, spoken to over its DevTools pipe: no driver, no package, no port.

Source: Chrome DevTools Protocol, tot, domains Target, Page, Runtime, Network and Log; `--remote-debugging-pipe`
reads commands from file descriptor 3 and answers on 4, each message ended by a zero byte.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """The browser that MENURA_CHROMIUM names, or the first of `NAMES` that is installed."""
    named = os.environ.get("MENURA_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page of one browser; what it logs, what it requests and what goes wrong are kept."""

    def __init__(self, executable: str, *, width: int = 1280, height: int = 900) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._number = 0
        self._buffer = b""
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        self._process = subprocess.Popen(
            [
                # The browser wants its pipe at 3 and 4, whatever numbers they have here.
                sys.executable,
                "-c",
                "import fcntl, os, sys; "
                "a, b = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3]); "
                "os.dup2(a, 3); os.dup2(b, 4); os.execv(sys.argv[3], sys.argv[3:])",
                str(commands),
                str(answers),
                executable,
                "--headless",
                "--no-sandbox",  # CI runs as root in a container, where Chromium refuses its sandbox
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--mute-audio",
                "--autoplay-policy=no-user-gesture-required",
                f"--window-size={width},{height}",
                f"--user-data-dir={self._home.name}",
                "--remote-debugging-pipe",
                "about:blank",
            ],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._session = ""

    def start(self) -> Browser:
        """Takes hold of the browser's one page."""
        target = next(t for t in self._call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self._call("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        return self

    def open(self, path: Path) -> None:
        """Opens a file and waits until it is loaded."""
        self.call("Page.navigate", {"url": path.resolve().as_uri()})
        self.wait("document.readyState === 'complete' && location.protocol === 'file:'")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        answer = self.call(
            "Runtime.evaluate",
            {"expression": expression, "awaitPromise": True, "returnByValue": True, "userGesture": True},
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = 20.0) -> None:
        """Waits until an expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            if time.monotonic() > end:
                raise AssertionError(f"not true after {seconds} s: {expression}; problems: {self.problems}")
            time.sleep(0.03)

    def press(self, key: str) -> None:
        """Presses and lets go one key."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", "key": key, **text})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", "key": key})

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """Sends a command to the page and waits for its answer."""
        return self._call(method, parameters, self._session)

    def close(self) -> None:
        """Ends the browser."""
        os.close(self._out)  # the browser leaves when its pipe closes
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        self._home.cleanup()

    def _call(
        self, method: str, parameters: dict[str, Any] | None = None, session: str | None = None
    ) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        body = json.dumps(message).encode() + b"\0"
        while body:
            body = body[os.write(self._out, body) :]
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], 30.0)
            piece = os.read(self._in, 1 << 16) if ready else b""
            if not piece:
                raise AssertionError(f"the browser does not answer (exit code {self._process.poll()})")
            self._buffer += piece
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        details = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(details["request"]["url"])
            case "Runtime.exceptionThrown":
                self.problems.append(str(details["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if details["type"] in ("error", "warning", "assert"):
                self.problems.append(str(details["args"]))
            case "Log.entryAdded" if details["entry"]["level"] in ("error", "warning"):
                self.problems.append(str(details["entry"]))
            case _:
                pass


@pytest.fixture
def open_page() -> Iterator[Callable[[Path], Browser]]:
    """Opens a file in a browser of its own; absent a browser, the test is skipped here and fails in CI."""
    executable = find_browser()
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: CI must install one, so that pages are tested")
        pytest.skip("no Chromium is installed; pages are not tested in a browser")
    opened: list[Browser] = []

    def open_one(path: Path) -> Browser:
        opened.append(Browser(executable))
        opened[-1].start().open(path)
        return opened[-1]

    yield open_one
    for browser in opened:
        browser.close()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; without one the test is skipped here and fails in CI."""
    executable = find_browser()
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: CI must install one, so that pages are tested")
        pytest.skip("no Chromium is installed; pages are not tested in a browser")
    return executable
