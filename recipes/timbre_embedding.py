r"""Trains `timbre`, the embedder that menura ships, from nothing.

    python recipes/timbre_embedding.py corpus --size small --out runs/timbre
    python recipes/timbre_embedding.py train  --size small --out runs/timbre --bfloat16
    python recipes/timbre_embedding.py export --size small --out runs/timbre
    python recipes/timbre_embedding.py judge  --size small --out runs/timbre
    python recipes/timbre_embedding.py ship   --size small --out runs/timbre

`all` does the first four. Each stage goes on where it was stopped. Needs `pip install 'menura[train]'`.

corpus: patches of the human prior, each played at C2, C4 and a third note whose pitch, velocity and length change from
part to part; pictures in semitones are kept, no sound. The parts named `unseen` have seeds of their own and are never
trained on.
train: contrastive, on pairs of notes. export: the vector (`menura.models.timbre_vector`) as ONNX, and its card. judge:
`benchmarks/timbre_retrieval.py` on the unseen patches, and what it says goes into the card. ship: both files into the
package.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from menura.datasets.rendering import render_corpus
from menura.features.embedders.timbre import CARD, WEIGHTS, PictureNetwork
from menura.features.semitones import BANDS, FRAMES
from menura.storage import hash_file, write_text
from menura.training.heard_notes import LIBRARY_PITCHES, PRIOR, TOTAL, part_plan
from menura.training.pictures import EMBEDDER, Pictures, read_pictures
from menura.version import __version__

SEEDS = {"train": 1_000, "unseen": 2_000_000}
"""Of the first part; the others count on."""
KEPT = {"train": (EMBEDDER, "contour"), "unseen": (EMBEDDER, "contour", "mel128", "mfcc40")}
FITTED = 2_048
"""Patches, at a library's notes, on which the axes and the spread of the facts are found."""
PARITY = 1e-4
"""Largest difference of a number of a vector between torch and ONNX Runtime."""
LICENCE = "GPL-3.0-or-later"
REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Size:
    """What the one dial turns."""

    part: int
    """Patches in a part."""
    parts: dict[str, int]
    """Of each kind."""
    steps: int
    patches: int
    """In a batch."""
    width: int
    held: int
    every: int


SIZES = {
    "tiny": Size(32, {"train": 2, "unseen": 1}, 40, 24, 8, 16, 20),
    "small": Size(512, {"train": 20, "unseen": 20}, 1_800, 512, 24, 1_024, 250),
    "full": Size(512, {"train": 400, "unseen": 20}, 30_000, 1_024, 32, 1_024, 500),
}


def part_folder(out: Path, kind: str, number: int) -> Path:
    """Where a part lies."""
    return out / "corpus" / kind / f"{number:04d}"


def corpus(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Renders the parts that are missing, of both kinds by turns: stopped at any point, there is something of each."""
    for number in range(max(size.parts.values())):
        for kind in (kind for kind, parts in size.parts.items() if number < parts):
            began = time.perf_counter()
            manifest = render_corpus(
                part_plan(size.part, arguments.synth, SEEDS[kind] + number, KEPT[kind]),
                str(part_folder(out, kind, number)),
                workers=arguments.workers,
            )
            told(f"{kind} {number + 1} of {size.parts[kind]}: {manifest['rows']} sounds", began)


def pictures_of(size: Size, out: Path, kind: str) -> Pictures:
    """All pictures of one kind of parts."""
    return read_pictures([str(part_folder(out, kind, number)) for number in range(size.parts[kind])])


def train(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Trains until the last step, or goes on."""
    import torch

    from menura.training.timbre_run import Progress, train

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    settings, began = settings_of(size, arguments), time.perf_counter()

    def show(now: Progress) -> None:
        told(f"step {now.step}: loss {now.loss:.3f}, scale {now.scale:.1f}, held-out top-1 {now.found:.3f}", began)
        with (out / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(now)) + "\n")

    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "settings.toml", as_toml(asdict(settings)), force=True)
    train(pictures_of(size, out, "train"), settings, out, show)


