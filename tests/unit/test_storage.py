"""Folders, hashes, downloads, and files that are whole or not there."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import AsNobody
from menura import storage
from menura.errors import OutputError, WorkError

SHA = hashlib.sha256(b"lyre").hexdigest()


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".menura-*")]


# ---------------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "/people/ann/.local/share/vital/User/Presets"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/vital/User/Presets"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "/people/ann/.local/share/vital/User/Presets"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "/people/ann/Music/Vital/User/Presets"),
        ("win32", {}, "/people/ann/Documents/Vital/User/Presets"),
        ("win32", {"USERPROFILE": "/users/ann"}, "/users/ann/Documents/Vital/User/Presets"),
        ("linux", {"MENURA_VITAL_PRESETS": "/mine"}, "/mine"),
    ],
)
def test_vital_preset_folder(platform: str, environment: dict[str, str], expected: str) -> None:
    found = storage.vital_preset_folder(platform=platform, environment=environment, home=Path("/people/ann"))
    assert found == Path(expected)


def test_user_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    assert storage.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("MENURA_CACHE")
    monkeypatch.delenv("MENURA_CONFIG", raising=False)
    assert storage.cache_folder().name == "menura"
    assert storage.config_folder() != storage.cache_folder()
    assert storage.config_folder().is_absolute()


def test_hashes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    (tmp_path / "x").write_bytes(data)
    assert storage.hash_file(tmp_path / "x") == storage.hash_bytes(data) == hashlib.sha256(data).hexdigest()


# ---------------------------------------------------------------------- writing


def test_a_file_is_written_with_the_folders_above_it(tmp_path: Path) -> None:
    path = storage.write_text(tmp_path / "a" / "b" / "c.txt", "grüße\n")
    assert path.read_bytes() == "grüße\n".encode()
    assert not leftovers(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_file_is_as_readable_as_the_umask_lets_it(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = storage.write_bytes(tmp_path / "x", b"")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    path = tmp_path / "x.vital"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="exists; choose another name, or --force"):
        storage.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    storage.write_bytes(path, b"new", force=True)
    assert path.read_bytes() == b"new"


def test_a_file_that_arrives_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x"

    def race() -> None:
        with storage.atomic_path(path) as temporary:
            temporary.write_bytes(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(OutputError, match="exists"):
        race()
    assert path.read_bytes() == b"theirs"
    assert not leftovers(tmp_path)


def test_a_dangling_link_counts_as_taken(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists"):
        storage.write_bytes(path, b"new")


def test_a_failing_writer_leaves_the_old_file_and_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"old")

    def fail() -> None:
        with storage.atomic_path(path, force=True) as temporary:
            assert temporary.suffix == ".wav"
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert not leftovers(tmp_path)


def test_a_folder_or_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder; name a file"):
        storage.write_bytes(tmp_path, b"", force=True)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        storage.write_bytes(tmp_path / "file" / "x", b"")
    with pytest.raises(OutputError, match="is a file; name a folder"):
        storage.check_folder(tmp_path / "file")


@pytest.mark.parametrize("name", ["a" * 300, "x\0y"])
def test_a_bad_name_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError) as caught:
        storage.write_bytes(tmp_path / name, b"")
    assert "\n" not in str(caught.value)
    assert not leftovers(tmp_path)


def test_a_read_only_folder_is_told(public_folder: Path, as_nobody: AsNobody) -> None:
    public_folder.chmod(0o555)
    for refuse in (lambda path: storage.write_bytes(path, b""), storage.check_folder):
        with as_nobody(), pytest.raises(OutputError, match="cannot be written"):
            refuse(public_folder / "x")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that takes no files")
def test_a_file_system_that_takes_no_files_is_told() -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        storage.write_bytes("/proc/self/menura/x", b"")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs RLIMIT_FSIZE")
def test_a_disk_that_fills_up_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """A limit on the size of files fails in the middle of a write, as a full disk does."""
    path = tmp_path / "x"
    path.write_bytes(b"old")
    code = (
        "import resource, signal, sys\n"
        "from menura.errors import OutputError\n"
        "from menura.storage import write_bytes\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    write_bytes(sys.argv[1], b'x' * 100_000, force=True)\n"
        "except OutputError as error:\n"
        "    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert "cannot be written (File too large)" in run.stdout
    assert path.read_bytes() == b"old"
    assert not leftovers(tmp_path)


def test_several_files_are_refused_before_the_first_is_written(tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(b"old")
    files = {"a.vital": b"1", "b.wav": b"2", "sub/c.json": b"3"}
    with pytest.raises(OutputError, match=r"b\.wav exists"):
        storage.write_folder(tmp_path, files)
    assert [path.name for path in tmp_path.iterdir()] == ["b.wav"]
    written = storage.write_folder(tmp_path, files, force=True)
    assert [path.read_bytes() for path in written] == [b"1", b"2", b"3"]


def test_several_files_are_all_written_or_none(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        storage.write_folder(tmp_path / "out", {"a": b"1", "a/b": b"2"})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_names_stay_inside_their_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="leads out of"):
        storage.write_folder(tmp_path / "out", {"../x": b"1"})
    assert not (tmp_path / "x").exists()


def test_check_folder(tmp_path: Path) -> None:
    storage.check_folder(tmp_path)
    storage.check_folder(tmp_path / "new" / "deep")
    assert not (tmp_path / "new").exists()
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(OutputError, match="is not empty"):
        storage.check_folder(tmp_path)
    storage.check_folder(tmp_path, force=True)


# ---------------------------------------------------------------------- downloads


def test_a_download_is_checked_kept_and_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "lyre.bin"
    source.write_bytes(b"lyre")
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    kept = storage.download(source.as_uri(), SHA)
    assert kept == tmp_path / "cache" / "downloads" / "lyre.bin"
    assert kept.read_bytes() == b"lyre"
    source.unlink()
    assert storage.download(source.as_uri(), SHA.upper()) == kept


def test_a_download_of_other_content_is_not_kept(tmp_path: Path) -> None:
    source = tmp_path / "lyre.bin"
    source.write_bytes(b"liar")
    with pytest.raises(WorkError, match="other content than expected"):
        storage.download(source.as_uri(), SHA, folder=tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir())


def test_a_damaged_copy_is_fetched_anew(tmp_path: Path) -> None:
    source = tmp_path / "lyre.bin"
    source.write_bytes(b"lyre")
    kept = storage.download(source.as_uri(), SHA, folder=tmp_path / "kept")
    kept.write_bytes(b"rot")
    assert storage.download(source.as_uri(), SHA, folder=tmp_path / "kept").read_bytes() == b"lyre"


def test_offline_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="go online and try again, or put the file at") as caught:
        storage.download("https://localhost:9/lyre.bin", SHA, folder=tmp_path, timeout=2)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_open_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="not an https address"):
        storage.download("http://example.org/x", SHA, folder=tmp_path)


def test_removed_folder_is_no_trap(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    shutil.rmtree(folder)
    assert storage.write_bytes(folder / "x", b"1").read_bytes() == b"1"
