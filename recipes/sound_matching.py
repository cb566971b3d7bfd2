r"""Trains and judges sound matching: a network that hears a sound and says the preset, taught through a neural proxy.

    python recipes/sound_matching.py targets  --synth dx7 --size small --out runs/proxies --proxy PROXY
    python recipes/sound_matching.py train    --synth dx7 --size small --out runs/proxies --proxy PROXY
    python recipes/sound_matching.py evaluate --synth dx7 --size small --out runs/proxies --proxy PROXY --real SET
    python recipes/sound_matching.py table    --size small --out runs/proxies

PROXY is a `proxy-l1.safetensors` of `recipes/neural_proxies.py`, which is frozen here; with the same folder its corpora
are taken too. Each stage goes on where it was stopped. Needs `pip install 'menura[train]'`.

targets: the sounds of corpora's presets at C4, played again where a corpus keeps none, or with `--presets human` those
of presets by people, 80-10-10 (not for Vital, whose wavetables no answer holds); the other stages make what is missing.
train: the network by the loss schedules ploss (parameters alone), mix (the proxy's embedding loss comes in) and switch
(it takes over); answers to validation sounds are played by the engine, and the best weights by these kept. evaluate: on
unseen presets, and on the recordings of `--real`, by the engine. table: tables 5 and 6 of the paper.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, section 7.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from proxy_rows import C4, SYNTHS, told
from sound_judging import in_domain, out_of_domain, table, usual_vector, validation_judge, write_scores
from sound_targets import PARTS, parts_of, recordings, told_proxy

from menura.errors import CheckpointError, MenuraError
from menura.models.spectrogram_cnn import CnnSize, SpectrogramCnn, read_cnn, write_cnn
from menura.space import ParameterSpace
from menura.synths.pool import RenderPool
from menura.training.loop import Fitted, Progress
from menura.training.loss_schedule import SCHEDULES
from menura.training.matching_run import MatchingSettings, answers_to, train_matching
from menura.training.settings import Machine
from menura.training.state import read_best


@dataclass(frozen=True)
class Size:
    """What the one dial turns."""

    counts: dict[str, int]
    """Sounds of each part."""
    recordings: int
    channels: tuple[int, ...]
    hidden: int
    steps: int
    batch: int
    checks: int


SIZES = {
    "tiny": Size({"train": 48, "validation": 4, "test": 8}, 4, (4, 8, 8), 16, 12, 8, 2),
    "small": Size({"train": 4_096, "validation": 24, "test": 128}, 55, (16, 32, 64, 96, 128), 256, 1_500, 64, 6),
    # 600 epochs of as many sounds as the paper's presets of Dexed.
    "full": Size(
        {"train": 27_648, "validation": 512, "test": 4_096}, 392, (32, 64, 128, 256, 512), 512, 64_800, 256, 30
    ),
}


def settings_of(size: Size, schedule: str, seed: int, arguments: argparse.Namespace) -> MatchingSettings:
    """The settings of a run."""
    return MatchingSettings(
        schedule=schedule,
        size=CnnSize(size.channels, size.hidden),
        steps=arguments.steps or size.steps,
        batch=size.batch,
        checks=size.checks,
        bfloat16=arguments.bfloat16,
        seed=seed,
    )


def schedules(arguments: argparse.Namespace) -> list[str]:
    """Those that were asked for."""
    return [*SCHEDULES] if arguments.schedule == "all" else [arguments.schedule]


def run_folder(out: Path, presets: str, schedule: str, seed: int) -> Path:
    """Where a run lies."""
    return out / "matching" / presets / "runs" / f"{schedule}-{seed}"


def targets(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Makes the sounds of all parts."""
    for name, part in parts_of(size.counts, out, arguments, PARTS).items():
        told(f"{name}: {len(part.sounds)} sounds, median peak {float(np.median(part.sounds.peaks)):.2f}")


