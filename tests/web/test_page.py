"""The page in a real browser: from a dropped sound to a preset, and everything a listener does in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from menura.audio import Audio, encode_audio, read_audio
from menura.synths.registry import synth_of
from web_browser import CHROMIUM_FLAGS, drop, until
from web_server import HELD_UP, Server

RATE = 44_100


def plucked(seconds: float = 0.9) -> bytes:
    at = np.arange(round(seconds * RATE)) / RATE
    tones = [np.sin(2 * np.pi * 196 * k * at + k) * np.exp(-(3.0 + k) * at) / k for k in range(1, 12)]
    return encode_audio(Audio(0.3 * np.sum(tones, axis=0), RATE))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MENURA_VITAL_PRESETS", str(folder / "presets"))
        running = Server(folder / "data", limits={"jobs_at_once": 2})
    yield running
    assert running.close() < HELD_UP


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


class Visit:
    """One visitor: requests to other hosts are refused and noted, and so is whatever goes wrong."""

    def __init__(self, browser: Browser, server: Server, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.asked: list[str] = []
        self.foreign: list[str] = []
        self.problems: list[str] = []
        self.server = server
        self.context.route("**/*", self._pass)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.problems.append(said.text)

    def _pass(self, route: Any) -> None:
        url = route.request.url
        self.asked.append(url)
        if url.startswith((self.server.url, "data:", "blob:")):
            route.continue_()
        else:
            self.foreign.append(url)
            route.abort()

    def open(self, job: str = "") -> Page:
        self.page.goto(f"{self.server.url}/#{job}")
        until(self.page, "document.body.dataset.ready === 'true'")
        return self.page


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    found = Visit(browser, server)
    yield found
    found.context.close()
    assert found.foreign == []
    assert found.problems == []


ALL_HEARD = "(b => b.length > 1 && b.every(b => !b.disabled))([...document.querySelectorAll('#sources button')])"
FINISHED = "!document.querySelector('#take').hidden && document.querySelectorAll('.macro').length > 10"


@pytest.fixture(scope="module")
def done(server: Server) -> dict[str, Any]:
    job = server.match(plucked(), "pluck.wav", synth="vital", track="any", renders=12, top=3)
    found = server.wait(job["id"], seconds=180)
    assert found["state"] == "finished", found
    return found


def sound_at(server: Server, address: str, folder: Path) -> Audio:
    (folder / "heard.wav").write_bytes(server.http.get(address).content)
    return read_audio(folder / "heard.wav")


def test_a_dropped_sound_becomes_a_preset(visit: Visit, server: Server, tmp_path: Path) -> None:
    page = visit.open()
    assert page.is_disabled("#go")
    drop(page, "my <b>pluck.wav", plucked())
    assert page.text_content("#chosen") == "my <b>pluck.wav"
    page.click("summary:has-text('More')")
    page.fill("#renders", "8")
    page.click("#go")
    until(page, "document.querySelector('#facts').textContent.includes('plays G3')")
    until(page, "/nearest so far/.test(document.querySelector('#status').textContent)")
    until(page, FINISHED)
    until(page, ALL_HEARD)
    assert page.text_content("#work-title") == "my <b>pluck"  # text, never markup
    job = page.url.rsplit("#", 1)[1]
    with page.expect_download() as download:
        page.click("#download")
    saved = tmp_path / "saved.vital"
    download.value.save_as(saved)
    assert download.value.suggested_filename == "01-my-b-pluck.vital"
    assert saved.read_bytes() == server.http.get(f"/api/jobs/{job}/matches/1/preset").content
    preset = synth_of("vital").read(saved)
    assert preset.routes
    page.click("#install")
    until(page, "document.querySelector('#taken').textContent.startsWith('Saved: ')")
    installed = Path(page.text_content("#taken").removeprefix("Saved: "))  # type: ignore[union-attr]
    assert installed.read_bytes() == saved.read_bytes()
    assert installed.parent.parent.name == "presets"


def test_sounds_are_switched_at_the_same_playhead(visit: Visit, done: dict[str, Any]) -> None:
    page = visit.open(done["id"])
    until(page, ALL_HEARD)
    page.keyboard.press("Space")
    until(page, "Number(document.querySelector('#position').value) > 0.1")
    before = page.evaluate("Number(document.querySelector('#position').value)")
    page.keyboard.press("1")
    assert page.get_attribute("#sources button:nth-child(2)", "aria-pressed") == "true"
    page.keyboard.press("x")
    assert page.get_attribute("#sources button:nth-child(1)", "aria-pressed") == "true"
    assert page.evaluate("document.querySelector('#player').classList.contains('playing')")
    assert before >= 0.1
    page.keyboard.press("Space")
    # A drag across a picture loops that part, on every picture; a press chooses its sound.
    box = page.evaluate(
        """(() => { const plot = document.querySelector('#plots .plot'); plot.scrollIntoView({block: 'center'});
        const box = plot.getBoundingClientRect(); return [box.left, box.width, box.top + box.height / 2]; })()"""
    )
    page.mouse.move(box[0] + 0.25 * box[1], box[2])
    page.mouse.down()
    page.mouse.move(box[0] + 0.75 * box[1], box[2], steps=3)
    page.mouse.up()
    shown = "[...document.querySelectorAll('#plots .region')].map(r => getComputedStyle(r).display).join()"
    assert page.evaluate(shown) == "block,block,block"
    assert page.evaluate(
        "parseFloat(document.documentElement.style.getPropertyValue('--loop-width'))"
    ) == pytest.approx(50, abs=1)
    page.click("#loop-all")
    assert page.evaluate(shown) == "none,none,none"
    page.mouse.click(box[0] + 0.5 * box[1], box[2])
    assert page.evaluate("parseFloat(document.documentElement.style.getPropertyValue('--playhead'))") == pytest.approx(
        50, abs=1
    )
    # The player's own mix, rendered: up to the switch one sound, behind it the other at the same place, never a gap.
    measured = page.evaluate(
        """async job => {
        const context = new OfflineAudioContext(1, 44100 * 0.8, 44100);
        const get = async path => context.decodeAudioData(await (await fetch(path)).arrayBuffer());
        const buffers = [await get(`/api/jobs/${job}/target/sound`), await get(`/api/jobs/${job}/matches/1/sound`)];
        const one = await (async () => buffers)();
        const mix = makeMix(context, {buffers: one, seconds: 0.8, level: i => i === 0 ? 1 : 0, when: 0, at: 0});
        mix.hear(i => i === 1 ? 1 : 0, 0.3);
        const out = (await context.startRendering()).getChannelData(0);
        const mono = b => { const c = [...Array(b.numberOfChannels).keys()].map(i => b.getChannelData(i));
          return i => c.reduce((s, d) => s + (d[i] ?? 0), 0) / c.length; };
        const [a, b] = buffers.map(mono), at = Math.round(0.3 * 44100);
        let first = 0, last = 0, quiet = Infinity;
        for (let i = 0; i < at; i++) first = Math.max(first, Math.abs(out[i] - a(i)));
        for (let i = at + 4410; i < out.length; i++) last = Math.max(last, Math.abs(out[i] - b(i)));
        for (let i = at - 2000; i < at + 2000; i += 100) {
          let sum = 0; for (let k = 0; k < 400; k++) sum += out[i + k] ** 2;
          quiet = Math.min(quiet, Math.sqrt(sum / 400)); }
        let around = 0; for (let i = at - 4000; i < at - 2000; i++) around += out[i] ** 2;
        return {first, last, quiet, around: Math.sqrt(around / 2000)}; }""",
        done["id"],
    )
    assert measured["first"] < 1e-5
    assert measured["last"] < 1e-4
    assert measured["quiet"] > 0.25 * measured["around"] > 0


def test_a_macro_is_heard_in_place_and_the_keyboard_plays(
    visit: Visit, server: Server, done: dict[str, Any], tmp_path: Path
) -> None:
    page = visit.open(done["id"])
    until(page, ALL_HEARD)
    until(page, FINISHED)
    page.keyboard.press("1")
    plain = sound_at(server, str(page.get_attribute("#download-sound", "href")), tmp_path)
    page.focus("#macro-brighter")
    page.keyboard.press("End")
    until(page, "document.querySelector('#shape-state').textContent.startsWith('turned')")
    address = str(page.get_attribute("#download-sound", "href"))
    assert "macro=brighter%3A1.000" in address
    assert any(url.endswith(address) for url in visit.asked)  # the page itself has fetched what is measured here
    turned = sound_at(server, address, tmp_path)
    difference = turned.mono - plain.mono
    level = 10 * np.log10(np.mean(difference**2) / np.mean(plain.mono**2))
    assert level > -20.0, f"the turned sound differs by {level:.1f} dB"
    highs = [np.abs(np.fft.rfft(audio.mono))[round(3000 * audio.seconds) :].sum() for audio in (plain, turned)]
    assert highs[1] > 1.5 * highs[0]
    page.click("#reset")
    until(page, "document.querySelector('#shape-state').textContent === 'as matched'")
    page.click("#piano button[data-pitch='60']")
    until(page, "document.querySelector('#piano button.busy') === null")
    assert any("pitch=60" in url for url in visit.asked)
    page.focus("#piano button[data-pitch='55']")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.pitch") == "56"
    page.click("#parameters > summary")
    page.fill("#find", "Oscillator 1 Level")
    until(page, "document.querySelector('.control[data-name=osc_1_level]') !== null")
    page.focus(".control[data-name=osc_1_level] input[type=range]")
    page.keyboard.press("Home")
    until(page, "document.querySelector('#shape-state').textContent.startsWith('turned')")
    assert "set=osc_1_level%3A0.000000" in str(page.get_attribute("#download", "href"))


def test_how_an_answer_is_built_is_told_when_somebody_asks(visit: Visit, done: dict[str, Any]) -> None:
    page = visit.open(done["id"])
    until(page, FINISHED)
    assert not any(url.endswith("/building") for url in visit.asked)
    page.click("#building > summary")
    page.wait_for_selector("#steps ol li .heard", timeout=120_000)
    told = page.inner_text("#building")
    assert "steps from the initial patch" in told
    assert "Oscillator 1" in told
    # What is turned is another preset: it is told when asked for again.
    page.focus("#macro-brighter")
    page.keyboard.press("End")
    until(page, "!document.querySelector('#building').open")


def test_what_is_locked_stays_when_it_is_matched_again(visit: Visit, server: Server, done: dict[str, Any]) -> None:
    page = visit.open(done["id"])
    until(page, FINISHED)
    until(page, ALL_HEARD)
    page.focus("#macro-roomier")
    page.keyboard.press("End")
    until(page, "document.querySelector('#shape-state').textContent.startsWith('turned')")
    page.check("#locks label:has-text('Effects') input")
    page.click("#again")
    until(page, f"location.hash !== '#{done['id']}' && location.hash.length > 5")
    until(page, FINISHED, seconds=120)
    job = page.url.rsplit("#", 1)[1]
    assert server.http.get(f"/api/jobs/{job}").json()["lock"] == ["effects"]
    vital = synth_of("vital")
    kept = vital.read(server.http.get(f"/api/jobs/{done['id']}/matches/1/preset?macro=roomier:1").content)
    found = vital.read(server.http.get(f"/api/jobs/{job}/matches/1/preset").content)
    effects = vital.space.subset("effects")
    assert found.values["reverb_on"] == 1.0
    assert np.array_equal(effects.encode(found), effects.encode(kept))


def test_a_reload_loses_nothing_and_a_stop_keeps_the_best(visit: Visit, server: Server) -> None:
    job = server.match(plucked(), synth="toy", renders=5000, seconds=100)["id"]
    page = visit.open(job)
    until(page, "/nearest so far/.test(document.querySelector('#status').textContent)")
    events = server.http.get(f"/api/jobs/{job}").json()
    assert events["state"] == "running"
    page.reload()
    until(page, "document.body.dataset.ready === 'true'")
    until(page, "/nearest so far/.test(document.querySelector('#status').textContent)")
    assert str(page.get_attribute("#course path", "d")).startswith("M0 3H")  # told again from the beginning
    page.click("#cancel")
    until(page, "!document.querySelector('#take').hidden", seconds=60)
    assert server.http.get(f"/api/jobs/{job}").json()["state"] == "finished"
    page.click("#open-past")
    until(page, "document.querySelector('#past').open")
    assert page.locator("#past-list li").count() >= 1
    page.keyboard.press("Escape")


def test_a_sound_that_cannot_be_used_is_told(visit: Visit) -> None:
    page = visit.open()
    drop(page, "photo.wav", b"\xff\xd8\xff\xe0" + bytes(2000))
    page.click("#go")
    until(page, "/give WAV, FLAC/.test(document.querySelector('#problem').textContent)")
    visit.problems.clear()  # the browser notes a refused request in its console
    silent = encode_audio(Audio(np.zeros(20_000), RATE))
    drop(page, "silence.wav", silent)
    page.click("#go")
    until(page, "/silent/.test(document.querySelector('#problem').textContent)")
    assert page.is_visible("#problem")


def test_the_microphone_is_recorded(visit: Visit) -> None:
    visit.context.grant_permissions(["microphone"], origin=visit.server.url)
    page = visit.open()
    page.click("#record")
    until(page, "/Stop .0\\.[5-9]/.test(document.querySelector('#record-label').textContent)")
    page.click("#record")
    until(page, "document.querySelector('#chosen').textContent === 'recording.wav'")
    assert page.is_enabled("#go")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_used_by_everyone(
    browser: Browser, server: Server, done: dict[str, Any], scheme: str, tmp_path: Path
) -> None:
    visit = Visit(browser, server, color_scheme=scheme)
    page = visit.open()
    faults = serious(page)
    page = visit.open(done["id"])
    page.reload()
    until(page, FINISHED)
    until(page, ALL_HEARD)
    page.keyboard.press("1")
    page.click("#parameters > summary")
    page.click("#controls summary >> nth=0")
    faults += serious(page)
    page.click("#open-past")
    until(page, "document.querySelector('#past').open")
    faults += serious(page)
    page.keyboard.press("Escape")
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)
    small = page.evaluate(
        "[...document.querySelectorAll('button, .button')].filter(b => b.offsetParent && b.offsetHeight < 30).length"
    )
    visit.context.close()
    assert faults == []
    assert small == 0
    assert visit.foreign == []


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:160]}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def test_eight_browsers_at_once(browser: Browser, server: Server) -> None:
    visits = [Visit(browser, server) for _ in range(8)]
    try:
        for number, visit in enumerate(visits):
            page = visit.open()
            page.evaluate(
                """async ([bytes, name]) => { const form = new FormData();
                form.append('sound', new File([new Uint8Array(bytes)], name)); form.append('synth', 'toy');
                form.append('renders', 6); form.append('top', 1);
                location.hash = (await (await fetch('/api/jobs', {method: 'POST', body: form})).json()).id; }""",
                [list(plucked(0.25)), f"{number}.wav"],
            )
        end = time.monotonic() + 120
        for visit in visits:
            until(visit.page, "!document.querySelector('#take').hidden", seconds=max(1.0, end - time.monotonic()))
            assert visit.problems == []
    finally:
        for visit in visits:
            visit.context.close()
