"""The page of a run in a real browser: it sorts and filters, plays side by side, and asks the network for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_runs import FAILING, fake_rows, fake_run, write_fake_run
from menura.report.benchmark import write_benchmark


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = fake_run(15, conditions=())
    run["items"][3] |= {"id": "<img src=x onerror=alert(1)>", "source": "</script><b>owned</b>"}
    folder = write_fake_run(tmp_path_factory.mktemp("bench") / "run", run, fake_rows(run))
    write_benchmark(folder)
    return folder


@pytest.fixture
def browser(open_page: Callable[[Path], Any], run_folder: Path) -> Any:
    return open_page(run_folder / "index.html")


def keys(browser: Any) -> list[str]:
    return browser.evaluate("[...document.querySelectorAll('article.item')].map(a => a.dataset.item)")


def choose(browser: Any, name: str, value: str) -> None:
    browser.evaluate(
        f"(() => {{ const e = document.querySelector('#{name}'); e.value = {value!r};"
        " e.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def click_hear(browser: Any, item: int, label: str) -> None:
    browser.evaluate(
        f"document.querySelectorAll('article.item')[{item}].querySelector('.hear[data-label=\"{label}\"]').click()"
    )


def position(browser: Any) -> float:
    return float(browser.evaluate("Number(document.querySelector('#position').value)"))


def heard(browser: Any) -> str:
    return browser.evaluate("document.querySelector('#sources button[aria-pressed=true]').textContent")


def test_it_loads_alone_without_a_complaint(browser: Any, run_folder: Path) -> None:
    assert browser.problems == []
    page = (run_folder / "index.html").resolve().as_uri()
    assert [url for url in browser.requests if not url.startswith("data:") and url.partition("#")[0] != page] == []
    assert browser.evaluate("document.querySelectorAll('main b, main img[src=x]').length") == 0  # names stay text
    assert browser.evaluate("[...document.querySelectorAll('.charts img')].every(i => i.naturalWidth > 300)")


def test_cards_are_made_as_they_are_needed(browser: Any) -> None:
    assert len(keys(browser)) < 15
    browser.evaluate("document.querySelector('#more').scrollIntoView()")
    browser.wait("document.querySelectorAll('article.item').length === 15")
    assert browser.evaluate("document.querySelector('#more').hidden")


def test_it_sorts_by_arm_and_metric_and_filters(browser: Any) -> None:
    def costs(arm: str) -> list[float]:
        return browser.evaluate(
            "(() => { const d = JSON.parse(document.querySelector('#data').textContent);"
            " const k = [...document.querySelectorAll('article.item')].map(a => a.dataset.item);"
            f" return k.map(x => d.items.find(i => i.key === x).rows[{arm!r}].metrics?.mss ?? 999); }})()"
        )

    choose(browser, "arm", "resynthesis")
    assert costs("resynthesis") == sorted(costs("resynthesis"), reverse=True)
    choose(browser, "order", "best")
    assert costs("resynthesis") == sorted(costs("resynthesis"))
    choose(browser, "order", "worst")
    choose(browser, "arm", FAILING)
    assert costs(FAILING)[:3] == [999, 999, 999]  # failures are the worst
    choose(browser, "category", "brass")
    assert browser.evaluate("document.querySelector('#count').textContent") == "5 of 15 targets"
    choose(browser, "category", "")
    browser.evaluate("document.querySelector('#failures').click()")
    browser.wait("document.querySelectorAll('article.item').length === 3")
    assert "failed: the engine died on <this> | row" in browser.evaluate("document.querySelector('#items').textContent")


def test_target_and_arms_share_one_playhead(browser: Any) -> None:
    click_hear(browser, 1, "Target")
    browser.wait("document.querySelector('#deck').classList.contains('playing')")
    assert browser.evaluate("document.querySelector('#deck').dataset.ready") == "inside"
    assert float(browser.evaluate("Number(document.querySelector('#position').max)")) == pytest.approx(0.6, abs=0.07)
    assert heard(browser) == "Target"
    click_hear(browser, 1, "full")
    assert heard(browser) == "full"
    browser.press("x")
    assert heard(browser) == "Target"
    browser.press("1")
    assert heard(browser) == "random-best"
    browser.press(" ")
    browser.wait("!document.querySelector('#deck').classList.contains('playing')")
    still = position(browser)
    browser.press("t")
    time.sleep(0.1)
    assert (heard(browser), position(browser)) == ("Target", still)


def test_the_chosen_target_is_pictured_and_a_click_on_a_picture_seeks(browser: Any) -> None:
    assert browser.evaluate("document.querySelectorAll('canvas').length") == 0
    click_hear(browser, 0, "full")
    sounds = "document.querySelectorAll('#sources button').length"
    browser.wait(f"document.querySelectorAll('.spectra canvas').length === {sounds} && {sounds} > 3")
    colours = browser.evaluate(
        "(() => { const c = document.querySelector('.spectra canvas');"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " const n = new Set(); for (let i = 0; i < d.length; i += 4) n.add(d[i]); return n.size; })()"
    )
    assert colours > 20
    # The tone of 220 Hz is brightest where 220 Hz is.
    row = browser.evaluate(
        "(() => { const c = document.querySelector('.spectra canvas');"
        " const d = c.getContext('2d').getImageData(60, 0, 1, c.height).data; let best = 0, at = 0;"
        " for (let y = 0; y < c.height; y += 1) { const v = d[4*y] + d[4*y+1] + d[4*y+2];"
        " if (v > best) { best = v; at = y; } } return [at / c.height, spectrogram.rowOf(220)]; })()"
    )
    assert row[0] == pytest.approx(row[1], abs=0.04)
    browser.press(" ")
    browser.wait("!document.querySelector('#deck').classList.contains('playing')")
    browser.evaluate(
        """(() => { const plot = document.querySelectorAll('.spectra .plot')[0], box = plot.getBoundingClientRect();
        plot.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: box.left + box.width / 2})); })()"""
    )
    assert heard(browser) == "Target"
    assert position(browser) == pytest.approx(0.3, abs=0.04)
    click_hear(browser, 1, "Target")
    browser.wait("document.querySelectorAll('article.item')[1].querySelectorAll('canvas').length > 3")
    assert browser.evaluate("document.querySelectorAll('article.item')[0].querySelectorAll('canvas').length") == 0


def test_next_goes_to_the_next_target_with_the_same_arm(browser: Any) -> None:
    click_hear(browser, 0, "full")
    browser.wait("document.querySelector('#deck').classList.contains('playing')")
    browser.press("n")
    browser.wait("document.querySelectorAll('article.item')[1].classList.contains('chosen')")
    assert heard(browser) == "full"


def test_sounds_outside_of_the_page_are_linked_and_play(
    open_page: Callable[[Path], Any], tmp_path: Path
) -> None:  # fmt: skip
    run = fake_run(4, conditions=())
    folder = write_fake_run(tmp_path / "run", run, fake_rows(run))
    write_benchmark(folder, room=0)
    browser = open_page(folder / "index.html")
    assert browser.evaluate("document.querySelectorAll('script[type=\"text/plain\"]').length") == 0
    assert "are read from the files of the run" in browser.evaluate("document.querySelector('header').textContent")
    click_hear(browser, 0, "full")
    browser.wait("document.querySelector('#deck').dataset.ready === 'linked'")
    browser.wait("Number(document.querySelector('#position').value) > 0.05")
    browser.press("t")
    assert heard(browser) == "Target"
    assert browser.problems == []


def test_everything_that_can_be_used_has_a_name(browser: Any) -> None:
    click_hear(browser, 0, "Target")
    nameless = browser.evaluate(
        """[...document.querySelectorAll('button, input, select, a, img, [role=region]')].filter(e =>
        !(e.ariaLabel || e.getAttribute('alt') || e.textContent.trim() || e.closest('label'))).length"""
    )
    assert nameless == 0
    small = browser.evaluate(
        "[...document.querySelectorAll('.hear, #deck button')].filter(b => b.offsetHeight < 40).length"
    )
    assert small == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_sideways_scrolling(browser: Any, scheme: str) -> None:
    browser.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.call(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    )
    browser.wait("innerWidth === 360")
    click_hear(browser, 0, "Target")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    shown = browser.evaluate("(i => i.currentSrc === i.src)(document.querySelector('.charts img'))")
    assert shown == (scheme == "light")  # a plot drawn for that paper
