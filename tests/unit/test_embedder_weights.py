"""Where weights come from, and what is said when they are not there or are others."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from menura import storage
from menura.errors import InputError, UnknownNameError, WorkError
from menura.features.embedders import embedder_of
from menura.features.embedders.weights import Weights


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """Two files at an address, one with a checksum that is known."""
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MENURA_EMBEDDERS", raising=False)
    place = tmp_path / "net"
    place.mkdir()
    (place / "config.json").write_text("{}")
    (place / "model.safetensors").write_bytes(b"numbers")
    files = {"config.json": None, "model.safetensors": storage.hash_bytes(b"numbers")}
    return Weights("lyre", place.as_uri(), files, 1, "MIT")


def test_files_are_fetched_once_and_what_came_is_recorded(
    weights: Weights, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        folder = weights.locate()
    assert folder == weights.cache
    assert "nobody has published a checksum of config.json" in caplog.text
    assert json.loads((folder / "checksums.json").read_text()) == {"config.json": storage.hash_bytes(b"{}")}
    assert weights.hashes(folder)["model.safetensors"] == storage.hash_bytes(b"numbers")
    for file in (tmp_path / "net").iterdir():
        file.unlink()
    caplog.clear()
    assert weights.locate(fetch=False) == folder
    assert not caplog.text


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_another_content_is_refused_also_where_it_was_only_recorded(
    weights: Weights, tmp_path: Path, file: str
) -> None:
    weights.locate()
    for folder in (tmp_path / "net", weights.cache):
        (folder / file).write_bytes(b"another")
    with pytest.raises(WorkError, match="other content than expected"):
        weights.locate()


def test_without_a_net_it_is_said_what_to_fetch_and_where_to_put_it(weights: Weights, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match=r"its weights are not here \(1 MB, MIT\); download config.json, model"):
        weights.locate(fetch=False)
    (tmp_path / "net" / "model.safetensors").unlink()
    with pytest.raises(WorkError, match="could not be downloaded") as failure:
        weights.locate()
    for word in (str(weights.cache), "lyre=FOLDER", "MENURA_EMBEDDERS=FOLDER"):
        assert word in str(failure.value)
    (weights.cache / "model.safetensors").write_bytes(b"numbers")
    assert weights.locate() == weights.cache


def test_a_folder_of_the_users_comes_first(weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own" / "lyre"
    own.mkdir(parents=True)
    (own / "config.json").write_text("{}")
    monkeypatch.setenv("MENURA_EMBEDDERS", str(own.parent))
    with pytest.raises(InputError, match=r"lacks model\.safetensors"):
        weights.locate()
    # The older kind of file does as well.
    (own / "pytorch_model.bin").write_bytes(b"trained here")
    assert weights.locate(fetch=False) == own
    assert weights.locate(own) == own
    assert weights.hashes(own)["pytorch_model.bin"] == storage.hash_bytes(b"trained here")


def test_a_download_that_breaks_off_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.bin"
    source.write_bytes(b"x" * 10)
    real = storage.urllib.request.urlopen

    def broken(url: str, timeout: float) -> object:
        answer = real(url, timeout=timeout)
        answer.headers.replace_header("Content-Length", "20")
        return answer

    monkeypatch.setattr(storage.urllib.request, "urlopen", broken)
    with pytest.raises(WorkError, match="broke off after 10 of 20 bytes"):
        storage.download(source.as_uri(), None, folder=tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_spec_is_understood_or_refused(tmp_path: Path) -> None:
    assert embedder_of("mel128/mean").name == "mel128"
    assert embedder_of(" mel128/flat ").name == "mel128/flat"
    with pytest.raises(InputError, match="has no weights"):
        embedder_of(f"mel128={tmp_path}")
    with pytest.raises(InputError, match="names no folder"):
        embedder_of("clap=")
    with pytest.raises(UnknownNameError, match="did you mean 'mel128'"):
        embedder_of("mel12")
    with pytest.raises(UnknownNameError, match="known: ast, clap"):
        embedder_of("")


def test_networks_of_another_kind_are_refused(tmp_path: Path, weights: Weights) -> None:
    for needed in ("torch", "transformers"):
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install -e '.[reference]'")
    with pytest.raises(InputError, match=r"lacks config\.json, preprocessor_config\.json, model\.safetensors"):
        embedder_of(f"ast={tmp_path}")
    for file in ("config.json", "preprocessor_config.json", "model.safetensors"):
        (tmp_path / file).write_text("{}")
    with pytest.raises(WorkError, match="cannot be opened as ASTModel"):
        embedder_of(f"ast={tmp_path}")
    with pytest.raises(WorkError, match="clap=FOLDER"):
        embedder_of("clap", fetch=False)
