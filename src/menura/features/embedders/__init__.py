"""Embedders: from sounds to vectors whose distances mean something. Knows no presets and no synth.

`embedder_of` is the door: ``embedder_of("mel128").embed(sounds)``. The baselines need NumPy alone; the pretrained
networks load their weights, and the libraries that run them, when they are asked for (docs/embedders.md).
"""

from menura.features.embedders.base import Embedder, FrameEmbedder, Reduction
from menura.features.embedders.registry import EMBEDDERS, embedder_of

__all__ = ["EMBEDDERS", "Embedder", "FrameEmbedder", "Reduction", "embedder_of"]
