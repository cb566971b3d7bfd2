r"""Trains and judges neural proxies: from a preset to what an embedder hears of it, without rendering.

    python recipes/neural_proxies.py corpus   --synth dx7 --size small --out runs/proxies
    python recipes/neural_proxies.py human    --synth dx7 --size small --out runs/proxies --bank dx7_voices.npy
    python recipes/neural_proxies.py train    --synth dx7 --size small --out runs/proxies
    python recipes/neural_proxies.py evaluate --synth dx7 --size small --out runs/proxies
    python recipes/neural_proxies.py scale    --synth dx7 --size small --out runs/proxies --encoder HN-PTGRU
    python recipes/neural_proxies.py speed    --synth dx7 --size small --out runs/proxies
    python recipes/neural_proxies.py search   --synth dx7 --size small --out runs/proxies --encoder TFM
    python recipes/neural_proxies.py table    --size small --out runs/proxies

Each stage goes on where it was stopped. Needs `pip install 'menura[train]'`, `search` also `menura[search]`.

corpus: random presets, rendered at C4 (with `--varied` at another note too, which the proxy is then told); parts of
their own seeds are never trained on. Corpora that are there, such as those of `recipes/timbre_embedding.py`, are read
with `--train-corpora` and `--unseen-corpora` instead. human: presets by people, played the same way, to be judged on
only. train: the five encoders of the paper, or `--encoder`; `--seeds` of each. evaluate: MRR and L1 over 100 draws of
4096 presets, on unseen and on human presets. scale: the curve over sizes of the corpus. speed: presets a second,
against render and embed. search: settings by Optuna, which `train` then takes. table: all that was judged, as Markdown.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from proxy_judging import evaluate, speed, table
from proxy_rows import SIZES, SYNTHS, Size, corpus, everything, human, plainly, told

from menura.errors import MenuraError
from menura.evaluation.proxy_scores import validation_scores
from menura.storage import write_text

RATES = {"MLP-OH": 1e-3, "HN-OH": 1e-3, "HN-PT": 1e-3, "HN-PTGRU": 1e-3, "TFM": 1e-3}


def settings_of(size: Size, encoder: str, seed: int, arguments: argparse.Namespace) -> Any:
    """The settings of a run: those that a search found, else the recipe's."""
    from menura.training.proxy_run import ProxySettings

    settings = ProxySettings(
        encoder=encoder,
        scale=size.scale,
        layers=size.layers,
        steps=arguments.steps or size.steps,
        batch=size.batch,
        rate=RATES[encoder],
        bfloat16=arguments.bfloat16,
        seed=seed,
    )
    found = arguments.out / arguments.synth / "search" / f"{encoder}.json"
    if found.exists():
        chosen = json.loads(found.read_text(encoding="utf-8"))
        settings = replace(settings, **{**chosen, "betas": tuple(chosen["betas"])})
    return settings


def machine_of(arguments: argparse.Namespace) -> Any:
    """Where it runs."""
    from menura.training.settings import Machine

    return Machine(arguments.accelerator, arguments.devices, arguments.tensorboard, arguments.coarse)


def run_folder(out: Path, encoder: str, embedder: str, count: int, seed: int) -> Path:
    """Where a run lies."""
    return out / "runs" / f"{encoder}-{plainly(embedder)}-{count}-{seed}"


def trained(
    size: Size,
    out: Path,
    encoder: str,
    embedder: str,
    seed: int,
    arguments: argparse.Namespace,
    count: int | None = None,
) -> Path:
    """One run, to its end; writes its checkpoints."""
    from menura.models.checkpoint import write_proxy
    from menura.models.proxies import Proxy, proxy_size
    from menura.training.loop import Progress
    from menura.training.proxy_run import train_proxy
    from menura.training.state import read_best

    rows, validation, _, inputs = everything(size, out, embedder, arguments)
    rows = rows.first(min(count or size.count, len(rows)))
    settings = settings_of(size, encoder, seed, arguments)
    folder, began = run_folder(out, encoder, embedder, len(rows), seed), time.perf_counter()

    def show(now: Progress) -> None:
        told(
            f"{folder.name} step {now.step}: l1 {now.judged['l1']:.4f}, mrr {now.judged['mrr']:.3f}; "
            f"{now.speed['examples_per_second']:.0f} presets a second, {now.speed['cores']:.2f} cores busy, waited "
            f"{now.speed['waited']:.0%}" + (f", GPU {now.speed['gpu']:.0%}" if "gpu" in now.speed else ""),
            began,
        )

    fitted = train_proxy(
        rows, validation, inputs, settings, folder, validation_scores, show, machine=machine_of(arguments)
    )
    proxy = Proxy(inputs.space, rows.embeddings.shape[2], proxy_size(encoder, settings.scale, settings.layers))
    for metric, best in fitted.best.items():
        weights, _ = read_best(folder, metric)
        proxy.load_state_dict(weights)
        facts = {
            "licence": "GPL-3.0-or-later",
            "synth": rows.facts["synth"],
            "engine": rows.facts["engine"],
            "source_space": rows.facts["space"],
            "patches": len(rows),
            "plays": rows.embeddings.shape[1],
            "rows": rows.fingerprint,
            "settings": asdict(settings),
            "best": {"metric": metric, "value": best.value, "step": best.step},
            "recipe": f"recipes/neural_proxies.py train --synth {arguments.synth} --size {arguments.size}",
        }
        write_proxy(folder / f"proxy-{metric}.safetensors", proxy, inputs.space, rows.facts["embedder"], facts)
    return folder


