"""The library that menura brings: large enough to answer at once, small enough to be brought."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from menura.library.library import Library, packaged_folder
from menura.library.listening import note_of
from menura.synths.pool import RenderPool

FOLDER = packaged_folder("vital")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MENURA_LIBRARY", raising=False)
    return Library.default("vital")


def test_it_holds_enough_in_little(library: Library) -> None:
    assert library.folder == FOLDER
    assert len(library) >= 20_000
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 25_000_000
    library.check()


def test_it_holds_no_preset_of_a_user(library: Library) -> None:
    assert not library.paths()
    told = json.loads((FOLDER / "library.json").read_text(encoding="utf-8"))
    assert all(source.startswith("corpus ") for source in told["sources"])


def test_its_patches_are_found_by_their_sound_at_another_key(library: Library) -> None:
    numbers = np.linspace(0, len(library) - 1, 8).astype(int).tolist()
    with RenderPool("vital", workers=2, mode="fast") as pool:
        found = list(pool.render_many((library.preset(number), note_of(55.0)) for number in numbers))
    hits = [[hit.number for hit in library.search(result.audio, 55.0, 10)] for result in found if result.audio]
    assert len(hits) == len(numbers)
    assert sum(number in near for number, near in zip(numbers, hits, strict=True)) >= 6
