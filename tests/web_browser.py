"""What tests of the page need of a browser."""

from __future__ import annotations

import base64
import time

from playwright.sync_api import Page

CHROMIUM_FLAGS = [
    "--no-sandbox",  # continuous integration runs as root, where Chromium refuses its sandbox
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def until(page: Page, expression: str, seconds: float = 60.0) -> None:
    """Waits until an expression is true; Playwright's own waiting needs `eval`, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        if time.monotonic() > end:
            said = page.evaluate("document.querySelector('#problem')?.textContent + document.body.dataset.ready")
            raise AssertionError(f"not true after {seconds} s: {expression}; the page says {said!r}")
        page.wait_for_timeout(50)


def drop(page: Page, name: str, content: bytes) -> None:
    """Drops a file on the page."""
    page.evaluate(
        """([name, text]) => { const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name));
        document.querySelector('#drop').dispatchEvent(
          new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: transfer})); }""",
        [name, base64.b64encode(content).decode()],
    )