def train(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """The encoders that were asked for, each with each seed."""
    for embedder in arguments.embedder:
        for seed in range(arguments.seeds):
            for encoder in arguments.encoder:
                trained(size, out, encoder, embedder, seed, arguments)


def scale(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """The curve: the same settings and steps, more and more presets."""
    for embedder in arguments.embedder:
        for count in size.curve:
            for encoder in arguments.encoder:
                trained(size, out, encoder, embedder, 0, arguments, count)
    evaluate(size, out, arguments)


def search(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Settings of each encoder, by the MRR after an epoch; `train` takes what is found."""
    from menura.training.proxy_search import search_settings

    even, near = arguments.trials or size.trials
    for encoder in arguments.encoder:
        embedder = arguments.embedder[0]
        rows, validation, _, inputs = everything(size, out, embedder, arguments)
        rows = rows.first(min(size.count, len(rows)))
        base = settings_of(size, encoder, 0, arguments)
        steps = max(1, len(rows) * rows.embeddings.shape[1] // base.batch)
        short = replace(base, steps=steps, checks=1)

        def show(number: int, chosen: Any, mrr: float, encoder: str = encoder) -> None:
            told(f"{encoder} trial {number}: mrr {mrr:.3f} at rate {chosen.rate:.2g}, decay {chosen.decay:.2g}")

        found = search_settings(
            rows,
            validation,
            inputs,
            short,
            out / "search",
            validation_scores,
            even=even,
            near=near,
            machine=machine_of(arguments),
            tell=show,
        )
        chosen = {key: getattr(found, key) for key in ("rate", "betas", "decay", "warm_up")}
        write_text(out / "search" / f"{encoder}.json", json.dumps(chosen, indent=1) + "\n", force=True)
        print(json.dumps({"encoder": encoder, **chosen}), flush=True)


STAGES = {
    "corpus": corpus,
    "human": human,
    "train": train,
    "evaluate": evaluate,
    "scale": scale,
    "speed": speed,
    "search": search,
    "table": table,
}


def main() -> None:
    """The stage that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*STAGES])
    parser.add_argument("--synth", choices=[*SYNTHS], default="dx7")
    parser.add_argument("--size", choices=[*SIZES], default="small")
    parser.add_argument("--out", type=Path, required=True, help="folder of all synths' corpora and runs of this size")
    parser.add_argument("--embedder", nargs="+", default=["timbre"], help="whose vectors are learnt")
    parser.add_argument("--encoder", nargs="+", choices=[*RATES], default=[*RATES])
    parser.add_argument("--seeds", type=int, default=1, help="runs of each encoder")
    parser.add_argument("--steps", type=int, help="instead of the size's")
    parser.add_argument("--train-corpora", nargs="+", default=[], help="corpora that are there, to train on")
    parser.add_argument("--unseen-corpora", nargs="+", default=[], help="corpora that are there, to judge on")
    parser.add_argument("--bank", type=Path, help="folder, tar or dump of presets by people")
    parser.add_argument("--limit", type=int, help="only the first presets by people")
    parser.add_argument("--varied", action="store_true", help="render another note beside C4, and tell the proxy")
    parser.add_argument("--trials", nargs=2, type=int, metavar=("EVEN", "NEAR"), help="of the search")
    parser.add_argument("--workers", type=int, help="processes that render; one a core by default")
    parser.add_argument("--threads", type=int, help="of torch; one a core by default")
    parser.add_argument("--accelerator", default="auto", help="cpu, cuda or mps; auto takes the best there is")
    parser.add_argument("--devices", type=int, default=1, help="that share each batch")
    parser.add_argument("--bfloat16", action="store_true", help="mixed precision: on a GPU about twice as fast")
    parser.add_argument("--coarse", action="store_true", help="products in bfloat16: faster where a processor has it")
    parser.add_argument("--tensorboard", action="store_true", help="write events for TensorBoard too")
    arguments = parser.parse_args()
    if arguments.threads:
        import torch

        torch.set_num_threads(arguments.threads)
    try:
        STAGES[arguments.stage](SIZES[arguments.size], arguments.out / arguments.synth, arguments)
    except MenuraError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
