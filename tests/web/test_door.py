"""What must not come in: foreign hosts, origins, strangers, endless bodies, files that lie; nothing breaks of it."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from menura.audio import Audio, encode_audio
from menura.errors import InputError
from menura.web.settings import Settings
from web_server import HELD_UP, Server

RATE = 44_100
TOKEN = "a-token-of-some-length"
LIMITS = {"upload_bytes": 300_000, "upload_seconds": 20.0, "body_wait": 0.5, "body_seconds": 2.0, "jobs_waiting": 40}


def tone(seconds: float = 0.3) -> bytes:
    at = np.arange(round(seconds * RATE)) / RATE
    return encode_audio(Audio(0.3 * np.sin(2 * np.pi * 220 * at) * np.exp(-3 * at), RATE))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("door") / "data", limits=LIMITS)
    yield running
    assert running.close() < HELD_UP
    assert "Traceback" not in running.log()


def raw(server: Server, request: bytes, *, wait: float = 10.0) -> bytes:
    """What the server answers to these very bytes."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=wait) as line:
        line.sendall(request)
        answer = b""
        while piece := line.recv(65_536):
            answer += piece
    return answer


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.5", ""]
)
def test_other_hosts_are_refused(server: Server, host: str) -> None:
    port = server.url.rsplit(":", 1)[1]
    answer = server.http.get("/api/about", headers={"Host": f"{host}:{port}" if host else ""})
    assert answer.status_code in (400, 403)
    assert server.http.get("/api/about", headers={"Host": f"localhost:{port}"}).status_code == 200
    assert server.http.get("/api/about", headers={"Host": "localhost:1"}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", "file://"]
)
def test_other_origins_are_refused(server: Server, origin: str) -> None:
    for answer in (
        server.http.get("/api/jobs", headers={"Origin": origin}),
        server.http.post("/api/jobs", headers={"Origin": origin}, files={"sound": tone()}, data={"synth": "toy"}),
        server.http.get("/api/about", headers={"Sec-Fetch-Site": "cross-site"}),
    ):
        assert answer.status_code == 403
        assert "error" in answer.json()
    assert server.http.get("/api/jobs", headers={"Origin": server.url}).status_code == 200


def test_two_hosts_in_one_request_are_refused(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    two = f"GET /api/about HTTP/1.1\r\nHost: localhost:{port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert b"200 OK" not in raw(server, two.encode())


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2f..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/api/jobs/..%2f..%2fetc/events",
        "/api/jobs/0123456789abcdef/report",
        "/api/jobs/%2e%2e/target/sound",
        "/api/jobs/0123456789ABCDEF",
        "/static/playhead.js%00.html",
    ],
)
def test_paths_lead_nowhere(server: Server, path: str) -> None:
    port = server.url.rsplit(":", 1)[1]
    answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"404", b"422"), answer[:200]