def export(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Fits the vector around the mean network, writes it as ONNX, compares the two, writes the card."""
    import torch

    from menura.models.timbre_network import export_timbre
    from menura.models.timbre_vector import LEARNT, SHARE, TimbreVector
    from menura.training.timbre_run import train

    settings, pictures = settings_of(size, arguments), pictures_of(size, out, "train")
    rows = np.arange(len(pictures))
    network = TimbreVector(train(pictures, settings, out)).fit(
        np.concatenate([pictures.decibels(rows[:FITTED], play) for play in range(len(LIBRARY_PITCHES))])
    )
    export_timbre(network, out / WEIGHTS)
    seen = pictures.decibels(rows[:256], 1)
    mine = PictureNetwork.load(out / WEIGHTS)(seen)
    with torch.inference_mode():
        difference = float(np.abs(mine - network.eval()(torch.from_numpy(seen)).numpy()).max())
    if difference > PARITY:
        sys.exit(f"torch and ONNX Runtime differ by {difference:.2g}, more than {PARITY}; look into the export")
    card = {
        "name": "timbre",
        "sha256": hash_file(out / WEIGHTS),
        "licence": LICENCE,
        "what": "Unit vectors in which notes of one synthesizer patch lie together and those of other patches apart.",
        "input": f"dB, (batch, frames, {BANDS}), {FRAMES} frames or more, of menura.features.semitones",
        "dim": mine.shape[1],
        "learnt": min(LEARNT, settings.dim),
        "share_of_facts": SHARE,
        "parameters": sum(each.numel() for each in network.parameters()),
        "bytes": (out / WEIGHTS).stat().st_size,
        "parity": difference,
        "data": data_of(size, out),
        "training": asdict(settings),
        "recipe": f"recipes/timbre_embedding.py all {options(arguments)}",
        "made_with": {"menura": __version__, "python": platform.python_version(), "torch": version_of("torch")},
        "limits": [
            "Trained on renders of one synthesizer (Vital), patches of a statistical prior, 1.5 s each; recordings, "
            "drums and long developments were never heard in training.",
            "Trained to ignore pitch, velocity and length: what differs in them alone is near by design; facts of the "
            "picture, at a quarter of the length, put such sounds in order.",
            "Silence before a sound is heard: trim recordings first. Facts end after three seconds.",
            "Listens to the mean of the channels: width is not heard. Gain is not heard.",
            "Longer training in other numbers of threads or on other processors gives other weights.",
        ],
    }
    write_text(out / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n", force=True)
    told(f"{out / WEIGHTS}: {card['parameters']:,} weights, {card['bytes'] / 1e6:.2f} MB, parity {difference:.1e}")


def judge(size: Size, out: Path, arguments: argparse.Namespace) -> None:
    """Runs the retrieval benchmark on the unseen parts, and enters its numbers in the card."""
    command = [sys.executable, str(REPOSITORY / "benchmarks" / "timbre_retrieval.py"), "--weights", str(out)]
    command += ["--corpus", *(str(part_folder(out, "unseen", number)) for number in range(size.parts["unseen"]))]
    command += ["--manifest", str(arguments.manifest)] if arguments.manifest else []
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    write_text(out / "judgement.json", json.dumps(answer, indent=1) + "\n", force=True)
    card = json.loads((out / CARD).read_text(encoding="utf-8"))
    write_text(out / CARD, json.dumps({**card, "judgement": answer}, indent=1, ensure_ascii=False) + "\n", force=True)
    print(json.dumps(answer))


def ship(_size: Size, out: Path, _arguments: argparse.Namespace) -> None:
    """Copies the weights and their card into the package."""
    from menura.features import embedders

    place = Path(embedders.__file__).parent
    for name in (WEIGHTS, CARD):
        shutil.copyfile(out / name, place / name)
        told(f"{place / name}")


def data_of(size: Size, out: Path) -> dict[str, Any]:
    """What the corpora are, for the card."""
    plan = part_plan(size.part, "vital", SEEDS["train"])
    return {
        "prior": PRIOR,
        "synth": plan.synth,
        "patches": {kind: size.part * parts for kind, parts in size.parts.items()},
        "seeds": {kind: [SEEDS[kind], SEEDS[kind] + parts - 1] for kind, parts in size.parts.items()},
        "notes": [*(f"{pitch:g}" for pitch in LIBRARY_PITCHES), "one of its own a part, 33 to 84"],
        "seconds": TOTAL,
        "fingerprints": dict(plan.fingerprints),
        "pictures": pictures_of(size, out, "train").fingerprint,
    }


def settings_of(size: Size, arguments: argparse.Namespace) -> Any:
    """The settings of training."""
    from menura.training.timbre_run import TimbreSettings

    return TimbreSettings(
        steps=arguments.steps or size.steps,
        patches=size.patches,
        width=size.width,
        held=size.held,
        every=size.every,
        bfloat16=arguments.bfloat16,
    )


def options(arguments: argparse.Namespace) -> str:
    """Those that decide the weights, as they are given."""
    chosen = [f"--size {arguments.size}", "--bfloat16" * arguments.bfloat16]
    chosen += [f"--train-parts {arguments.train_parts}"] if arguments.train_parts else []
    chosen += [f"--steps {arguments.steps}"] if arguments.steps else []
    return " ".join(filter(None, chosen))


def as_toml(settings: dict[str, Any], name: str = "") -> str:
    """Numbers, truths and texts as TOML; a table for each mapping."""
    plain = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    lines = [f"[{name}]"] if name else []
    lines += [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    tables = [as_toml(value, key) for key, value in settings.items() if isinstance(value, dict)]
    return "\n".join([*lines, "", *tables])


def version_of(package: str) -> str:
    """Of an installed package."""
    from importlib.metadata import version

    return version(package)


def told(line: str, began: float | None = None) -> None:
    """A line for whoever waits."""
    took = "" if began is None else f" ({time.perf_counter() - began:.0f} s)"
    print(line + took, file=sys.stderr, flush=True)


STAGES = {"corpus": corpus, "train": train, "export": export, "judge": judge, "ship": ship}


def main() -> None:
    """The stage that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*STAGES, "all"])
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--synth", default="vital", help="of the corpus; estimators of other synths need one as well")
    parser.add_argument("--out", type=Path, required=True, help="folder of this size's corpus and network")
    parser.add_argument("--workers", type=int, help="processes that render; one a core by default")
    parser.add_argument("--threads", type=int, help="of torch; one a core by default")
    parser.add_argument("--train-parts", type=int, help="parts that are trained on, instead of the size's")
    parser.add_argument("--unseen-parts", type=int, help="parts that are judged on, instead of the size's")
    parser.add_argument("--steps", type=int, help="of training, instead of the size's")
    parser.add_argument("--bfloat16", action="store_true", help="where the processor has it: nearly twice as fast")
    parser.add_argument("--manifest", type=Path, help="of real recordings, on which it is judged as well")
    arguments = parser.parse_args()
    size = SIZES[arguments.size]
    asked = {"train": arguments.train_parts, "unseen": arguments.unseen_parts}
    size = replace(size, parts={kind: asked[kind] or parts for kind, parts in size.parts.items()})
    for name in [*STAGES][:4] if arguments.stage == "all" else [arguments.stage]:
        STAGES[name](size, arguments.out, arguments)


if __name__ == "__main__":
    main()
