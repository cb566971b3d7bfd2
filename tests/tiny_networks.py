"""The architectures of the pretrained embedders with random weights and few channels, saved as the real ones are."""

from __future__ import annotations

import gzip
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from menura.features.embedders import openl3, passt, timbre
from menura.storage import hash_file

OPENL3_CHANNELS = (1, 2, 2, 3, 3, 4, 4, 5, 5)


def save_all(folder: Path) -> Path:
    """A folder for MENURA_EMBEDDERS; needs torch, transformers and h5py.

    The released files hold more than an embedder uses (texts, class heads), and so do these.
    """
    import torch
    import transformers as t

    torch.manual_seed(0)
    t.utils.logging.disable_progress_bar()
    audio = t.ClapAudioConfig(
        hidden_size=64, patch_embeds_hidden_size=8, depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2],
        projection_dim=16, spec_size=128, num_mel_bins=32, window_size=2, num_classes=5,
    )  # fmt: skip
    speech = t.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=(8, 8),
        conv_kernel=(10, 8), conv_stride=(80, 8), num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    patches = t.ASTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_mel_bins=32,
        max_length=128,
    )  # fmt: skip
    encodec = t.EncodecConfig(
        hidden_size=12, num_filters=2, upsampling_ratios=[8, 5, 4], num_lstm_layers=1, codebook_size=16, codebook_dim=12
    )
    dac = t.DacConfig(
        encoder_hidden_size=4, downsampling_ratios=[8, 16], decoder_hidden_size=32, upsampling_ratios=[16, 8],
        n_codebooks=3, codebook_size=16, codebook_dim=4,
    )  # fmt: skip
    clap = t.ClapFeatureExtractor(feature_size=32, max_length_s=1, truncation="rand_trunc")
    text = {
        "vocab_size": 32, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8,
        "max_position_embeddings": 96,
    }  # fmt: skip
    made: dict[str, tuple[Any, Any]] = {
        "clap": (t.ClapModel(t.ClapConfig(audio_config=audio.to_dict(), text_config=text, projection_dim=16)), clap),
        "ast": (t.ASTForAudioClassification(patches), t.ASTFeatureExtractor(num_mel_bins=32, max_length=128)),
        "wav2vec2": (t.Wav2Vec2ForPreTraining(speech), t.Wav2Vec2FeatureExtractor(do_normalize=True)),
        "encodec": (t.EncodecModel(encodec), t.EncodecFeatureExtractor(sampling_rate=24_000)),
        "dac": (t.DacModel(dac), t.DacFeatureExtractor(sampling_rate=44_100, hop_length=128)),
    }
    for name, (model, extractor) in made.items():
        model.save_pretrained(folder / name)
        extractor.save_pretrained(folder / name)
    save_tokenizer(folder / "clap")
    save_openl3(folder / openl3.WEIGHTS.name)
    save_passt(folder / passt.WEIGHTS.name)
    save_timbre(folder / "timbre")
    return folder


def save_tokenizer(folder: Path) -> None:
    """CLAP's tokenizer with letters for words: special tokens, the letters, the mark of a word's beginning."""
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abcdefghijklmnopqrstuvwxyz", "\u0120"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")


def save_timbre(folder: Path) -> None:
    """Our own network and its card."""
    from menura.models.timbre_network import TimbreNetwork, export_timbre

    folder.mkdir(parents=True)
    export_timbre(TimbreNetwork(4, 16), folder / timbre.WEIGHTS)
    card = {"sha256": hash_file(folder / timbre.WEIGHTS), "licence": "GPL-3.0-or-later"}
    (folder / timbre.CARD).write_text(json.dumps(card))


def save_openl3(folder: Path) -> None:
    """Weights as Keras writes them, with a layer of a front end that is to be left out."""
    import h5py

    rng = np.random.default_rng(0)
    layers: list[tuple[str, dict[str, Any]]] = [("front", {"freq2mel": np.ones((4, 4))}), ("norm_0", _norm(rng, 1))]
    for number, (before, after) in enumerate(pairwise(OPENL3_CHANNELS), 1):
        kernel = rng.normal(0.0, 0.4, (3, 3, before, after))
        layers.append((f"conv_{number}", {"kernel": kernel, "bias": rng.normal(0.0, 0.1, after)}))
        if number < 8:
            layers.append((f"norm_{number}", _norm(rng, after)))
    body = io.BytesIO()
    with h5py.File(body, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name, _ in layers]
        for name, parts in layers:
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{part}:0".encode() for part in parts]
            for part, values in parts.items():
                group.create_dataset(f"{name}/{part}:0", data=values.astype(np.float32))
    folder.mkdir(parents=True)
    (folder / next(iter(openl3.WEIGHTS.files))).write_bytes(gzip.compress(body.getvalue(), 1))


def save_passt(folder: Path, width: int = 128, depth: int = 2) -> dict[str, Any]:
    """A state dictionary as the release holds it, class heads included."""
    import torch

    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Any:
        return torch.randn(*shape, generator=generator) * 0.2

    held = {
        "cls_token": random(1, 1, width),
        "dist_token": random(1, 1, width),
        "new_pos_embed": random(1, 2, width),
        "freq_new_pos_embed": random(1, width, 12, 1),
        "time_new_pos_embed": random(1, width, 1, 20),
        "patch_embed.proj.weight": random(width, 1, 16, 16),
        "patch_embed.proj.bias": random(width),
        "norm.weight": random(width),
        "norm.bias": random(width),
        "head.1.weight": random(5, width),
    }
    dense = {
        "attn.qkv": (3 * width, width),
        "attn.proj": (width, width),
        "mlp.fc1": (96, width),
        "mlp.fc2": (width, 96),
    }
    for number in range(depth):
        for name, (outputs, inputs) in dense.items():
            held[f"blocks.{number}.{name}.weight"] = random(outputs, inputs)
            held[f"blocks.{number}.{name}.bias"] = random(outputs)
        for name in ("norm1", "norm2"):
            held[f"blocks.{number}.{name}.weight"] = random(width)
            held[f"blocks.{number}.{name}.bias"] = random(width)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(held, folder / next(iter(passt.WEIGHTS.files)))
    return held


def _norm(rng: np.random.Generator, count: int) -> dict[str, Any]:
    return {
        "gamma": rng.uniform(0.5, 1.5, count),
        "beta": rng.normal(0.0, 0.1, count),
        "moving_mean": rng.normal(0.0, 0.1, count),
        "moving_variance": rng.uniform(0.5, 1.5, count),
    }
