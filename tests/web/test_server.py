"""The server as a client meets it: jobs, events that are replayed, results on disk, and an end for every job."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from descendants import descendants
from menura.audio import Audio, encode_audio, read_audio
from menura.synths.registry import synth_of
from web_server import HELD_UP, Server

RATE = 44_100


def tone(seconds: float = 0.6, hz: float = 220.0) -> bytes:
    at = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * hz * k * at) / k for k in range(1, 7)) * np.exp(-3 * at) * np.minimum(1, at / 0.005)
    return encode_audio(Audio(0.3 * wave, RATE))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("serve") / "data", limits={"jobs_at_once": 2})
    yield running
    assert running.close() < HELD_UP


@pytest.fixture(scope="module")
def done(server: Server) -> dict[str, Any]:
    job = server.wait(server.match(tone())["id"])
    assert job["state"] == "finished", job
    return job


def test_a_match_is_asked_for_watched_and_taken_home(server: Server, done: dict[str, Any], tmp_path: Path) -> None:
    assert done["name"] == "sound"
    assert done["note"]["name"] == "A3"
    assert [match["number"] for match in done["matches"]] == [1, 2]
    base = f"/api/jobs/{done['id']}"
    events = server.events(done["id"])
    kinds = [event["event"] for event in events]
    assert kinds[:3] == ["queued", "reading", "listened"]
    assert kinds[-1] == "finished"
    assert "improved" in kinds
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    sound = server.http.get(f"{base}/matches/1/sound")
    assert sound.headers["content-type"] == "audio/wav"
    (tmp_path / "1.wav").write_bytes(sound.content)
    assert read_audio(tmp_path / "1.wav").seconds == pytest.approx(done["note"]["total"], abs=0.01)
    preset = server.http.get(f"{base}/matches/1/preset")
    assert synth_of("toy").read(preset.content).synth == "toy"
    assert preset.headers["content-disposition"].endswith(f'filename="{done["matches"][0]["preset"]}"')
    picture = server.http.get(f"{base}/matches/1/picture").json()
    assert len(picture["hz"]) == picture["bands"]
    assert picture["distance"] == pytest.approx(done["matches"][0]["scores"]["mss"], abs=0.05)
    assert server.http.get(f"{base}/target/picture").json()["distance"] == 0.0
    assert server.http.get(f"{base}/report").text.startswith("<!doctype html>")


def test_events_are_replayed_from_where_a_reader_left(server: Server, done: dict[str, Any]) -> None:
    everything = server.events(done["id"])
    assert server.events(done["id"], after=3) == everything[3:]
    address = f"/api/jobs/{done['id']}/events"
    back = server.http.get(address, headers={"Last-Event-ID": str(len(everything) - 1)})
    assert back.text.count("data: ") == 1
    # 204 keeps a browser from asking for ever.
    assert server.http.get(address, headers={"Last-Event-ID": str(len(everything))}).status_code == 204


def test_other_notes_and_turned_controls_are_rendered(server: Server, done: dict[str, Any]) -> None:
    base = f"/api/jobs/{done['id']}/matches/1"
    low, high = (server.http.get(f"{base}/picture", params={"pitch": pitch}).json() for pitch in (45, 69))
    assert np.nanmedian(np.array(high["pitch"], float)) - np.nanmedian(np.array(low["pitch"], float)) == pytest.approx(
        24, abs=0.3
    )
    assert low["distance"] is None  # another note cannot be compared
    controls = server.http.get(f"{base}/controls").json()
    name = next(row["name"] for row in controls["controls"] if row["kind"] == "continuous")
    moved = server.http.get(f"{base}/controls", params={"set": f"{name}:0.25"}).json()
    assert next(row["place"] for row in moved["controls"] if row["name"] == name) == pytest.approx(0.25, abs=1e-6)
    preset = synth_of("toy").read(server.http.get(f"{base}/preset", params={"set": f"{name}:0.25"}).content)
    space = synth_of("toy").space
    assert space.encode(preset)[space.index(name)] == pytest.approx(0.25, abs=1e-6)


def test_how_an_answer_is_built_is_told(server: Server, done: dict[str, Any]) -> None:
    base = f"/api/jobs/{done['id']}/matches/1"
    told = server.http.get(f"{base}/building").json()
    toy = synth_of("toy")
    preset = toy.read(server.http.get(f"{base}/preset").content)
    differing = {name for name, value in preset.values.items() if value != toy.init().values.get(name)}
    changes = [change for place in (*told["steps"], *told["also"]) for change in place["changes"]]
    assert len(changes) >= len(differing) > 0
    assert all(step["title"] and step["heard"] for step in told["steps"])
    other = server.http.get(f"{base}/building", params={"set": "cutoff:0.1"}).json()
    assert other != told
    assert server.http.get(f"/api/jobs/{done['id']}/matches/9/building").status_code == 404


@pytest.mark.parametrize(
    "query", ["set=no_such:0.5", "set=cutoff:7", "macro=brighter:0.5", "set=a", "pitch=200", "hold=nan", "pitch=x"]
)
def test_turns_that_make_no_sense_are_refused(server: Server, done: dict[str, Any], query: str) -> None:
    answer = server.http.get(f"/api/jobs/{done['id']}/matches/1/sound?{query}")
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]


def test_matching_again_keeps_what_is_locked(server: Server, done: dict[str, Any]) -> None:
    toy = synth_of("toy")
    name, other = toy.space.names[0], toy.space.names[1]
    wanted = {"number": 1, "controls": {name: 0.9}, "lock": [name], "renders": 12, "top": 1}
    answer = server.http.post(f"/api/jobs/{done['id']}/again", json=wanted)
    assert answer.status_code == 201, answer.text
    again = server.wait(answer.json()["id"])
    assert (again["state"], again["parent"], again["lock"]) == ("finished", done["id"], [name])
    assert again["note"] == done["note"]
    preset = toy.read(server.http.get(f"/api/jobs/{again['id']}/matches/1/preset").content)
    asked = toy.read(server.http.get(f"/api/jobs/{done['id']}/matches/1/preset", params={"set": f"{name}:0.9"}).content)
    assert preset.values[name] == asked.values[name]
    assert abs(preset.values[other] - asked.values[other]) <= 0.16 * (toy.space[other].high - toy.space[other].low)
    unknown = server.http.post(f"/api/jobs/{done['id']}/again", json={"number": 1, "lock": ["no_such"]})
    failed = server.wait(unknown.json()["id"])
    assert failed["state"] == "failed"
    assert "no_such" in failed["message"]


def test_a_waiting_match_is_cancelled_at_once_and_a_running_one_hands_in_its_best(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", limits={"jobs_waiting": 1})
    try:
        running = server.match(tone(), renders=5000, seconds=60)["id"]
        server.wait(running, "running")
        waiting = server.match(tone())["id"]
        full = server.http.post("/api/jobs", files={"sound": tone()}, data={"synth": "toy"})
        assert full.status_code == 503  # the queue is bounded
        assert "wait already" in full.json()["error"]
        assert server.http.post(f"/api/jobs/{waiting}/cancel").json()["state"] == "cancelled"
        with server.http.stream("GET", f"/api/jobs/{running}/events") as stream:
            next(line for line in stream.iter_lines() if line == "event: improved")
        heard = server.http.get(f"/api/jobs/{running}/so-far/1/sound")
        assert heard.status_code in (200, 404)  # it may have been bettered five times by now
        server.http.post(f"/api/jobs/{running}/cancel")
        ended = server.wait(running)
        assert ended["state"] == "finished"
        assert ended["matches"]
        assert server.events(running)[-1]["stopped_by"] == "cancelled"
        assert server.http.delete(f"/api/jobs/{running}").status_code == 204
        assert server.http.get(f"/api/jobs/{running}").status_code == 404
        assert not (tmp_path / "data" / "jobs" / running).exists()
    finally:
        server.close()


def test_a_killed_process_costs_one_job_and_a_word(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    try:
        doomed = server.match(tone(), renders=5000, seconds=60)["id"]
        server.wait(doomed, "running")
        end = time.monotonic() + 20
        while not (found := descendants(server.process.pid, "menura.web.match_worker")):
            assert time.monotonic() < end
            time.sleep(0.05)
        os.kill(found[0], signal.SIGKILL)
        failed = server.wait(doomed)
        assert failed["state"] == "failed"
        assert "died" in failed["message"]
        next_one = server.wait(server.match(tone())["id"])
        assert next_one["state"] == "finished"
        # The process that renders for listeners is replaced as well.
        assert server.http.get(f"/api/jobs/{next_one['id']}/matches/1/sound").status_code == 200
        for number in descendants(server.process.pid, "menura.web.studio_worker"):
            os.kill(number, signal.SIGKILL)
        answers = [server.http.get(f"/api/jobs/{next_one['id']}/matches/1/sound?pitch={50 + i}") for i in range(3)]
        assert answers[-1].status_code == 200
        assert all(answer.status_code in (200, 503) for answer in answers)
    finally:
        server.close()


def test_a_new_server_knows_the_old_ones_results(tmp_path: Path) -> None:
    first = Server(tmp_path / "data", limits={"keep_jobs": 2})
    kept = first.wait(first.match(tone())["id"])
    cut = first.match(tone(), renders=5000, seconds=60)["id"]
    first.wait(cut, "running")
    first.process.kill()
    first.close()
    second = Server(tmp_path / "data", limits={"keep_jobs": 2})
    try:
        listed = {job["id"]: job for job in second.http.get("/api/jobs").json()["jobs"]}
        assert listed[kept["id"]]["matches"] == kept["matches"]
        assert listed[cut]["state"] == "failed"
        assert "again" in listed[cut]["message"]
        newest = [second.wait(second.match(tone())["id"])["id"] for _ in range(2)]
        time.sleep(0.3)
        assert {job["id"] for job in second.http.get("/api/jobs").json()["jobs"]} == set(newest)
        assert not (tmp_path / "data" / "jobs" / kept["id"]).exists()
    finally:
        second.close()


def test_two_servers_do_not_share_a_folder(server: Server) -> None:
    with pytest.raises(AssertionError, match="another menura serve uses"):
        Server(server.folder)


def test_a_match_that_wants_too_much_memory_ends_alone(tmp_path: Path) -> None:
    """A real child, a real limit: a small file that unpacks into more than its process may have."""
    pytest.importorskip("resource", reason="the system has no limits of memory")
    body = io.BytesIO()
    block = np.zeros((6_553, 8), np.int16)
    block[:100] = 8_000
    with soundfile.SoundFile(body, "w", 655_350, 8, format="FLAC", subtype="PCM_16") as file:
        for _ in range(1_199):
            file.write(block)
    with pytest.MonkeyPatch.context() as patched:
        # A quick match maps 0.53 GB in all, this sound 1.06 GB; with a thread a core it were more.
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX"):
            patched.setenv(name, "1")
        server = Server(tmp_path / "data", limits={"child_bytes": 800_000_000})
    try:
        told = server.wait(server.match(body.getvalue(), "big.flac")["id"])
        assert told["state"] == "failed"
        assert (
            told["message"] == "there is not enough memory for this sound; give a shorter one, or one of fewer channels"
        )
        # The server lives, and so does the queue: a sound of usual size is matched by the next process.
        assert server.wait(server.match(tone())["id"])["state"] == "finished"
        assert server.http.get("/api/jobs").status_code == 200
    finally:
        server.close()
