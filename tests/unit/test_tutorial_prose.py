"""A model's prose: what is true is written, a lie is caught, over a real endpoint of the OpenAI kind."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from menura.cli import main
from menura.errors import InputError, WorkError
from menura.explain.edits import SetControl
from menura.explain.prose import Writer, write_prose
from menura.explain.prose_check import faults
from menura.explain.tutorial import Change, Effect, Shift, Step, Tutorial
from menura.note import Note
from menura.preset import Preset
from menura.synths.registry import synth_of

NAMES = ["Cutoff", "Resonance", "Drive", "Attack", "Release", "Level", "Filter 1", "Filter 2", "Key Track", "Reverb"]
STEP = Step(
    "filters",
    "Filter 1, Analog 12 dB",
    (
        Change(SetControl("filter_1_on", 1.0), "Switch", "On"),
        Change(SetControl("filter_1_cutoff", 74.0), "Cutoff", "14 semitones (587 Hz)"),
        Change(SetControl("filter_1_resonance", 0.31), "Resonance", "31%"),
    ),
    "filter.low",
    Effect(5.0, True, (Shift("brightness", 1900.0, 812.0),)),
)
TRUE = (
    "Switch Filter 1 on, an analog low-pass of 12 dB. Set the cutoff to 14 semitones, that is 587 Hz, and the "
    "resonance to 31%, which stresses what lies there. The centre of the spectrum falls from 1.9 kHz to 812 Hz."
)
TUTORIAL = Tutorial("vital", "x", "X", Preset("vital", {}), "", Note(), (STEP,))


def test_a_true_paragraph_passes() -> None:
    assert faults(TRUE, STEP, TUTORIAL, NAMES) == []
    assert faults(TRUE.replace("812 Hz", "812 hertz").replace("31%", "31 percent"), STEP, TUTORIAL, NAMES) == []
    assert faults(TRUE.replace("the cutoff to", "**Cutoff** to"), STEP, TUTORIAL, NAMES) == []


@pytest.mark.parametrize(
    ("truth", "lie", "word"),
    [
        ("31%", "41%", "41 %"),  # another value
        ("31%", "31 Hz", "31 hz"),  # another unit
        ("31%", "thirty percent", "30"),  # in words
        ("14 semitones", "-14 semitones", "-14 semitones"),  # another sign
        ("to 812 Hz", "a lot", "leaves out 812 hz"),  # a measurement left out
        ("the resonance to 31%", "the filter to 31%", "leaves out Resonance"),
        ("which stresses", "and the drive up, which stresses", "Drive"),  # a control that is not in the step
        ("which stresses", "with full Key Track, which stresses", "Key Track"),
        ("Switch Filter 1 on", "Switch Filter 2 on", "Filter 2"),
        ("to 14 semitones, that is 587 Hz, and the resonance to 31%",
         "to 31% and the resonance to 14 semitones, that is 587 Hz", "Cutoff is 14 semitones"),  # changed places
        ("The centre", "Play it 20 times. The centre", "20"),
        ("31%", "3.1%", "3.1 %"),
        ("31%", "a third", "Resonance is 31%"),
    ],
)  # fmt: skip
def test_a_lie_is_caught(truth: str, lie: str, word: str) -> None:
    assert truth in TRUE
    found = faults(TRUE.replace(truth, lie), STEP, TUTORIAL, NAMES)
    assert any(word in fault for fault in found), found


def test_routes_may_be_written_with_words() -> None:
    change = Change(SetControl("x", 0.0), "LFO 1 → Oscillator 1 Tune", "+20%, both ways")
    step = Step("lfos", "LFO 1 → Oscillator 1 Tune", (change,), "move.pitch", Effect(0.5, True))
    said = "Route LFO 1 to the Oscillator 1 Tune by +20%, both ways: a change of 0.5 dB on average."
    assert faults(said, step, TUTORIAL, [*NAMES, "Tune", "LFO 2"]) == []
    assert faults(said.replace("LFO 1", "LFO 2"), step, TUTORIAL, [*NAMES, "Tune", "LFO 2"])
    assert faults(said.replace("+20%", "+25%"), step, TUTORIAL, NAMES)


Answer = Callable[[dict[str, Any]], str]


class Endpoint:
    """A server on this machine that speaks chat completions; `answer` is its model."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _: TRUE
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.asked.append(request)
                endpoint.keys.append(self.headers.get("Authorization"))
                known = self.path == "/v1/chat/completions"
                message = {"role": "assistant", "content": endpoint.answer(request)}
                body = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
                self.send_response(200 if known else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the server's own name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


def test_what_is_true_is_taken(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENURA_PROSE_KEY", "secret")
    prose = write_prose(TUTORIAL, Writer.of_environment("tiny", endpoint.url + "/"), NAMES)
    assert prose.paragraphs == {0: TRUE}
    assert prose.refused == {}
    (asked,) = endpoint.asked
    assert asked["model"] == "tiny"
    assert "- Resonance: 31%" in asked["messages"][1]["content"]
    assert endpoint.keys == ["Bearer secret"]


def test_a_lie_is_asked_again_and_then_refused(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MENURA_PROSE_KEY", raising=False)
    endpoint.answer = lambda _: TRUE.replace("31%", "45%")
    prose = write_prose(TUTORIAL, Writer.of_environment("liar", endpoint.url), NAMES)
    assert prose.paragraphs == {}
    assert any("45 %" in fault for fault in prose.refused[0])
    assert len(endpoint.asked) == 2
    assert "45 %" in endpoint.asked[1]["messages"][-1]["content"]
    assert endpoint.keys == [None, None]


def test_a_model_that_mends_its_words_is_taken(endpoint: Endpoint) -> None:
    endpoint.answer = lambda asked: TRUE if len(asked["messages"]) > 2 else TRUE.replace("31%", "45%")
    prose = write_prose(TUTORIAL, Writer("tiny", endpoint.url), NAMES)
    assert prose.paragraphs == {0: TRUE}
    assert prose.refused == {}


def test_endpoints_that_cannot_be_used(endpoint: Endpoint) -> None:
    with pytest.raises(InputError, match="web address"):
        Writer("tiny", "localhost:11434")
    with pytest.raises(InputError, match="--model"):
        Writer("")
    with pytest.raises(WorkError, match="404"):
        Writer("tiny", endpoint.url + "/elsewhere").ask([])
    endpoint.close()
    with pytest.raises(WorkError, match="cannot be reached"):
        Writer("tiny", endpoint.url).ask([])


@pytest.fixture
def toy_file(tmp_path: Path) -> Path:
    toy = synth_of("toy")
    path = tmp_path / "dull.toy"
    path.write_bytes(toy.write(replace(toy.init().with_values(filter_on=1.0, cutoff=60.0), name="Dull")))
    return path


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as found:
        main(list(arguments))
    return int(found.value.code or 0)


def echo(asked: dict[str, Any]) -> str:
    """A model that repeats what it was given."""
    rows = [row for row in asked["messages"][1]["content"].splitlines() if row.startswith(("- ", "Heard: "))]
    return " ".join(rows).replace("- ", "Set ")


def test_the_command_writes_what_is_true(endpoint: Endpoint, toy_file: Path, tmp_path: Path) -> None:
    endpoint.answer = echo
    out = tmp_path / "told.md"
    asked = ("explain", str(toy_file), "--prose", "--model", "tiny", "--endpoint", endpoint.url, "--out", str(out))
    assert ended(*asked) == 0
    assert "Set Filter on: On Set Cutoff: 60 semitones" in out.read_text()


def test_the_command_catches_the_lie(
    endpoint: Endpoint, toy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.answer = lambda asked: echo(asked).replace("60 semitones", "61 semitones")
    out = tmp_path / "told.md"
    asked = ("explain", str(toy_file), "--prose", "--model", "liar", "--endpoint", endpoint.url, "--out", str(out))
    assert ended(*asked) == 1
    assert "liar was not true to step 1" in (told := capsys.readouterr().err)
    assert "61 semitones" in told
    text = out.read_text()
    assert "61" not in text
    assert "- Cutoff: **60 semitones**" in text
    assert ended(*asked[:-2], "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["prose"] == {}
    assert "61 semitones" in str(answer["refused"]["1"])


def test_values_may_hold_the_names_of_controls() -> None:
    changes = (
        Change(SetControl("lfo_1_sync", 2.0), "Sync", "Tempo Dotted"),
        Change(SetControl("lfo_1_tempo", 3.0), "Tempo", "1/8"),
        Change(SetControl("osc_1_destination", 1.0), "Destination", "Filter 2"),
    )
    step = Step("lfos", "LFO 1", changes, "", Effect(0.5, True))
    said = "On LFO 1, set Sync to Tempo Dotted, Tempo to 1/8 and the Destination to Filter 2: 0.5 dB on average."
    assert faults(said, step, TUTORIAL, [*NAMES, "Tempo", "Sync"]) == []
    assert faults(said.replace("Tempo Dotted", "Tempo"), step, TUTORIAL, NAMES)
    assert faults(said.replace("1/8", "1/4"), step, TUTORIAL, NAMES)
