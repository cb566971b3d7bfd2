"""The embedders by name, and what a spec means. Loads one when it is asked for, never its weights before.

Another package adds its own under the entry-point group ``menura.embedders``: a callable (folder, fetch) -> Embedder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from menura.errors import InputError
from menura.features.embedders.base import Embedder, FrameEmbedder, Reduction
from menura.registry import Registry

Maker = Callable[[Path | None, bool], Embedder]
"""(folder with the weights or None, whether missing weights may be downloaded) -> embedder."""

_HERE = "menura.features.embedders"
_ONNX = "onnx:"
_REDUCTIONS = ("mean", "flat")

EMBEDDERS: Registry[Maker] = Registry(
    "embedder",
    "menura.embedders",
    {
        "mel128": f"{_HERE}.spectral:mel128",
        "mfcc40": f"{_HERE}.spectral:mfcc40",
        "mstft": f"{_HERE}.spectral:mstft",
        "contour": f"{_HERE}.spectral:unfolding",
        "semitones": f"{_HERE}.spectral:semitones",
        "timbre": f"{_HERE}.timbre:timbre",
        "spectra-stats": f"{_HERE}.spectral:spectra_stats",
        "clap": f"{_HERE}.clap:clap",
        "clap-style": f"{_HERE}.clap:clap_style",
        "ast": f"{_HERE}.transformer_tokens:ast",
        "wav2vec2": f"{_HERE}.transformer_tokens:wav2vec2",
        "encodec": f"{_HERE}.audio_codecs:encodec",
        "dac": f"{_HERE}.audio_codecs:dac",
        "openl3-mel256-512": f"{_HERE}.openl3:mel256_512",
        "openl3-mel256-6144": f"{_HERE}.openl3:mel256_6144",
        "passt": f"{_HERE}.passt:passt",
    },
)


def embedder_of(spec: str, *, fetch: bool = True) -> Embedder:
    """The embedder that a spec names, ready to embed.

    Args:
        spec: a name of `EMBEDDERS`; ``NAME=FOLDER`` takes the weights of a folder; ``onnx:FILE`` is any network in
            ONNX with a sidecar (docs/embedders.md). ``/mean`` or ``/flat`` at the end says what becomes of the time
            axis, the mean where it says nothing.
        fetch: whether missing weights may be downloaded into the user's cache.

    Raises:
        InputError: the spec cannot be understood, or a file or folder that it names cannot be used.
        UnknownNameError: no such embedder; the message lists those that there are.
        EngineError: a library that runs it is not installed.
        WorkError: its weights are not here and could not be fetched, or are not what they should be.
    """
    body, _, last = spec.strip().rpartition("/")
    reduction = cast(Reduction, last) if body and last in _REDUCTIONS else None
    body = body if reduction else spec.strip()
    if body.startswith(_ONNX):
        from menura.features.embedders.onnx_file import onnx_file

        embedder: Embedder = onnx_file(Path(body.removeprefix(_ONNX)))
    else:
        name, named, folder = body.partition("=")
        if named and not folder:
            raise InputError(f"embedder {spec!r} names no folder; write {name}=FOLDER, or {name} alone")
        embedder = EMBEDDERS.get(name)(Path(folder) if folder else None, fetch)
    if reduction is None:
        return embedder
    if not isinstance(embedder, FrameEmbedder):
        raise InputError(f"embedder {body!r} has its own reduction; leave /{reduction} away")
    return embedder.reduced(reduction)
