"""From a trained estimator to a model that can be asked without torch: ONNX files, held against torch, and their card.

Owns what a card says of every model; knows no corpus and no command line.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from menura.errors import WorkError
from menura.models.estimator import CARD, DECODER, ENCODER, FORMAT, Estimator, open_estimator
from menura.models.estimator_network import EstimatorNetwork, export_estimator, torch_callables
from menura.models.layout import Layout
from menura.storage import hash_file, write_text
from menura.synths.patches import PatchSpace
from menura.training.patches import Patches
from menura.version import __version__

PARITY = 1e-4
"""Largest difference of an expected feature between torch and ONNX Runtime."""
LICENCE = "GPL-3.0-or-later"


def export_model(
    network: EstimatorNetwork,
    layout: Layout,
    space: PatchSpace,
    patches: Patches,
    folder: Path,
    told: Mapping[str, Any],
) -> dict[str, Any]:
    """Writes a model, compares it with torch, and writes its card.

    Args:
        network: trained.
        layout: of its features.
        space: of the synth's patches.
        patches: sounds for the comparison.
        folder: for the files; it is there.
        told: further facts of the card: name, kind, steps, guidance, data, training, recipe.

    Returns:
        The card.

    Raises:
        OutputError: the place cannot be written.
        WorkError: torch and ONNX Runtime differ.
    """
    export_estimator(network, folder)
    card: dict[str, Any] = {
        "format": FORMAT,
        "synth": layout.space.synth,
        "space": layout.space.fingerprint,
        "licence": LICENCE,
        "what": "Samples of patches that may sound like a sound.",
        "layout": layout.record(),
        "files": {name: hash_file(folder / name) for name in (ENCODER, DECODER)},
        "parameters": sum(each.numel() for each in network.parameters()),
        **told,
        "made_with": {"menura": __version__, "python": platform.python_version(), "torch": version("torch")},
        "limits": limits_of(layout),
    }
    write_text(folder / CARD, json.dumps(card, indent=1) + "\n", force=True)
    with torch.inference_mode():
        card["parity"] = parity(open_estimator(folder, space), *torch_callables(network), patches)
    if card["parity"] > PARITY:
        raise WorkError(f"torch and ONNX Runtime differ by {card['parity']:.2g}, more than {PARITY}; please report it")
    card["bytes"] = sum((folder / name).stat().st_size for name in (ENCODER, DECODER))
    write_text(folder / CARD, json.dumps(card, indent=1) + "\n", force=True)
    return card


def limits_of(layout: Layout) -> list[str]:
    """What a card must say that an answer cannot be."""
    own = {
        "vital": (
            "Oscillators play stock tables, LFOs plain shapes; samples, drawn shapes and other tables are not told.",
            f"Of {layout.slots.count} routes at most, those that the prior uses, none into another's amount.",
        ),
    }
    return [
        "Trained on renders of one synthesizer, patches of a statistical prior, of 1.5 s; recordings were never "
        "heard in training, only changes that a recording may bring.",
        "Hears the first 1.5 s of a sound. Gain and width are not heard.",
        *own.get(layout.space.synth, ()),
        "Longer training in other numbers of threads or on other processors gives other weights.",
    ]


def parity(estimator: Estimator, encode: Any, decode: Any, patches: Patches) -> float:
    """Largest difference between ONNX Runtime and torch on eight sounds and noisy patches."""
    rng = np.random.default_rng(0)
    views = [patches.view(number, 0) for number in range(8)]
    given = {
        "pictures": np.stack([view.picture for view in views]),
        "contours": np.stack([view.contour for view in views]),
        "notes": np.stack([view.note for view in views]),
    }
    (sound,), (same,) = encode(given), estimator.encode(given)
    noisy = {
        "features": rng.standard_normal((8, estimator.layout.width), dtype=np.float32),
        "time": np.linspace(0.0, 1.0, 8, dtype=np.float32),
        "sound": sound,
        "keep": (np.arange(8) % 2).astype(np.float32),
    }
    pairs = zip(decode(noisy), estimator.decode(noisy), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in [(sound, same), *pairs])
