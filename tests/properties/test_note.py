"""Laws of notes and their names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from menura.errors import NoteError
from menura.note import Note, note_name, parse_pitch


@given(st.integers(0, 127))
def test_a_name_reads_back(key: int) -> None:
    assert parse_pitch(note_name(key)) == key


@given(st.floats(0, 127))
def test_an_octave_doubles_the_frequency(pitch: float) -> None:
    if pitch + 12 <= 127:
        assert abs(Note(pitch=pitch + 12).frequency_hz / Note(pitch=pitch).frequency_hz - 2) < 1e-9


@given(st.text(max_size=12))
def test_any_text_is_a_pitch_or_one_line(text: str) -> None:
    try:
        pitch = parse_pitch(text)
    except NoteError as error:
        assert "\n" not in str(error)
    else:
        assert 0 <= pitch <= 127
