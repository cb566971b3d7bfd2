"""Judges neural proxies: ranks and errors, their speed, the table. Trains nothing."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from proxy_rows import C4, PAPER, SEEDS, SYNTHS, Size, everything, human_rows, plainly

from menura.evaluation.proxy_scores import proxy_scores
from menura.storage import write_text
from menura.synths.registry import synth_of


def evaluate(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Judges every run of an embedder that has come to its end."""
    from menura.models.checkpoint import read_proxy
    from menura.training.proxy_run import answers

    for embedder in arguments.embedder:
        _, _, test, inputs = everything(size, out, embedder, arguments)
        sets = {"synthetic": test, "human": human_rows(size, out, embedder, arguments)}
        for folder in sorted((out / "runs").glob(f"*-{plainly(embedder)}-*")):
            if not (folder / "proxy-mrr.safetensors").exists():
                continue
            told_of = {"synth": arguments.synth, "embedder": embedder, "sets": {}}
            for metric in ("mrr", "l1"):
                path = folder / f"proxy-{metric}.safetensors"
                fingerprint = test.facts["embedder"]["fingerprint"]
                proxy, _, card = read_proxy(path, space=inputs.space, embedder=fingerprint)
                told_of |= {"encoder": card["size"]["encoder"], "parameters": card["parameters"]}
                told_of |= {"patches": card["patches"], "seed": card["settings"]["seed"]}
                for name, rows in sets.items():
                    if rows is None:
                        continue
                    scores = asdict(proxy_scores(*answers(proxy, inputs, rows), presets=size.presets))
                    wanted = (metric, f"{metric}_deviation", "presets", "pool", "draws")
                    told_of["sets"].setdefault(name, {}).update({key: scores[key] for key in wanted})
            write_text(folder / "scores.json", json.dumps(told_of, indent=1) + "\n", force=True)
            print(json.dumps(told_of), flush=True)


def speed(_size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Presets a second on one core: the proxies in batches, and render and embed."""
    import torch

    from menura.datasets.listening import Listener
    from menura.datasets.sampling import draw_preset, sampler_of
    from menura.models.checkpoint import read_proxy
    from menura.synths.pool import RenderPool

    torch.set_num_threads(1)
    name, prior = SYNTHS[arguments.synth]
    synth = synth_of(name)
    presets = [draw_preset(sampler_of(prior, synth), synth, SEEDS["unseen"] - 1, index) for index in range(64)]
    for embedder in arguments.embedder:
        with RenderPool(name, 1, mode="fast") as pool:
            measure = Listener((embedder,))
            pool.render_many([(presets[0], C4)], measure=measure)
            began = time.perf_counter()
            pool.render_many([(preset, C4) for preset in presets], measure=measure)
            rendered = len(presets) / (time.perf_counter() - began)
        print(json.dumps({"synth": arguments.synth, "render and embed": rendered}), flush=True)
        for folder in sorted((out / "runs").glob(f"*-{plainly(embedder)}-*-0")):
            if not (folder / "proxy-l1.safetensors").exists():
                continue
            proxy, space, card = read_proxy(folder / "proxy-l1.safetensors")
            seen = torch.from_numpy(space.sample(np.random.default_rng(0), 4_096))
            with torch.inference_mode():
                proxy(seen[:256])
                began = time.perf_counter()
                for start in range(0, len(seen), 512):
                    proxy(seen[start : start + 512])
            rate = len(seen) / (time.perf_counter() - began)
            line = {"synth": arguments.synth, "encoder": card["size"]["encoder"], "patches": card["patches"]}
            line |= {"presets_per_second": round(rate, 1), "times": round(rate / rendered, 1)}
            write_text(folder / "speed.json", json.dumps(line) + "\n", force=True)
            print(json.dumps(line), flush=True)


def table(_size: Size, _out: Path, arguments: argparse.Namespace) -> None:
    """All scores below the folder, as Markdown: means over seeds, with the deviation of the draws or the seeds."""
    found = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(arguments.out.glob("*/runs/*/scores.json"))
    ]
    print("| synth (paper) | embedder | presets | encoder | weights | seeds | set | MRR | L1 | asked among |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    keys = sorted({(each["synth"], each["embedder"], each["patches"], each["encoder"]) for each in found})
    for key in keys:
        runs = [each for each in found if (each["synth"], each["embedder"], each["patches"], each["encoder"]) == key]
        for name in ("synthetic", "human"):
            sets = [each["sets"][name] for each in runs if name in each["sets"]]
            if sets:
                cells = [f"{key[0]} ({PAPER[key[0]]})", key[1], key[2], key[3], runs[0]["parameters"], len(sets), name]
                cells += [
                    spread_of(sets, "mrr", 3),
                    spread_of(sets, "l1", 4),
                    f"{sets[0]['presets']} of {sets[0]['pool']}",
                ]
                print("| " + " | ".join(str(cell) for cell in cells) + " |")


def spread_of(sets: Sequence[dict[str, float]], metric: str, digits: int) -> str:
    """A mean, and the deviation over seeds where there are several, else over draws."""
    values = [each[metric] for each in sets]
    deviation = float(np.std(values)) if len(values) > 1 else sets[0][f"{metric}_deviation"]
    return f"{np.mean(values):.{digits}f} ± {deviation:.{digits}f}"
