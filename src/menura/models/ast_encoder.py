"""The Audio Spectrogram Transformer as what an estimator hears with, over pictures in semitones.

The network is that of transformers, with as many bands and frames as a picture has. Its weights are random, or those of
a pretrained one: then its patches' places are those of its own picture, interpolated to this one.

Source: Gong et al., "AST: Audio Spectrogram Transformer", Interspeech 2021; Bruford et al., "Synthesizer sound matching
using audio spectrogram transformers", DAFx 2024.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from menura.errors import EngineError, InputError
from menura.features.semitones import BANDS, FRAMES, RANGE_DB
from menura.models.adapters import adapt
from menura.models.picture_encoder import NoteTokens


class AstEncoder(nn.Module):
    """Tokens of the patches of a picture, and those of contour and note."""

    def __init__(
        self, width: int, depth: int = 6, heads: int = 3, hidden: int = 192, pretrained: Path | None = None
    ) -> None:
        """Random weights, or a pretrained network's.

        Args:
            width: of a token.
            depth: layers; a pretrained network has its own.
            heads: of attention, likewise.
            hidden: its own width, likewise.
            pretrained: a folder with ``config.json`` and weights as transformers keeps them.

        Raises:
            EngineError: transformers is not installed.
            InputError: the folder holds no such network.
        """
        super().__init__()
        library = _transformers()
        if pretrained is None:
            config = library.ASTConfig(
                hidden_size=hidden, num_hidden_layers=depth, num_attention_heads=heads, intermediate_size=4 * hidden,
                num_mel_bins=BANDS, max_length=FRAMES, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
            )  # fmt: skip
            self.ast: Any = library.ASTModel(config)
        else:
            self.ast = _pretrained(library, pretrained)
        self.to_tokens = nn.Linear(int(self.ast.config.hidden_size), width)
        self.note_tokens = NoteTokens(width)
        self.norm = nn.LayerNorm(width)

    def adapt(self, rank: int) -> None:
        """Freezes the transformer and puts adapters at its queries and values."""
        adapt(self.ast, r"attention.*(query|value|q_proj|v_proj)$", rank)

    def forward(self, pictures: Tensor, contours: Tensor, notes: Tensor) -> Tensor:
        """As `PictureEncoder`; shape (batch, patches + 4, width)."""
        # AST's own pictures have mean 0 and deviation 0.5.
        scaled = (pictures + RANGE_DB / 2.0) / RANGE_DB
        seen = self.ast(input_values=scaled).last_hidden_state
        return self.norm(torch.cat([self.to_tokens(seen), self.note_tokens(contours, notes)], dim=1))


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise EngineError(f"transformers is not installed ({error}); pip install 'menura[embedders]'") from error
    return transformers


def _pretrained(library: Any, folder: Path) -> Any:
    """A pretrained network brought to the size of our pictures."""
    # What a broken file raises depends on the file.
    try:
        theirs = library.ASTModel.from_pretrained(folder, local_files_only=True, dtype="float32")
    except Exception as error:
        raise InputError(f"{folder} holds no pretrained AST ({str(error).splitlines()[0]}); name another") from error
    config = type(theirs.config).from_dict({**theirs.config.to_dict(), "num_mel_bins": BANDS, "max_length": FRAMES})
    ours = library.ASTModel(config)
    state = theirs.state_dict()
    name = "embeddings.position_embeddings"
    state[name] = _interpolated(state[name], theirs.config, config)
    ours.load_state_dict(state)
    return ours


def _interpolated(places: Tensor, theirs: Any, ours: Any) -> Tensor:
    """Places of patches, behind the two of the class tokens, on another grid."""

    def grid(config: Any) -> tuple[int, int]:
        return (
            (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1,
            (config.max_length - config.patch_size) // config.time_stride + 1,
        )

    rows, columns = grid(theirs)
    laid = places[:, 2:].transpose(1, 2).reshape(1, -1, rows, columns)
    moved = functional.interpolate(laid, size=grid(ours), mode="bilinear", align_corners=False)
    return torch.cat([places[:, :2], moved.flatten(2).transpose(1, 2)], dim=1)
