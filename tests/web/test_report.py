"""The report in a real browser: it plays, it switches without losing its place, it asks the network for nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.audio import Audio
from menura.note import Note
from menura.report import Answer, Attachment, Page, Setting, SettingGroup, render_page

RATE = 44_100


def tone(hz: float, seconds: float, level: float = 0.3) -> Audio:
    at = np.arange(round(seconds * RATE)) / RATE
    return Audio((level * np.sin(2 * np.pi * hz * at) * np.exp(-at)).astype(np.float32)[None], RATE)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    answers = [
        Answer(
            audio=tone(220 + 3 * i, 2.0 - 0.2 * i, 0.3 / (i + 1)),
            distance=1.5 + i,
            verdict="Very close.",
            scores={"mss": 1.5 + i, "rms": 0.99},
            lineage=("<b>resynthesis</b>", "refine"),
            settings=(SettingGroup("Oscillator 1", (Setting("Level", "<i>50%</i>"),), ((0, 0), (1, 1))),),
            preset=Attachment(f"0{i + 1}-<img src=x onerror=alert(1)>.vital", json.dumps({"settings": i}).encode()),
            sound_name=f"0{i + 1}.wav",
        )
        for i in range(3)
    ]
    page = Page('<script>document.title="owned"</script>.wav', tone(220, 2.0), Note(57.1), True, "vital", answers)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_page(page), encoding="utf-8")
    return path


@pytest.fixture
def browser(open_page: Callable[[Path], Any], report: Path) -> Any:
    browser = open_page(report)
    browser.wait("document.querySelector('.player').dataset.ready === 'true'")
    return browser


def position(browser: Any) -> float:
    return float(browser.evaluate("Number(document.querySelector('#position').value)"))


def heard(browser: Any) -> str:
    return browser.evaluate("document.querySelector('.source[aria-pressed=true]').textContent")


def test_it_loads_alone_without_a_complaint(browser: Any, report: Path) -> None:
    assert browser.problems == []
    outside = [url for url in browser.requests if not url.startswith("data:") and url != report.resolve().as_uri()]
    assert outside == []
    assert browser.evaluate("document.title").startswith("<script>")  # the name is text, and never ran
    assert browser.evaluate("document.querySelectorAll('main script, main img[src=x], main b b').length") == 0


def test_every_player_has_a_sound(browser: Any) -> None:
    lengths = browser.evaluate("[...document.querySelectorAll('button.source')].map(b => Number(b.dataset.duration))")
    assert lengths == pytest.approx([2.0, 2.0, 1.8, 1.6], abs=0.01)
    browser.wait("[...document.querySelectorAll('audio')].every(a => a.duration > 0)")
    native = browser.evaluate("[...document.querySelectorAll('audio')].map(a => a.duration)")
    assert native == pytest.approx(lengths, abs=0.01)


def test_switching_keeps_the_playhead(browser: Any) -> None:
    browser.press(" ")
    browser.wait("document.querySelector('.player').classList.contains('playing')")
    browser.wait("Number(document.querySelector('#position').value) > 0.3")
    assert heard(browser) == "Target"
    before, clock = position(browser), time.monotonic()
    browser.press("x")
    after, passed = position(browser), time.monotonic() - clock
    assert heard(browser) == "1"
    assert before <= after <= before + passed + 0.1
    browser.press("3")
    assert heard(browser) == "3"
    assert position(browser) >= after
    browser.press("x")
    assert heard(browser) == "Target"
    browser.press(" ")
    browser.wait("!document.querySelector('.player').classList.contains('playing')")
    still = position(browser)
    browser.press("2")
    time.sleep(0.1)
    assert position(browser) == still > 0


def test_a_click_on_a_picture_moves_the_playhead_and_chooses_the_sound(browser: Any) -> None:
    browser.evaluate(
        """(() => { const plot = document.querySelectorAll('figure[data-hears="2"] .plot')[0];
        const box = plot.getBoundingClientRect();
        plot.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: box.left + box.width / 2})); })()"""
    )
    assert heard(browser) == "2"
    assert position(browser) == pytest.approx(1.0, abs=0.01)


def test_a_click_saves_the_preset_that_is_inside_the_page(browser: Any, tmp_path: Path) -> None:
    browser.call("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.evaluate("document.querySelectorAll('a[data-gzip]')[1].click()")
    end = time.monotonic() + 20
    while not (saved := [path for path in tmp_path.iterdir() if path.suffix == ".vital"]):
        assert time.monotonic() < end, list(tmp_path.iterdir())
        time.sleep(0.05)
    assert json.loads(saved[0].read_text()) == {"settings": 1}


def test_everything_that_can_be_used_has_a_name(browser: Any) -> None:
    nameless = browser.evaluate(
        """[...document.querySelectorAll('button, input, audio, [role=img], a')].filter(e =>
        !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label'))).length"""
    )
    assert nameless == 0


def test_a_phone_shows_it_without_sideways_scrolling(browser: Any) -> None:
    browser.call(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    )
    browser.wait("innerWidth === 360")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
