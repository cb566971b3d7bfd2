"""Any network in ONNX as an embedder: the file, and a sidecar that says how it listens and what it gives.

The one place of the embedders that imports onnxruntime, inside the function that needs it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from menura import storage
from menura.errors import InputError, WorkError
from menura.features.embedders.base import FrameEmbedder, Reduction
from menura.features.onnx_session import onnx_session
from menura.features.spectra import Matrix

_INPUTS = {"s": 1, "bs": 2, "bcs": 3}
_OUTPUTS = ("d", "bd", "td", "dt", "btd", "bdt")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What stands beside ``model.onnx`` as ``model.json``; the format is told in docs/embedders.md."""

    sample_rate: int
    """Hz of the input."""
    input: str
    """Name of the network's input: float32 samples, full scale at 1."""
    output: str
    """Name of its output."""
    licence: str
    """Of the weights."""
    input_layout: str = "bs"
    """Its axes: b batch (of one), c channels, s samples; one of s, bs, bcs."""
    output_layout: str = "bd"
    """Its axes: b batch (of one), t time, d the vector; one of d, bd, td, dt, btd, bdt."""
    channels: int = 1
    """1 or 2."""
    seconds: float = 0.0
    """Length that it must be given, filled with silence or cut at the end; 0 where it takes any."""
    shortest_seconds: float = 0.0
    """Shorter sounds are filled with silence."""
    reduction: str = "mean"
    """mean or flat, where the spec does not say."""
    sha256: str = ""
    """Of the ONNX file; checked where it is told."""


def read_sidecar(path: Path) -> Sidecar:
    """The sidecar of a network.

    Raises:
        InputError: it is missing, no JSON object, or holds what a sidecar cannot.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; write the sidecar as docs/embedders.md shows") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); write it as docs/embedders.md shows") from error
    kinds: dict[str, type | tuple[type, ...]] = {"int": int, "str": str, "float": (int, float)}
    known = {each.name: kinds[str(each.type)] for each in fields(Sidecar)}
    wrong = _wrong(body, known)
    if wrong:
        raise InputError(f"{path}: {wrong}; see docs/embedders.md")
    return Sidecar(**body)


def onnx_file(path: Path) -> FrameEmbedder:
    """The network in a file, run by ONNX Runtime on the processor.

    Raises:
        InputError: the file or its sidecar is missing, broken, or they do not fit each other.
        EngineError: ONNX Runtime is not installed.
    """
    sidecar = read_sidecar(path.with_suffix(".json"))
    if not path.is_file():
        raise InputError(f"{path} is missing; name an ONNX file")
    found = storage.hash_file(path)
    if sidecar.sha256 and found != sidecar.sha256.lower():
        raise InputError(f"{path} has sha256 {found[:12]}…, its sidecar tells {sidecar.sha256[:12]}…; fetch it again")
    network = _Network(onnx_session(path, threads=0), sidecar)
    inputs, outputs = network.names()
    for name, there in ((sidecar.input, inputs), (sidecar.output, outputs)):
        if name not in there:
            raise InputError(f"{path} has no {name!r} but {', '.join(there)}; mend its sidecar")
    # A second of silence tells the width, and that the layouts are right.
    try:
        width = network(network.silence())[0].shape[1]
    except (WorkError, ValueError) as error:
        raise InputError(
            f"{path} cannot hear silence as its sidecar tells it to ({error}); mend the sidecar"
        ) from error
    told = {
        each.name: getattr(sidecar, each.name) for each in fields(Sidecar) if each.name not in ("sha256", "licence")
    }
    return FrameEmbedder(
        f"onnx:{path}",
        network,
        width,
        sidecar.sample_rate,
        sidecar.licence,
        # The place of a file changes nothing that is heard.
        {"version": 1, "model": "onnx", "weights": found, "sidecar": told},
        channels=sidecar.channels,
        shortest=max(1, round(sidecar.shortest_seconds * sidecar.sample_rate)),
        framewise="t" in sidecar.output_layout,
        reduction="flat" if sidecar.reduction == "flat" else "mean",
    )


@dataclass(frozen=True, slots=True)
class _Network:
    session: Any
    sidecar: Sidecar

    def names(self) -> tuple[list[str], list[str]]:
        """Inputs and outputs of the network."""
        return [each.name for each in self.session.get_inputs()], [each.name for each in self.session.get_outputs()]

    def silence(self) -> NDArray[np.float32]:
        """A second of it, or as much as is asked for."""
        told = self.sidecar
        count = round(told.sample_rate * max(1.0, told.shortest_seconds))
        return np.zeros(count if told.channels == 1 else (told.channels, count), dtype=np.float32)

    def __call__(self, signal: NDArray[np.float32]) -> Sequence[Matrix]:
        told = self.sidecar
        if told.seconds:
            count = round(told.seconds * told.sample_rate)
            missing = max(0, count - signal.shape[-1])
            signal = np.pad(signal[..., :count], [(0, 0)] * (signal.ndim - 1) + [(0, missing)])
        wanted = _INPUTS[told.input_layout]
        shaped = signal.reshape((1,) * (wanted - signal.ndim) + signal.shape)
        try:
            answer = np.asarray(self.session.run([told.output], {told.input: shaped})[0], dtype=np.float32)
        except Exception as error:
            raise WorkError(f"the network refuses a sound of shape {shaped.shape}: {error}") from error
        return [_frames(answer, told.output_layout)]


def _frames(answer: NDArray[np.float32], layout: str) -> Matrix:
    """An answer as (frames, width). Raises ValueError where its axes are others."""
    if answer.ndim != len(layout) or (layout[0] == "b" and answer.shape[0] != 1):
        raise ValueError(f"its output has shape {answer.shape}, which is not {layout}")
    inner = answer[0] if layout[0] == "b" else answer
    axes = layout.removeprefix("b")
    return inner.reshape(1, -1) if axes == "d" else inner if axes == "td" else inner.T


def _wrong(body: Any, known: Mapping[str, type | tuple[type, ...]]) -> str:
    """What a sidecar has wrong; empty where it has nothing."""
    if not isinstance(body, dict):
        return "it is no JSON object"
    needed = [name for name in ("sample_rate", "input", "output", "licence") if name not in body]
    if needed:
        return f"it lacks {', '.join(needed)}"
    if strange := sorted(set(body) - set(known)):
        return f"it has {', '.join(strange)}, which no sidecar has"
    for name, value in body.items():
        if not isinstance(value, known[name]) or isinstance(value, bool):
            return f"{name} is {value!r}"
    allowed: dict[str, Sequence[Any]] = {
        "input_layout": tuple(_INPUTS),
        "output_layout": _OUTPUTS,
        "channels": (1, 2),
        "reduction": get_args(Reduction),
    }
    for name, choices in allowed.items():
        if name in body and body[name] not in choices:
            return f"{name} is {body[name]!r}, not one of {', '.join(map(str, choices))}"
    if body.get("channels", 1) == 2 and body.get("input_layout", "bs") != "bcs":
        return "two channels need the input_layout bcs"
    if not 1_000 <= body["sample_rate"] <= 384_000:
        return f"sample_rate is {body['sample_rate']} Hz"
    if min(body.get("seconds", 0), body.get("shortest_seconds", 0)) < 0:
        return "a length is below 0"
    return ""
