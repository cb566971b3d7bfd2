"""Words beside a sound, and words alone, through the server and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from menura.audio import Audio, encode_audio
from web_browser import CHROMIUM_FLAGS, until
from web_server import HELD_UP, Server

RATE = 44_100


def tone(seconds: float = 0.5) -> bytes:
    at = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * 220.0 * k * at) / k for k in range(1, 12)) * np.exp(-4 * at)
    return encode_audio(Audio(0.2 * wave, RATE))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("words") / "data", limits={"jobs_at_once": 2})
    yield running
    assert running.close() < HELD_UP


def asked(server: Server, **wanted: Any) -> dict[str, Any]:
    answer = server.http.post("/api/jobs", data={"renders": "24", "top": "2", **wanted})
    assert answer.status_code == 201, answer.text
    return server.wait(answer.json()["id"], seconds=180)


@pytest.fixture(scope="module")
def alone(server: Server) -> dict[str, Any]:
    job = asked(server, text="short bright\n bass", synth="vital")
    assert job["state"] == "finished", job
    return job


def test_words_alone_find_presets_and_have_no_target(server: Server, alone: dict[str, Any]) -> None:
    assert (alone["name"], alone["text"]) == ("short bright bass",) * 2
    assert len(alone["matches"]) == 2
    assert alone["note"]["pitch"] < 60.0
    base = f"/api/jobs/{alone['id']}"
    for what in ("sound", "picture"):
        answer = server.http.get(f"{base}/target/{what}")
        assert answer.status_code == 404
        assert "words" in answer.json()["error"]
    assert server.http.get(f"{base}/matches/1/picture").json()["distance"] is None
    assert server.http.get(f"{base}/matches/1/sound").status_code == 200
    assert "short bright bass" in server.http.get(f"{base}/report").text


def test_words_alone_are_gone_on_from(server: Server, alone: dict[str, Any]) -> None:
    wanted = {"number": 1, "renders": 12, "top": 1, "lock": ["osc_1_level"]}
    again = server.wait(server.http.post(f"/api/jobs/{alone['id']}/again", json=wanted).json()["id"], seconds=180)
    assert again["state"] == "finished", again
    assert (again["text"], again["note"]) == (alone["text"], alone["note"])


def test_words_change_a_sound(server: Server) -> None:
    plain = server.wait(server.match(tone(), renders=12)["id"])
    darker = server.wait(server.match(tone(), renders=12, text="much darker")["id"])
    assert darker["state"] == "finished", darker
    assert darker["name"] == "sound much darker"
    mean = []
    for job in (plain, darker):
        sound = server.http.get(f"/api/jobs/{job['id']}/target/picture").json()
        power = 10.0 ** (np.array(levels(sound)) / 10.0)
        mean.append(float((power.sum(axis=0) * np.array(sound["hz"])).sum() / power.sum()))
    assert mean[1] < 0.8 * mean[0]
    again = server.http.post(f"/api/jobs/{darker['id']}/again", json={"number": 1, "renders": 12, "top": 1})
    kept = server.wait(again.json()["id"])
    # What is gone on from is the changed sound: the words are not said to it twice.
    assert (kept["state"], kept["text"]) == ("finished", "")
    near = server.http.get(f"/api/jobs/{kept['id']}/target/picture").json()
    assert near["seconds"] == pytest.approx(sound["seconds"], abs=0.01)


def levels(picture: dict[str, Any]) -> np.ndarray:
    import base64

    steps = np.frombuffer(base64.b64decode(picture["mel"]), np.uint8).reshape(picture["columns"], picture["bands"])
    return picture["floor_db"] + picture["step_db"] * steps.astype(float)


def test_what_cannot_be_asked_for_is_told(server: Server) -> None:
    nothing = server.http.post("/api/jobs", data={"text": " \n\t "})
    assert (nothing.status_code, "give a sound, or text" in nothing.json()["error"]) == (422, True)
    assert server.http.post("/api/jobs", data={"text": "x" * 201}).status_code == 422
    strange = asked(server, text="xyzzy", synth="vital")
    assert strange["state"] == "failed"
    assert "xyzzy" in strange["message"]


def test_half_understood_words_warn(server: Server) -> None:
    job = server.wait(server.match(tone(), renders=12, text="darker xyzzy")["id"])
    assert job["state"] == "finished", job
    assert any("xyzzy" in event["message"] for event in server.events(job["id"]) if event["event"] == "warned")


def test_the_page_takes_words_and_plays_answers_without_a_target(server: Server, chromium: str, tmp_path: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
        page.goto(server.url)
        until(page, "document.body.dataset.ready === 'true'")
        assert page.is_disabled("#go")
        page.fill("#text", "warm pad")
        assert page.text_content("[name=effort]:checked ~ span .renders") == "120 renders"
        page.click("summary:has-text('More')")
        page.fill("#renders", "24")
        page.click("#go")
        until(page, "!document.querySelector('#take').hidden", seconds=120)
        until(page, "document.querySelectorAll('#sources button:enabled').length > 1", seconds=60)
        assert page.text_content("#work-title") == "warm pad"
        assert "in words" in str(page.text_content("#facts"))
        assert not page.is_visible("#sources button:nth-child(1)")
        assert not page.is_visible("#swap")
        shown = page.evaluate("[...document.querySelectorAll('#plots figure')].map(f => !f.hidden)")
        assert shown == [False, True, False]
        assert page.get_attribute("#sources button:nth-child(2)", "aria-pressed") == "true"
        page.keyboard.press("Space")
        until(page, "Number(document.querySelector('#position').value) > 0.1")
        page.keyboard.press("2")
        assert page.get_attribute("#sources button:nth-child(3)", "aria-pressed") == "true"
        page.screenshot(path=tmp_path / "words.png", full_page=True)
        assert Axe().run(page).violations_count == 0
        # A chosen sound can be put away again.
        page.goto(f"{server.url}/#")
        page.reload()
        until(page, "document.body.dataset.ready === 'true'")
        page.set_input_files("#file", {"name": "tone.wav", "mimeType": "audio/wav", "buffer": tone()})
        assert page.is_enabled("#go")
        page.click("#forget")
        assert page.is_disabled("#go")
        assert page.text_content("#chosen") == "Drop a file here"
        browser.close()
    assert problems == []
