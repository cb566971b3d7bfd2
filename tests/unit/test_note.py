"""Names, numbers and frequencies of keys."""

from __future__ import annotations

import pytest

from menura.errors import NoteError
from menura.note import Note, note_name, parse_pitch


@pytest.mark.parametrize(
    ("text", "pitch"),
    [
        ("C4", 60),
        ("a4", 69),
        ("f#2", 42),
        ("Bb-1", 10),
        ("C-1", 0),
        ("G9", 127),
        (" B♭3 ", 58),
        ("Cb4", 59),
        ("60.5", 60.5),
    ],
)
def test_pitch_is_understood(text: str, pitch: float) -> None:
    assert parse_pitch(text) == pitch


@pytest.mark.parametrize("text", ["", "H3", "C", "C##4", "Ab9", "G#9", "128", "-1", "nan", "inf", "C4 D4", "four"])
def test_pitch_is_refused_with_one_line(text: str) -> None:
    with pytest.raises(NoteError) as caught:
        parse_pitch(text)
    assert "\n" not in str(caught.value)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("pitch", "frequency_hz"),
    [(69.0, 440.0), (57.0, 220.0), (60.0, 261.6255653), (0.0, 8.1757989), (69.5, 452.8929841)],
)
def test_frequency(pitch: float, frequency_hz: float) -> None:
    assert Note(pitch=pitch).frequency_hz == pytest.approx(frequency_hz, rel=1e-7)


@pytest.mark.parametrize(
    "fields",
    [
        {"pitch": -0.1},
        {"pitch": 127.5},
        {"pitch": float("nan")},
        {"velocity": 0.0},
        {"velocity": 1.1},
        {"hold": -1.0},
        {"hold": float("inf")},
        {"total": 0.0},
    ],
)
def test_a_note_out_of_range_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(NoteError):
        Note(**fields)


def test_names_round_to_the_nearest_key() -> None:
    assert [note_name(pitch) for pitch in (60.0, 60.49, 60.5, 59.5, 0.0, 127.0)] == [
        "C4",
        "C4",
        "C#4",
        "C4",
        "C-1",
        "G9",
    ]
    assert Note(pitch=45.0).name == "A2"
