"""Weights with a card that says what they are for; refused where that is something else. Knows no network.

A checkpoint is ``NAME.safetensors`` and ``NAME.json``. The card holds the whole space, so that a network can be built
anew without the synth, and the fingerprints of space and embedder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from menura.errors import CheckpointError, SpaceError
from menura.models.proxies import Proxy, ProxySize
from menura.space import Parameter, ParameterSpace
from menura.storage import hash_bytes, write_bytes, write_text

FORMAT = 1


def space_record(space: ParameterSpace) -> dict[str, Any]:
    """A space as JSON values."""
    parameters = [asdict(each) for each in space.parameters]
    return {"synth": space.synth, "slots": space.slots, "fingerprint": space.fingerprint, "parameters": parameters}


def read_space(record: Mapping[str, Any]) -> ParameterSpace:
    """The space of a record.

    Raises:
        CheckpointError: it is broken, or not the one that its fingerprint tells of.
    """
    try:
        rows = [{**row, "choices": tuple(row["choices"])} for row in record["parameters"]]
        space = ParameterSpace(record["synth"], [Parameter(**row) for row in rows], slots=record["slots"])
        told = record["fingerprint"]
    except (TypeError, KeyError, ValueError, SpaceError) as error:
        raise CheckpointError(f"the card holds no space ({error}); write the checkpoint anew") from error
    if space.fingerprint != told:
        raise CheckpointError(
            f"the card's space is {space.fingerprint}, not {told} as it says; write the checkpoint anew"
        )
    return space


def write_checkpoint(path: Path, weights: Mapping[str, Tensor], card: Mapping[str, Any]) -> None:
    """Writes weights and card, each whole.

    Args:
        path: ends with .safetensors.
        weights: as `state_dict` gives them.
        card: JSON values; the hash of the weights is added.

    Raises:
        OutputError: the disk refuses.
    """
    data = save({name: each.detach().cpu().contiguous() for name, each in weights.items()})
    write_bytes(path, data, force=True)
    told = {"format": FORMAT, **card, "sha256": hash_bytes(data)}
    write_text(path.with_suffix(".json"), json.dumps(told, indent=1, ensure_ascii=False) + "\n", force=True)


def read_checkpoint(
    path: Path, *, space: ParameterSpace | None = None, embedder: str | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights and card.

    Args:
        path: ends with .safetensors.
        space: refuse weights for another one.
        embedder: fingerprint; refuse weights for another one.

    Raises:
        CheckpointError: missing, damaged, or made for another space or embedder.
    """
    try:
        card: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        data = path.read_bytes()
        told, version = card["sha256"], card["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is no checkpoint, or its card is missing ({error}); train it anew") from error
    if version != FORMAT:
        raise CheckpointError(f"{path} is of format {version!r}, not {FORMAT}; update menura, or train it anew")
    if hash_bytes(data) != told:
        raise CheckpointError(f"{path} is {hash_bytes(data)[:12]}, its card tells of {told[:12]}; put back the pair")
    if space is not None:
        found = card.get("space", {})
        if found.get("fingerprint") != space.fingerprint:
            raise CheckpointError(
                f"{path} is for space {found.get('fingerprint')} ({found.get('synth')}), not {space.fingerprint} "
                f"({space.synth}); take weights that were trained for this synth and version"
            )
    if embedder is not None and card.get("embedder", {}).get("fingerprint") != embedder:
        found = card.get("embedder", {})
        raise CheckpointError(
            f"{path} answers in the vectors of {found.get('name')} {str(found.get('fingerprint'))[:12]}, not of "
            f"{embedder[:12]}; take weights that were trained with this embedder"
        )
    try:
        return load(data), card
    except SafetensorError as error:
        raise CheckpointError(f"{path} holds no weights ({error}); train it anew") from error


def write_proxy(
    path: Path, proxy: Proxy, space: ParameterSpace, embedder: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    """Writes a proxy.

    Args:
        path: ends with .safetensors.
        proxy: the network.
        space: of what it sees.
        embedder: `name` and `fingerprint` of whose vectors it answers in.
        facts: what else the card says.

    Raises:
        OutputError: the disk refuses.
    """
    card = {
        "kind": "proxy",
        "size": asdict(proxy.size),
        "dim": proxy.dim,
        "parameters": sum(each.numel() for each in proxy.parameters()),
        "embedder": dict(embedder),
        **facts,
        "space": space_record(space),
    }
    write_checkpoint(path, proxy.state_dict(), card)


def read_proxy(
    path: Path, *, space: ParameterSpace | None = None, embedder: str | None = None
) -> tuple[Proxy, ParameterSpace, dict[str, Any]]:
    """A proxy in its state for use, the space of what it sees, and its card.

    Raises:
        CheckpointError: as `read_checkpoint`, or it is no proxy.
    """
    weights, card = read_checkpoint(path, space=space, embedder=embedder)
    if card.get("kind") != "proxy":
        raise CheckpointError(f"{path} is a checkpoint of kind {card.get('kind')!r}, not a proxy; name a proxy's")
    known = read_space(card["space"])
    try:
        with torch.random.fork_rng(devices=[]):
            proxy = Proxy(known, card["dim"], ProxySize(**card["size"]))
        proxy.load_state_dict(weights)
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not fit its card ({error}); train it anew") from error
    return proxy.eval(), known, card
