"""Laws of writing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from menura.errors import OutputError
from menura.storage import hash_bytes, hash_file, write_bytes


@given(st.binary(max_size=5_000), st.binary(max_size=5_000), st.booleans())
def test_a_file_is_the_old_or_the_new_one(old: bytes, new: bytes, force: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_bytes(Path(folder) / "x", old)
        try:
            write_bytes(path, new, force=force)
        except OutputError:
            assert not force
            assert path.read_bytes() == old
        else:
            assert force
            assert path.read_bytes() == new
        assert hash_file(path) == hash_bytes(path.read_bytes())
        assert [entry.name for entry in Path(folder).iterdir()] == ["x"]


@given(st.text(max_size=30))
def test_any_name_is_written_inside_or_refused_with_one_line(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in" / name.replace("..", "").lstrip("/")
        try:
            write_bytes(path, b"x")
        except OutputError as error:
            assert "\n" not in str(error).replace(name, "")
        else:
            assert path.read_bytes() == b"x"
