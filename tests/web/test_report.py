"""The report in a real browser: it plays, it switches without losing its place, it asks the network for nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import pairwise
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


def at_picture(browser: Any, source: int, share: float) -> tuple[float, float]:
    """The point of a picture of a sound that stands for a share of its time, scrolled into view."""
    box = browser.evaluate(
        f"""(() => {{ const plot = document.querySelector('figure[data-hears="{source}"] .plot');
        plot.scrollIntoView({{block: 'center'}}); const box = plot.getBoundingClientRect();
        return [box.left, box.width, box.top + box.height / 2]; }})()"""
    )
    return box[0] + share * box[1], box[2]


def mouse(browser: Any, kind: str, point: tuple[float, float]) -> None:
    parameters = {"type": kind, "x": point[0], "y": point[1], "button": "left", "buttons": 1, "clickCount": 1}
    browser.call("Input.dispatchMouseEvent", parameters)


def test_a_click_on_a_picture_moves_the_playhead_and_chooses_the_sound(browser: Any) -> None:
    point = at_picture(browser, 2, 0.5)
    mouse(browser, "mousePressed", point)
    mouse(browser, "mouseReleased", point)
    assert heard(browser) == "2"
    assert position(browser) == pytest.approx(1.0, abs=0.02)


def test_a_drag_across_a_picture_loops_that_part(browser: Any) -> None:
    mouse(browser, "mousePressed", at_picture(browser, 1, 0.5))
    mouse(browser, "mouseMoved", at_picture(browser, 1, 0.4))
    assert browser.evaluate("getComputedStyle(document.querySelector('.plot .region')).display") == "block"
    mouse(browser, "mouseMoved", at_picture(browser, 1, 0.25))
    mouse(browser, "mouseReleased", at_picture(browser, 1, 0.25))
    assert heard(browser) == "Target"  # a drag chooses nothing
    painted = browser.evaluate(
        "['--loop-from', '--loop-width'].map(n => document.documentElement.style.getPropertyValue(n))"
    )
    assert [float(share.rstrip("%")) for share in painted] == pytest.approx([25.0, 25.0], abs=0.5)
    browser.press(" ")
    browser.wait("Number(document.querySelector('#position').value) > 0.6")
    places = browser.evaluate(
        """new Promise(done => { const seen = []; const end = performance.now() + 1200; const look = () => {
        seen.push(Number(document.querySelector('#position').value));
        performance.now() < end ? setTimeout(look, 40) : done(seen); }; look(); })"""
    )
    assert min(places) >= 0.48
    assert max(places) <= 1.02
    assert any(later < before - 0.2 for before, later in pairwise(places)), "it never came round"
    browser.press(" ")
    assert browser.evaluate("document.querySelector('#loop-all').click() || document.querySelector('#loop-all').hidden")
    assert browser.evaluate("getComputedStyle(document.querySelector('.plot .region')).display") == "none"


def test_keys_set_the_loop_and_its_box_ends_it(browser: Any) -> None:
    for place, key in ((0.5, "["), (1.5, "]")):
        browser.evaluate(
            f"(() => {{ const s = document.querySelector('#position'); s.value = {place};"
            " s.dispatchEvent(new Event('input')); })()"
        )
        browser.press(key)
    painted = browser.evaluate(
        "['--loop-from', '--loop-width'].map(n => document.documentElement.style.getPropertyValue(n))"
    )
    assert [float(share.rstrip("%")) for share in painted] == pytest.approx([25.0, 50.0], abs=0.1)
    assert browser.evaluate("document.querySelector('#loop').checked")
    browser.evaluate("document.querySelector('#loop').click()")
    browser.press(" ")
    browser.wait("Number(document.querySelector('#position').value) > 1.6")  # beyond the part: it does not come round


def test_answers_to_words_stand_alone(open_page: Callable[[Path], Any], tmp_path: Path) -> None:
    answers = [Answer(tone(110 * i, 1.5), 0.5 * i, "as asked", {"bright": 0.9, "short": 0.8}) for i in (1, 2, 3)]
    page = Page("bright & short", None, Note(36.0), True, "vital", answers, words=("bright", "short"))
    (tmp_path / "words.html").write_text(render_page(page), encoding="utf-8")
    browser = open_page(tmp_path / "words.html")
    browser.wait("document.querySelector('.player').dataset.ready === 'true'")
    assert browser.problems == []
    assert heard(browser) == "1"
    for key, now in (("2", "2"), ("x", "1"), ("x", "2"), ("t", "2"), ("3", "3"), ("x", "2")):
        browser.press(key)
        assert heard(browser) == now
    assert browser.evaluate("document.querySelectorAll('.plot.heat').length") == 3
    assert browser.evaluate("document.querySelectorAll('.plot.difference, .wave path.target').length") == 0
    assert "“bright”" in browser.evaluate("document.querySelector('table').textContent")


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
