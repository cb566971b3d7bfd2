"""The files of a run: its last state, from which it goes on, and the weights of its best steps. Knows no task."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from menura.errors import InputError
from menura.storage import atomic_path

STATE = "state.pt"
_FACTS = "menura"


@dataclass(frozen=True, slots=True)
class Best:
    """The best value of a judged number so far."""

    value: float
    step: int


def write_state(path: Path, told: str, state: Mapping[str, Any]) -> None:
    """Writes a state that is afterwards whole, or as it was before.

    Args:
        path: the file.
        told: what decides the run.
        state: tensors, numbers, texts, and mappings of them.

    Raises:
        OutputError: the disk refuses.
    """
    with atomic_path(path, force=True) as partial:
        torch.save({"told": told, **state}, partial)


def read_state(path: Path, told: str) -> dict[str, Any]:
    """A state, on the processor.

    Raises:
        InputError: it is broken, or of another run.
    """
    # What torch raises on a broken file has no common class but Exception.
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        found = str(state["told"])
    except Exception as error:
        raise InputError(f"{path} cannot be read ({' '.join(str(error).split())}); delete it to begin anew") from error
    if found != told:
        raise InputError(
            f"{path} is of a run with other settings or data{_difference(found, told)}; choose another folder, or "
            "delete it"
        )
    return state


def best_path(folder: Path, metric: str) -> Path:
    """Where the weights of the best step by a metric lie."""
    return folder / f"best-{re.sub(r'[^A-Za-z0-9_.-]', '-', metric)}.safetensors"


def write_best(folder: Path, metric: str, network: nn.Module, best: Best) -> None:
    """Writes the weights of the best step. Raises OutputError."""
    facts = {_FACTS: json.dumps({"metric": metric, "value": best.value, "step": best.step})}
    weights = {name: each.detach().cpu().contiguous() for name, each in network.state_dict().items()}
    with atomic_path(best_path(folder, metric), force=True) as partial:
        save_file(weights, partial, facts)


def read_best(folder: Path, metric: str) -> tuple[dict[str, Tensor], Best]:
    """The weights of the best step by a metric, and which it was.

    Raises:
        InputError: there are none, or they are broken.
    """
    path = best_path(folder, metric)
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})[_FACTS])
        return load_file(path), Best(float(facts["value"]), int(facts["step"]))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path} holds no weights by {metric} ({error}); train first") from error


def _difference(found: str, told: str) -> str:
    """Which choices differ, of two runs that are told as JSON objects."""
    try:
        one, other = _flat(json.loads(found)), _flat(json.loads(told))
    except ValueError:
        return ""
    names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    return f" ({'; '.join(f'{name} {one.get(name)}, not {other.get(name)}' for name in names[:5])})" if names else ""


def _flat(record: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(record, dict):
        return {name: record}
    parts = (_flat(inner, f"{name} {part}".strip()) for part, inner in record.items())
    return {key: value for part in parts for key, value in part.items()}