def train(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """The schedules that were asked for, each with each seed."""
    parts = parts_of(size.counts, out, arguments, ("train", "validation"))
    with RenderPool(SYNTHS[arguments.synth][0], arguments.workers, mode="fast") as pool:
        for seed in range(arguments.seeds):
            for schedule in schedules(arguments):
                proxy, presets, card = told_proxy(arguments)
                settings, folder = (
                    settings_of(size, schedule, seed, arguments),
                    run_folder(out, arguments.presets, schedule, seed),
                )
                fitted = train_matching(
                    presets.estimated,
                    proxy,
                    parts["train"].examples,
                    parts["validation"].examples,
                    settings,
                    folder,
                    validation_judge(parts["validation"], presets, C4, pool),
                    teller(folder.name),
                    machine=machine_of(arguments),
                )
                keep(folder, settings, fitted, presets.estimated, proxy_facts(card), len(parts["train"].sounds))


def keep(
    folder: Path, settings: MatchingSettings, fitted: Fitted, space: ParameterSpace, facts: dict[str, Any], sounds: int
) -> None:
    """Writes the best weights with a card."""
    network = SpectrogramCnn(space, settings.size)
    weights, best = read_best(folder, "audio")
    network.load_state_dict(weights)
    write_cnn(
        folder / "estimator.safetensors",
        network,
        space,
        {
            "licence": "GPL-3.0-or-later",
            **facts,
            "settings": asdict(settings),
            "sounds": sounds,
            "steps_done": fitted.step,
            "best": {"metric": "audio", "value": best.value, "step": best.step},
        },
    )


def proxy_facts(card: dict[str, Any]) -> dict[str, Any]:
    """What a card says of the proxy."""
    told_of = {name: card[name] for name in ("synth", "engine") if name in card}
    return {**told_of, "embedder": card["embedder"], "proxy": {"sha256": card["sha256"], "size": card["size"]}}


def evaluate(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Judges the best weights of each run, the target's own parameters, and the usual preset."""
    parts = parts_of(size.counts, out, arguments, ("train", "test"))
    test = parts["test"]
    _, presets, _ = told_proxy(arguments)
    real, sounds = recordings(size.recordings, out, float(np.median(parts["train"].sounds.peaks)), arguments)
    usual = usual_vector(parts["train"], presets)
    ways = [*sounds[0].notes] if sounds else []
    with RenderPool(SYNTHS[arguments.synth][0], arguments.workers, mode="exact") as pool:

        def judged(arm: str, seed: int, inside: Any, outside: dict[str, Any], facts: dict[str, Any]) -> None:
            began = time.perf_counter()
            sets = {"in-domain": in_domain(inside, test, presets, C4, pool)}
            for how, vectors in outside.items():
                sets[f"{real}, played {how}"] = out_of_domain(vectors, sounds, how, presets, pool)
            head = {"synth": arguments.synth, "presets": arguments.presets, "arm": arm, "seed": seed, **facts}
            write_scores(out / "matching" / arguments.presets / f"{arm}-{seed}.json", {**head, "sets": sets})
            told(f"{arm} judged", began)

        if not arguments.no_arms:
            judged("truth", 0, test.examples.vectors, {}, {})
            unheard = {how: np.tile(usual, (len(sounds), 1)) for how in ways}
            judged("usual", 0, np.tile(usual, (len(test.sounds), 1)), unheard, {})
        for seed in range(arguments.seeds):
            for schedule in schedules(arguments):
                path = run_folder(out, arguments.presets, schedule, seed) / "estimator.safetensors"
                if not path.exists():
                    told(f"{schedule} with seed {seed} is not trained yet")
                    continue
                network, space, card = read_cnn(path)
                if space.fingerprint != presets.estimated.fingerprint:
                    raise CheckpointError(f"{path} was trained with another proxy; name that one, or train anew")
                outside = {how: answers_to(network, np.stack([s.pictures[how] for s in sounds])) for how in ways}
                facts = {
                    "sounds": card["sounds"],
                    "parameters": card["parameters"],
                    "steps": card["settings"]["steps"],
                    "batch": card["settings"]["batch"],
                    "chosen": card["best"]["step"],
                    "proxy": card["proxy"]["size"]["encoder"],
                    "embedder": card["embedder"]["name"],
                    "engine": card.get("engine", ""),
                }
                judged(schedule, seed, answers_to(network, test.sounds.pictures), outside, facts)


def machine_of(arguments: argparse.Namespace) -> Machine:
    """Where it runs."""
    return Machine(arguments.accelerator, arguments.devices, arguments.tensorboard, arguments.coarse)


def teller(name: str) -> Callable[[Progress], None]:
    """What says how far a run is."""
    began = time.perf_counter()

    def show(now: Progress) -> None:
        judged, speed = now.judged, now.speed
        told(
            f"{name} step {now.step}: audio {judged['audio']:.3f}, embedding {judged['embedding']:.3f}; "
            f"{speed['examples_per_second']:.0f} sounds a second, {speed['cores']:.2f} cores busy, "
            f"waited {speed['waited']:.0%}",
            began,
        )

    return show


STAGES = {"targets": targets, "train": train, "evaluate": evaluate, "table": table}


def main() -> None:
    """The stage that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*STAGES])
    parser.add_argument("--synth", choices=[*SYNTHS], default="dx7")
    parser.add_argument("--schedule", choices=["ploss", "mix", "switch", "all"], default="all")
    parser.add_argument("--size", choices=[*SIZES], default="small")
    parser.add_argument("--out", type=Path, required=True, help="folder of all synths' sounds and runs of this size")
    parser.add_argument("--proxy", type=Path, help="checkpoint of the frozen proxy")
    parser.add_argument("--train-corpora", nargs="+", default=[], help="corpora that are there, to train on")
    parser.add_argument("--unseen-corpora", nargs="+", default=[], help="corpora that are there, to judge on")
    parser.add_argument(
        "--presets",
        choices=["drawn", "human"],
        default="drawn",
        help="what is trained and judged on: corpora, or people's",
    )
    parser.add_argument(
        "--bank", type=Path, help="folder, tar or dump of presets by people, where none were played yet"
    )
    parser.add_argument("--limit", type=int, help="only the first presets by people")
    parser.add_argument("--real", metavar="SET", help="recordings to evaluate on: a set's name, a manifest or a folder")
    parser.add_argument("--no-arms", action="store_true", help="judge the schedules alone")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each schedule")
    parser.add_argument("--steps", type=int, help="instead of the size's")
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
