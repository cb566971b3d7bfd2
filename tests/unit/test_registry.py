"""Names to objects: lazily, from entry points too, and with a helpful word for an unknown one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from menura.errors import EngineError, UnknownNameError
from menura.registry import Registry


def test_a_built_in_is_found_by_its_import_string() -> None:
    things: Registry[object] = Registry("thing", "menura.test", {"path": "pathlib:Path", "deep": "pathlib:Path.home"})
    assert things.get("path") is Path
    assert things.get("deep") == Path.home
    assert things.names() == ["deep", "path"] == list(things)
    assert "path" in things
    assert "other" not in things


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys; from menura.registry import Registry\n"
        "r = Registry('thing', 'menura.test', {'wave': 'wave:open'})\n"
        "r.names(); assert 'wave' not in sys.modules\n"
        "r.get('wave'); assert 'wave' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_an_unknown_name_lists_the_known_ones_and_the_nearest() -> None:
    things: Registry[object] = Registry("synth", "menura.test", {"vital": "a:b", "toy": "a:c"})
    with pytest.raises(UnknownNameError, match=r"no synth is called 'vitl'; known: toy, vital; did you mean 'vital'\?"):
        things.get("vitl")
    with pytest.raises(UnknownNameError, match="known: none"):
        Registry("synth", "menura.test").get("x")


@pytest.mark.parametrize("target", ["no_such_module_anywhere:x", "pathlib:NoSuchName"])
def test_a_name_whose_object_is_missing_says_so(target: str) -> None:
    with pytest.raises(EngineError, match="cannot be loaded"):
        Registry("synth", "menura.test", {"vital": target}).get("vital")


def test_registering_wins_over_a_built_in() -> None:
    things: Registry[object] = Registry("thing", "menura.test", {"path": "pathlib:Path"})
    assert things.register("path", "mine") == "mine"
    assert things.get("path") == "mine"
    assert things.names() == ["path"]


def test_an_installed_package_adds_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lyre-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: lyre\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[menura.test]\nlyre = lyre_bird:Lyre\npath = lyre_bird:Lyre\n")
    (tmp_path / "lyre_bird.py").write_text("class Lyre:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    things: Registry[type] = Registry("thing", "menura.test", {"path": "pathlib:Path"})
    assert things.names() == ["lyre", "path"]
    assert things.get("lyre").__name__ == "Lyre"
    assert things.get("path") is Path
