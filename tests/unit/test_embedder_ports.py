"""The networks that menura runs itself, held against another way to compute them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from menura.errors import WorkError
from menura.features.embedders import FrameEmbedder, embedder_of, openl3, passt

pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")
pytest.importorskip("h5py", reason="h5py is not installed: pip install -e '.[reference]'")


def last_map_of_openl3(bands: NDArray[np.float32], layers: list[openl3.Layer]) -> NDArray[Any]:
    """The published graph with channels last, in NumPy and SciPy alone: (32 bands, 24 frames, channels)."""
    from scipy.signal import correlate

    def norm(held: NDArray[Any], layer: openl3.Layer) -> NDArray[Any]:
        scale, offset, mean, variance = layer
        return (held - mean) / np.sqrt(variance + 1e-3) * scale + offset

    held = norm(bands[:, :, None].astype(np.float64), layers[0])
    for number in range(1, 9):
        kernel, bias = layers[2 * number - 1]
        maps = [
            sum(correlate(held[..., i], part[..., i], mode="same", method="direct") for i in range(held.shape[2]))
            for part in np.moveaxis(kernel, 3, 0)
        ]
        held = np.stack(maps, axis=-1) + bias
        if number < 8:
            held = np.maximum(norm(held, layers[2 * number]), 0.0)
        if number in (2, 4, 6):
            held = largest_of_tiles(held, 2, 2)
    return held


def largest_of_tiles(held: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    rows, columns = held.shape[0] // height, held.shape[1] // width
    return held[: rows * height, : columns * width].reshape(rows, height, columns, width, -1).max(axis=(1, 3))


def test_openl3_is_the_published_graph(tmp_path: Path, rng: np.random.Generator) -> None:
    from menura.audio import Audio
    from tiny_networks import save_openl3

    save_openl3(tmp_path / "openl3")
    samples = (rng.standard_normal(48_000) * np.linspace(0.2, 0.0, 48_000)).astype(np.float32)
    samples[36_000:] = 0.0
    layers = openl3.read_layers(next((tmp_path / "openl3").iterdir()))
    expected = last_map_of_openl3(openl3.spectrogram(samples), layers)
    # Three quarters of a second, and one that begins a second later: both are filled with silence.
    sounds = [Audio(samples[:36_000], 48_000), Audio(np.concatenate([samples[::-1], samples[:36_000]]), 48_000)]
    for size, tile in ((512, (32, 24)), (6144, (8, 8))):
        embedder = embedder_of(f"openl3-mel256-{size}={tmp_path / 'openl3'}")
        assert isinstance(embedder, FrameEmbedder)
        rows = [embedder.reduced("flat").embed([sound])[0] for sound in sounds]
        for found in (rows[0], rows[1][embedder.dim :]):
            np.testing.assert_allclose(found, largest_of_tiles(expected, *tile).ravel(), rtol=2e-3, atol=2e-4)


def test_openl3_hears_the_published_mel_bands(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    audio_utils = pytest.importorskip(
        "transformers.audio_utils", reason="transformers is not installed: pip install -e '.[reference]'"
    )
    second = (rng.standard_normal(48_000) * np.linspace(1.0, 0.0, 48_000)).astype(np.float32)
    filters = audio_utils.mel_filter_bank(1025, 256, 0.0, 24_000.0, 48_000, norm="slaney", mel_scale="slaney")
    padded = torch.from_numpy(np.pad(second, (0, 3_000)))
    spectrum = torch.stft(padded, 2048, 242, window=torch.hann_window(2048), center=False, return_complex=True)
    decibels = 10.0 * np.log10(np.maximum(filters.T @ spectrum.abs().numpy()[:, :199], 1e-10))
    expected = np.maximum(decibels - decibels.max(), -80.0)
    np.testing.assert_allclose(openl3.spectrogram(second), expected, atol=1e-2)


def test_a_file_of_other_layers_is_refused(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = []
    with pytest.raises(WorkError, match="0 layers, not those"):
        openl3.read_layers(path)
    path.write_bytes(b"no HDF5 at all")
    with pytest.raises(WorkError, match="not a file of OpenL3's weights"):
        openl3.read_layers(path)


def test_a_block_of_passt_is_torchs_own_transformer_layer(tmp_path: Path) -> None:
    import torch

    from tiny_networks import save_passt

    held = save_passt(tmp_path)
    layer = torch.nn.TransformerEncoderLayer(
        128, 2, 96, dropout=0.0, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    ).eval()
    ours = {
        "self_attn.in_proj_": "attn.qkv.", "self_attn.out_proj.": "attn.proj.", "linear1.": "mlp.fc1.",
        "linear2.": "mlp.fc2.", "norm1.": "norm1.", "norm2.": "norm2.",
    }  # fmt: skip
    names = [(there + part, here + part) for there, here in ours.items() for part in ("weight", "bias")]
    layer.load_state_dict({there: held[f"blocks.1.{here}"] for there, here in names})
    tokens = torch.randn(1, 7, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        np.testing.assert_allclose(
            passt.block(tokens, held, "blocks.1.").numpy(), layer(tokens).numpy(), rtol=1e-4, atol=1e-4
        )


def test_passt_hears_kaldis_mel_bands() -> None:
    audio_utils = pytest.importorskip(
        "transformers.audio_utils", reason="transformers is not installed: pip install -e '.[reference]'"
    )
    theirs = audio_utils.mel_filter_bank(
        num_frequency_bins=513, num_mel_filters=128, min_frequency=0.0, max_frequency=15_000.0, sampling_rate=32_000,
        norm=None, mel_scale="kaldi", triangularize_in_mel_space=True,
    )  # fmt: skip
    np.testing.assert_allclose(passt.kaldi_filters(32_000, 1024, 128, 0.0, 15_000.0), theirs, atol=1e-5)


def test_passt_of_other_weights_is_refused(tmp_path: Path) -> None:
    import torch

    torch.save({"some": torch.zeros(1)}, tmp_path / next(iter(passt.WEIGHTS.files)))
    with pytest.raises(WorkError, match="not a file of PaSST's weights"):
        embedder_of(f"passt={tmp_path}")