def test_every_answer_says_what_a_browser_may_do(server: Server) -> None:
    for path in ("/", "/api/jobs", "/static/page.js", "/nothing"):
        headers = server.http.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; script-src 'self'; style-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_elsewhere_a_token_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="token is needed"):
        Settings(host="0.0.0.0", folder=tmp_path)
    with pytest.raises(InputError, match="too short"):
        Settings(token="short", folder=tmp_path)
    server = Server(tmp_path / "data", host="0.0.0.0", token=TOKEN)
    try:
        with httpx.Client(base_url=server.url, trust_env=False) as stranger:
            for path in ("/", "/api/jobs", "/static/page.js", "/api/openapi.json", "/?token=wrong"):
                assert stranger.get(path).status_code == 401
            assert stranger.get("/api/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
            assert stranger.get("/api/jobs", headers={"Cookie": "menura=wrong"}).status_code == 401
            assert stranger.post("/api/jobs", files={"sound": tone()}).status_code == 401
            let_in = stranger.get("/", params={"token": TOKEN})
            assert (let_in.status_code, let_in.headers["location"]) == (303, "/")
            assert "HttpOnly; SameSite=Strict" in let_in.headers["set-cookie"]
            assert stranger.get("/api/jobs").status_code == 200  # by its cookie
        assert server.http.get("/api/jobs").status_code == 200  # by its header
        assert server.http.get("/api/jobs", headers={"Host": f"evil.example:{server.url[-5:]}"}).status_code == 403
    finally:
        server.close()


def hostile() -> dict[str, tuple[str, bytes, int]]:
    """Name to file name, content and the status at the door; 201 is found out later, by a job that fails."""
    wave = tone()
    long_one = bytearray(encode_audio(Audio(np.zeros(RATE), RATE)))
    long_one[4:8] = struct.pack("<I", 2**31)
    many = struct.pack("<HHIIHHH", 3, 65_535, RATE, RATE * 4, 4, 32, 0)
    return {
        "empty": ("a.wav", b"", 415),
        "a picture": ("a.wav", b"\x89PNG\r\n\x1a\n" + bytes(500), 415),
        "a page": ("a.wav", b"<html><script>alert(1)</script>", 415),
        "truncated": ("a.wav", wave[: len(wave) // 2], 201),
        "header alone": ("a.flac", b"fLaC", 201),
        "torn flac": ("a.flac", b"fLaC" + bytes(5000), 201),
        "torn ogg": ("a.ogg", b"OggS" + b"\xff" * 5000, 201),
        "torn mp3": ("a.mp3", b"\xff\xfb\x90\x00" + b"\x55" * 5000, 201),
        "promises much": ("a.wav", bytes(long_one), 201),
        "many channels": (
            "a.wav",
            b"RIFF" + struct.pack("<I", 80) + b"WAVEfmt " + struct.pack("<I", len(many)) + many,
            201,
        ),
        "silence": ("a.wav", encode_audio(Audio(np.zeros(9000), RATE)), 201),
        "not numbers": ("a.wav", wave[:60] + b"\xff\xff\xff\x7f" * 3000 + wave[12_060:], 201),
        "too long": ("a.flac", encode_audio(Audio(np.full(30 * 8000, 0.1), 8000), ".flac"), 201),
    }


def test_files_that_lie_end_in_a_clear_word(server: Server) -> None:
    waiting: dict[str, str] = {}
    for name, (file, content, status) in hostile().items():
        answer = server.http.post("/api/jobs", files={"sound": (file, content)}, data={"synth": "toy", "renders": 4})
        assert answer.status_code == status, (name, answer.text)
        if status == 201:
            waiting[name] = answer.json()["id"]
        else:
            assert "give WAV" in answer.json()["error"]
    for name, job in waiting.items():
        found = server.wait(job)
        assert found["state"] == "failed", (name, found)
        assert "unexpected" not in found["message"], (name, found)
        assert str(server.folder) not in found["message"], (name, found)


NAMES = (
    "../../../etc/passwd.wav",
    "..\\..\\boot.wav",
    "C:\\x.wav",
    "a\r\nSet-Cookie: x.wav",
    "\u202evaw.exe",
    "x" * 4000,
    ".",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_only_words(server: Server, name: str) -> None:
    asked = {"synth": "toy", "renders": 4, "top": 1}
    answer = server.http.post("/api/jobs", files={"sound": (name, tone())}, data=asked)
    assert answer.status_code in (201, 400, 422)
    if answer.status_code == 201:
        job = answer.json()
        assert len(job["name"]) <= 80
        assert not set(job["name"]) & set("/\\\r\n\u202e")
        server.http.post(f"/api/jobs/{job['id']}/cancel")
    assert sorted(path.name for path in server.folder.iterdir()) == ["cache", "jobs", "serve.lock"]


def test_too_much_is_refused_before_it_is_read(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    head = f"POST /api/jobs HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    told = raw(server, (head + "Content-Length: 99999999999\r\n\r\n").encode())
    assert told.startswith(b"HTTP/1.1 413")
    assert b"MB at most" in told
    chunk = b"10000\r\n" + bytes(65_536) + b"\r\n"
    begin = b'--x\r\nContent-Disposition: form-data; name="sound"; filename="a.wav"\r\n\r\n'
    flood = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + f"{len(begin):x}\r\n".encode() + begin + b"\r\n"
    answer = b""
    host = server.url.removeprefix("http://").split(":")[0]
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(flood)
        try:
            for _ in range(200):
                line.sendall(chunk)
        except OSError:
            pass  # the server has hung up, as it should
        try:
            answer = line.recv(65_536)
        except OSError:
            answer = b"HTTP/1.1 413"
    assert answer.startswith(b"HTTP/1.1 413")


def test_slow_clients_are_sent_away_and_hold_nobody_up(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    head = f"POST /api/jobs HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: multipart/form-data; boundary=x\r\n"

    def dawdle(_: int) -> bytes:
        return raw(server, (head + "Content-Length: 1000\r\n\r\n--x").encode())

    with ThreadPoolExecutor(8) as threads:
        slow = [threads.submit(dawdle, number) for number in range(8)]
        start = time.monotonic()
        assert server.http.get("/api/about").status_code == 200
        assert time.monotonic() - start < 5.0
        assert all(answer.result().startswith(b"HTTP/1.1 408") for answer in slow)


def test_memory_stays_bounded(server: Server) -> None:
    def resident() -> int:
        for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    if not Path("/proc/self/status").exists():
        return  # only Linux tells it so plainly
    server.http.get("/api/jobs")
    before = resident()
    body = b"RIFF" + bytes(280_000)
    for _ in range(60):  # 17 MB, none of which is a sound
        assert server.http.post("/api/jobs", files={"sound": ("a.wav", body)}).status_code == 415
    assert resident() - before < 12_000_000


def test_a_misspelt_name_in_a_query_is_told(server: Server) -> None:
    answer = server.http.get("/api/jobs", params={"limt": "3"})
    assert answer.status_code == 422
    assert "there is no 'limt' here" in answer.json()["error"]


def test_the_document_of_the_api_is_kept(server: Server) -> None:
    document = server.http.get("/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = server.url
    # A document cannot say what bytes are a sound (415), nor which synths and controls there are (422).
    accepted = schema.config.checks.positive_data_acceptance
    accepted.expected_statuses = [*accepted.expected_statuses, "415", "422"]
    job = server.wait(server.match(tone(), renders=4, top=1)["id"])["id"]
    checked: Counter[str] = Counter()

    def hold(case: schemathesis.Case) -> None:
        label = case.operation.label
        checked[label] += 1
        # Every second right one asks for a job that is there; what would take it away, or wait for it, does not.
        right = mode is GenerationMode.POSITIVE
        if right and "job" in case.path_parameters and checked[label] % 2 and case.method != "DELETE":
            case.path_parameters["job"] = job
        case.call_and_validate(timeout=30)

    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        calm = settings(max_examples=5, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
        # Hypothesis takes the health of data that are slow to draw for the test's own.
        calm = settings(calm, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            # An address without anything to get wrong has no wrong requests.
            with contextlib.suppress(Unsatisfiable):
                calm(given(case=operation.as_strategy(generation_mode=mode))(hold))()
    assert len(checked) == sum(len(methods) for methods in document["paths"].values())
