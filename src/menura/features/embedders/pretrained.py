"""Opening a pretrained network of the transformers library: the model, its own preparation of sounds, its identity.

One of the places that import torch and transformers, inside the functions that need them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.errors import EngineError, WorkError
from menura.features.embedders.weights import Weights


def torch_library() -> Any:
    """The module torch.

    Raises:
        EngineError: it is not installed.
    """
    with _needed("PyTorch"):
        import torch
    return torch


def transformers_library() -> Any:
    """The module transformers.

    Raises:
        EngineError: it is not installed.
    """
    with _needed("transformers"):
        import transformers
    return transformers


@contextlib.contextmanager
def _needed(name: str) -> Generator[None]:
    try:
        yield
    except ImportError as error:
        raise EngineError(f"{name} is not installed ({error}); pip install 'menura[embedders]'") from error


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A network that listens: weights, preparation, and what made them."""

    model: Any
    """In evaluation mode, on the processor."""
    extractor: Any
    """The library's feature extractor, as the weights' own configuration sets it up."""
    identity: dict[str, Any]
    """Hashes of the weights' files, for a fingerprint."""

    @property
    def sample_rate(self) -> int:
        """Hz at which it listens."""
        return int(self.extractor.sampling_rate)

    def prepare(self, signal: NDArray[np.float32]) -> Any:
        """The network's input for one mono sound, as tensors by name."""
        return self.extractor(signal, sampling_rate=self.sample_rate, return_tensors="pt")

    def run(self, function: Any, *args: Any, **named: Any) -> Any:
        """Calls a part of the network without tracing gradients."""
        with torch_library().inference_mode():
            return function(*args, **named)


def open_pretrained(
    weights: Weights, model: str, extractor: str, folder: Path | None, fetch: bool, *, version: int = 1
) -> Pretrained:
    """A network by the names of its classes in transformers.

    Args:
        weights: its files.
        model: class of the network.
        extractor: class of its feature extractor.
        folder: with the files; None looks where `Weights.locate` does.
        fetch: whether missing files may be downloaded.
        version: of the code around it, for the fingerprint.

    Raises:
        EngineError: torch or transformers is not installed.
        InputError: the named folder lacks a file.
        WorkError: the weights are not here, or are those of another network.
    """
    # The library first: who lacks it would download a gigabyte in vain.
    torch_library()
    library = transformers_library()
    place = weights.locate(folder, fetch=fetch)
    try:
        with _quiet(library):
            network, report = getattr(library, model).from_pretrained(
                place, local_files_only=True, output_loading_info=True, dtype="float32"
            )
        prepare = getattr(library, extractor).from_pretrained(place, local_files_only=True)
    # What a broken file raises depends on the file: OSError, ValueError, RuntimeError, safetensors' own.
    except Exception as error:
        raise WorkError(
            f"{weights.name}: the files in {place} cannot be opened as {model} ({_first_line(error)}); delete them, so "
            "that they are fetched again, or name a folder with the right ones"
        ) from error
    if lacking := sorted(report["missing_keys"]):
        raise WorkError(
            f"{weights.name}: the weights in {place} are not those of {model}: {len(lacking)} tensors are missing, "
            f"{lacking[0]} among them; name a folder with the right ones"
        )
    return Pretrained(network.eval(), prepare, {"version": version, "weights": weights.hashes(place)})


@contextlib.contextmanager
def _quiet(library: Any) -> Generator[None]:
    """No bar of the library's, and no report of the parts of the weights that an embedder does not use."""
    said = library.utils.logging
    bars, level = said.is_progress_bar_enabled(), said.get_verbosity()
    said.disable_progress_bar()
    said.set_verbosity_error()
    try:
        yield
    finally:
        said.set_verbosity(level)
        if bars:
            said.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
