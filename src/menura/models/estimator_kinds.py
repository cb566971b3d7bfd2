"""The kinds of estimators by name; torch is not needed to know them."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["flow", "diffusion", "regression", "ast"]
"""`flow` and `diffusion` clear up noise, on two paths; `regression` answers from learned queries, one each part and
slot; `ast` answers at once from the mean of an Audio Spectrogram Transformer's tokens."""
KINDS: tuple[Kind, ...] = get_args(Kind)
