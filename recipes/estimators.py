r"""Trains what proposes patches for a sound, from the corpora of `timbre_embedding.py`.

    python recipes/estimators.py train  --kind flow --size small --corpus runs/timbre/corpus --out runs/flow
    python recipes/estimators.py export --kind flow --size small --corpus runs/timbre/corpus --out runs/flow
    python recipes/estimators.py judge  --kind flow --size small --corpus runs/timbre/corpus --out runs/flow
    python recipes/estimators.py ship   --kind flow --size small --corpus runs/timbre/corpus --out runs/flow

`all` does the first three. `train` goes on where it was stopped. Needs `pip install 'menura[train]'`; `--kind ast` and
`--encoder ast` need `menura[embedders]` too.

train: of the parts named `train`; the first patches are held out and tell the best step. export: two ONNX files, held
against torch, and their card. judge: patches of the parts named `unseen`, of which nothing was trained on: each sound
is answered, each answer rendered and compared with the sound; what it says goes into the card. ship: into the package.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from estimator_judging import judge
from estimator_rows import SIZES, Size, parts_of, patches_of, space_of, told

from menura.errors import MenuraError
from menura.models.estimator import CARD, DECODER, ENCODER
from menura.models.estimator_kinds import KINDS
from menura.models.layout import Layout, fitted_layout
from menura.models.shipped import MOST_BYTES, PACKAGED
from menura.storage import write_text
from menura.training.patches import Patches, data_of

BEST = "held"
"""Judged number by which the weights are chosen: few patches are learnt by heart before the last step."""
PROXY_PITCH = 60.0
"""MIDI, of what proxies say."""


def train(size: Size, arguments: argparse.Namespace) -> Any:
    """Trains until the last step, or goes on; answers with the network of the best step, which it was, and the data."""
    import torch

    from menura.training.loop import Progress, fit
    from menura.training.settings import Machine
    from menura.training.state import read_best

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    out, began = arguments.out, time.perf_counter()
    patches = patches_of(arguments, "train")
    layout = fitted_layout(space_of(arguments), patches.vectors)
    task = task_of(size, arguments, patches, layout)
    settings = loop_settings(size, arguments)

    def show(now: Progress) -> None:
        numbers = {**now.losses, **now.judged}
        said = ", ".join(f"{name} {value:.3f}" for name, value in numbers.items())
        told(f"step {now.step} of {settings.steps}: {said}", began)

    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "settings.json", json.dumps(asdict(settings_of(size, arguments)), indent=1) + "\n", force=True)
    network = fit(task, settings, out, show, machine=Machine(coarse=arguments.coarse)).network
    weights, best = read_best(out, BEST)
    network.load_state_dict(weights)
    return network, best, layout, patches


def export(size: Size, arguments: argparse.Namespace) -> None:
    """Writes the mean network of the best step as ONNX, compares the two, writes the card."""
    from menura.training.estimator_export import export_model

    network, best, layout, patches = train(size, arguments)
    facts = {
        "name": f"{arguments.synth}-{arguments.kind}-{arguments.size}",
        "kind": arguments.kind,
        "steps": arguments.walk,
        "guidance": arguments.guidance,
        "data": data_of(parts_of(arguments, "train")),
        "training": {
            "task": asdict(settings_of(size, arguments)),
            "loop": asdict(loop_settings(size, arguments)),
            "best": asdict(best),
        },
        "recipe": f"recipes/estimators.py all {options(arguments)}",
    }
    card = export_model(network, layout, space_of(arguments), patches, arguments.out, facts)
    told(f"{arguments.out}: {card['parameters']:,} weights, {card['bytes'] / 1e6:.1f} MB, parity {card['parity']:.1e}")


def ship(_size: Size, arguments: argparse.Namespace) -> None:
    """Copies model and card into the package, where all models together stay small."""
    card = json.loads((arguments.out / CARD).read_text(encoding="utf-8"))
    place = PACKAGED / card["name"]
    others = sum(path.stat().st_size for path in PACKAGED.rglob("*.onnx") if path.parent != place)
    if others + card["bytes"] > MOST_BYTES:
        sys.exit(
            f"with {card['name']} the package would hold {(others + card['bytes']) / 1e6:.0f} MB of weights; ship fewer"
        )
    place.mkdir(parents=True, exist_ok=True)
    for name in (ENCODER, DECODER, CARD):
        shutil.copyfile(arguments.out / name, place / name)
        told(str(place / name))


def settings_of(size: Size, arguments: argparse.Namespace) -> Any:
    """The settings of the task."""
    from menura.models.estimator_network import Architecture
    from menura.training.estimator_task import EstimatorSettings

    architecture = Architecture(
        arguments.kind, size.width, size.depth, 4, size.channels, arguments.encoder, size.ast_depth, size.ast_hidden,
        arguments.adapters,
    )  # fmt: skip
    # The blueprint compares parameters in their own order.
    return EstimatorSettings(architecture, size.batch, size.held, assign=arguments.kind != "ast", seed=arguments.seed)


def loop_settings(size: Size, arguments: argparse.Namespace) -> Any:
    """The settings of the loop."""
    from menura.training.settings import LoopSettings

    steps = arguments.steps or size.steps
    return LoopSettings(
        steps=steps, batch=size.batch, rate=size.rate, warm_up=0.03, decay=0.02, average=0.998,
        log_every=min(50, steps), check_every=max(1, min(200, steps // 2)), seed=arguments.seed,
        precision="bf16-mixed" if arguments.bfloat16 else "32-true", best={BEST: "lowest"},
    )  # fmt: skip


def task_of(size: Size, arguments: argparse.Namespace, patches: Patches, layout: Layout) -> Any:
    """The task of the loop."""
    import torch

    from menura.training.estimator_task import EstimatorTask

    start = None
    if arguments.start:
        start = torch.load(arguments.start, weights_only=True)
        start = start.get("mean", start)
    proxy = proxy_loss(arguments, patches, layout)
    settings = settings_of(size, arguments)
    return EstimatorTask(patches, layout, settings, pretrained=arguments.pretrained, start=start, proxy=proxy)


def proxy_loss(arguments: argparse.Namespace, patches: Patches, layout: Layout) -> Any:
    """The parts of the loss that come through proxies of the synth, where some are named; else None."""
    paths = {"spectral": arguments.spectral, "perceptual": arguments.perceptual}
    paths = {name: path for name, path in paths.items() if path}
    if not paths:
        return None
    from menura.features.embedders.timbre import timbre_network
    from menura.training.pictures import as_decibels
    from menura.training.proxy_loss import ProxyLoss

    # Proxies answer for one note, that of a library.
    play = int(np.argmin(np.abs(patches.notes[0, :, 0] - PROXY_PITCH)))
    targets: dict[str, Any] = {}
    if "spectral" in paths:
        targets["spectral"] = patches.contours[:, play].reshape(len(patches), -1).astype(np.float32)
    if "perceptual" in paths:
        hears, _, _ = timbre_network()
        starts = range(0, len(patches), 512)
        targets["perceptual"] = np.concatenate([hears(as_decibels(patches.levels[a : a + 512, play])) for a in starts])
    return ProxyLoss(layout, paths, targets, {"spectral": arguments.proxy_share, "perceptual": arguments.proxy_share})


def options(arguments: argparse.Namespace) -> str:
    """Those that decide the weights, as they are given."""
    chosen = [f"--kind {arguments.kind}", f"--size {arguments.size}", f"--seed {arguments.seed}"]
    chosen += [f"--parts {arguments.parts}"] * bool(arguments.parts) + [f"--steps {arguments.steps}"] * bool(
        arguments.steps
    )
    chosen += ["--bfloat16"] * arguments.bfloat16 + [f"--encoder {arguments.encoder}"] * (
        arguments.encoder != "picture"
    )
    chosen += [f"--adapters {arguments.adapters}"] * bool(arguments.adapters)
    chosen += ["--start STATE"] * bool(arguments.start) + ["--coarse"] * arguments.coarse
    chosen += [f"--{name} PROXY" for name in ("spectral", "perceptual") if getattr(arguments, name)]
    return " ".join(chosen)


STAGES = {"train": train, "export": export, "judge": judge, "ship": ship}


def main(given: list[str] | None = None) -> None:
    """The stage that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*STAGES, "all"])
    parser.add_argument("--kind", choices=KINDS, default="flow")
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--synth", default="vital")
    parser.add_argument("--corpus", type=Path, help="folder with the parts `train` and `unseen`")
    parser.add_argument("--train-corpora", nargs="+", default=[], help="corpora to train on, instead")
    parser.add_argument("--unseen-corpora", nargs="+", default=[], help="corpora to judge on, instead")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--cache", type=Path, help="where what was read of the corpora is kept; by default in --out")
    parser.add_argument("--parts", type=int, help="of each kind, the first ones; all that are finished by default")
    parser.add_argument("--steps", type=int, help="of training, instead of the size's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of torch; one a core by default")
    parser.add_argument("--workers", type=int, help="engines that render while it is judged")
    parser.add_argument("--bfloat16", action="store_true", help="where the processor has it")
    parser.add_argument("--coarse", action="store_true", help="products in bfloat16: faster where a processor has it")
    parser.add_argument("--encoder", choices=("picture", "ast"), default="picture")
    parser.add_argument("--pretrained", type=Path, help="folder of a pretrained AST, for an encoder of that kind")
    parser.add_argument(
        "--adapters", type=int, default=0, help="rank of low-rank adapters; the pretrained weights stay"
    )
    parser.add_argument(
        "--start", type=Path, help="state.pt of a timbre run whose convolutions the encoder starts from"
    )
    parser.add_argument("--spectral", type=Path, help="checkpoint of a proxy of `contour` at C4: a part of the loss")
    parser.add_argument("--perceptual", type=Path, help="checkpoint of a proxy of `timbre` at C4: a part of the loss")
    parser.add_argument("--proxy-share", type=float, default=0.1, help="what such a part counts beside the parameters")
    parser.add_argument("--walk", type=int, default=24, help="steps of a sample's walk, for the card")
    parser.add_argument("--guidance", type=float, default=1.5, help="of the walk, for the card")
    arguments = parser.parse_args(given)
    size = SIZES[arguments.size]
    try:
        for name in [*STAGES][:3] if arguments.stage == "all" else [arguments.stage]:
            STAGES[name](size, arguments)
    except MenuraError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
