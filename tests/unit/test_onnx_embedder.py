"""`onnx:FILE`: the sidecar, the layouts, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from menura.audio import Audio
from menura.errors import InputError
from menura.features.embedders import embedder_of

KERNEL = np.random.default_rng(0).standard_normal((3, 1, 100)).astype(np.float32)


def save_network(folder: Path, channels: int = 1, **sidecar: Any) -> Path:
    """A convolution: (1, channels, samples) at 8 kHz -> (1, 3, time), a window of 100 samples every 100."""
    kernel = np.repeat(KERNEL, channels, axis=1)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["sound", "kernel"], ["frames"], strides=[100])],
        "tiny",
        [helper.make_tensor_value_info("sound", TensorProto.FLOAT, [1, channels, None])],
        [helper.make_tensor_value_info("frames", TensorProto.FLOAT, [1, 3, None])],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = folder / "tiny.onnx"
    onnx.save(model, path)
    told = {
        "sample_rate": 8_000, "channels": channels, "input": "sound", "input_layout": "bcs", "output": "frames",
        "output_layout": "bdt", "licence": "CC0-1.0",
    }  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps({**told, **sidecar}))
    return path


def expected(signal: Any) -> Any:
    """(time, 3)."""
    return signal[: len(signal) // 100 * 100].reshape(-1, 100) @ KERNEL[:, 0].T


def test_a_network_says_what_its_sidecar_tells(tmp_path: Path, rng: np.random.Generator) -> None:
    sound = Audio(rng.standard_normal(8_000) * 0.1, 8_000)
    embedder = embedder_of(f"onnx:{save_network(tmp_path)}")
    assert (embedder.dim, embedder.sample_rate, embedder.licence) == (3, 8_000, "CC0-1.0")
    np.testing.assert_allclose(embedder.embed([sound])[0], expected(sound.mono).mean(axis=0), rtol=1e-4, atol=1e-5)
    flat = embedder_of(f"onnx:{tmp_path / 'tiny.onnx'}/flat")
    np.testing.assert_allclose(flat.embed([sound])[0], expected(sound.mono).ravel(), rtol=1e-4, atol=1e-5)


def test_stereo_is_heard_in_both_ears(tmp_path: Path, rng: np.random.Generator) -> None:
    left, right = rng.standard_normal((2, 800)).astype(np.float32)
    embedder = embedder_of(f"onnx:{save_network(tmp_path, channels=2)}/flat")
    both, mono = embedder.embed([Audio([left, right], 8_000), Audio(left, 8_000)])
    np.testing.assert_allclose(both, (expected(left) + expected(right)).ravel(), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(mono, 2.0 * expected(left).ravel(), rtol=1e-3, atol=1e-4)


def test_a_fixed_length_fills_and_cuts(tmp_path: Path, rng: np.random.Generator) -> None:
    embedder = embedder_of(f"onnx:{save_network(tmp_path, seconds=0.05, reduction='flat')}")
    long, short = rng.standard_normal(900).astype(np.float32), rng.standard_normal(200).astype(np.float32)
    rows = embedder.embed([Audio(long, 8_000), Audio(short, 8_000)])
    np.testing.assert_allclose(rows[0], expected(long[:400]).ravel(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(rows[1], expected(np.pad(short, (0, 200))).ravel(), rtol=1e-4, atol=1e-4)


def test_the_fingerprint_follows_the_weights_and_the_sidecar(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    prints = [
        embedder_of(f"onnx:{save_network(folder, shortest_seconds=shortest)}").fingerprint
        for folder, shortest in zip(folders, (0.0, 0.0, 0.5), strict=True)
    ]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("sidecar", "said"),
    [
        ({"output": "scores"}, "has no 'scores' but frames"),
        ({"output_layout": "btd", "seconds": 0.0, "input_layout": "s"}, "mend the sidecar"),
        ({"output_layout": "bd"}, "which is not bd"),
        ({"output_layout": "xyz"}, "not one of"),
        ({"channels": 3}, "not one of 1, 2"),
        ({"sample_rate": "8000"}, "sample_rate is '8000'"),
        ({"sample_rate": 10}, "sample_rate is 10 Hz"),
        ({"licence": None}, "licence is None"),
        ({"rate": 1}, "it has rate"),
        ({"sha256": "00" * 32}, "its sidecar tells 000000"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, sidecar: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        embedder_of(f"onnx:{save_network(tmp_path, **sidecar)}")


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    path = save_network(tmp_path)
    path.write_bytes(b"no network")
    with pytest.raises(InputError, match="no ONNX file"):
        embedder_of(f"onnx:{path}")
    path.unlink()
    with pytest.raises(InputError, match="name an ONNX file"):
        embedder_of(f"onnx:{path}")
    path.with_suffix(".json").write_text("[]")
    with pytest.raises(InputError, match="no JSON object"):
        embedder_of(f"onnx:{path}")
    path.with_suffix(".json").unlink()
    with pytest.raises(InputError, match="write the sidecar"):
        embedder_of(f"onnx:{path}")
