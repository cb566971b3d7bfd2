r"""How near each prior lies to presets that people made and that took no part in its fit; prints one JSON line.

    python benchmarks/prior_distance.py ../shared/data/vital_dev.tar.xz [--count 150] [--picture priors.png]

Distances are 1-D Wasserstein distances, the mean over controls (coordinates, 0 to 1) and over the first components of a
PCA of the sound (means and deviations of 64 log-mel bands, in standard deviations of the held-out sounds). Human
presets are those that `recipes/human_prior.py` holds out: of an author whom the fit has not seen, and other patches of
the authors that it has. `human_fitted` is a sample of the presets that were fitted: what a perfect prior would reach.
The picture is a UMAP of the sounds (extra `umap-learn`), a PCA where that is not installed.

Source: the neural-proxy paper, section 6 and figure 3.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.datasets.archive import Archive
from menura.datasets.duplicates import Seen, knob_space, parameter_picture, repeats, sound_picture, twin_key
from menura.datasets.exclusions import drawn_space
from menura.datasets.sampling import draw_preset, sampler_of
from menura.datasets.selection import balanced
from menura.datasets.truths import SILENT_PEAK
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))
from human_prior import HELD_OUT_AUTHORS, SAME_AUTHOR, part

NOTE = Note(pitch=60.0, velocity=0.8, hold=1.0, total=2.0)
COMPONENTS = 8
HUMAN = ("human_other_author", "human_same_authors")
REFERENCE = "human_fitted"
SEED = 0

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The presets of one source, and what was heard of them."""

    presets: list[Preset]
    sounds: list[Audio]
    """Of those that are audible."""
    clipping: int
    """Audible ones whose peak passes full scale."""


def human_presets(bank: Archive, count: int) -> dict[str, list[Preset]]:
    """Frozen presets by people, without near-duplicates, at most `count` of each kind."""
    vital = synth_of("vital")
    space = knob_space(vital.space)
    kinds: dict[str, list[str]] = {name: [] for name in (*HUMAN, REFERENCE)}
    for name in bank.names:
        folder = PurePosixPath(name).parts[0]
        author = SAME_AUTHOR.get(folder, folder)
        kind = REFERENCE if part(name) == "fit" else HUMAN[author not in HELD_OUT_AUTHORS]
        kinds[kind].append(name)
    chosen: dict[str, list[Preset]] = {}
    for kind, names in kinds.items():
        order = balanced(names, source=lambda name: PurePosixPath(name).parts[0], name=str, seed=SEED)
        if kind == REFERENCE:
            # As the bank is, and not author by author, since that is how the held-out ones are.
            order = sorted(names)
            np.random.default_rng(SEED).shuffle(order)
        contents = bank.read(order[: 2 * count])
        seen, found = Seen(), chosen.setdefault(kind, [])
        for name in order[: 2 * count]:
            preset = vital.freeze(vital.read(contents[name]))
            picture = parameter_picture(preset, space)
            if len(found) < count and seen.preset_twin(picture) is None:
                seen.take_preset(name, picture)
                found.append(preset)
    return chosen


def heard(presets: list[Preset], workers: int | None) -> Group:
    """Renders; failed and silent ones have no sound."""
    with RenderPool("vital", workers) as pool:
        rendered = pool.render_many((preset, NOTE) for preset in presets)
    sounds = [one.audio for one in rendered if one.audio is not None and one.audio.peak >= SILENT_PEAK]
    return Group(presets, sounds, sum(sound.peak > 1.0 for sound in sounds))


def features(sounds: list[Audio]) -> Matrix:
    """Means and deviations of the log-mel bands, dB below each sound's loudest, shape (n, 128)."""
    pictures = [sound_picture(sound).astype(np.float64) for sound in sounds]
    return np.stack([np.concatenate([picture.mean(axis=0), picture.std(axis=0)]) for picture in pictures])


def components(rows: dict[str, Matrix]) -> dict[str, Matrix]:
    """The first principal components, fitted on the held-out sounds, in their standard deviations."""
    people = np.concatenate([rows[name] for name in HUMAN])
    centre, spread = people.mean(axis=0), people.std(axis=0) + 1e-9
    _, _, axes = np.linalg.svd((people - centre) / spread, full_matrices=False)
    projected = {name: ((found - centre) / spread) @ axes[:COMPONENTS].T for name, found in rows.items()}
    scale = np.concatenate([projected[name] for name in HUMAN]).std(axis=0)
    return {name: found / scale for name, found in projected.items()}


def wasserstein(first: Matrix, second: Matrix) -> float:
    """Mean over the columns of the 1-D distance."""
    from scipy.stats import wasserstein_distance

    pairs = zip(first.T, second.T, strict=True)
    return float(np.mean([wasserstein_distance(one, other) for one, other in pairs]))


def plane(rows: dict[str, Matrix]) -> tuple[str, dict[str, Matrix]]:
    """The rows in two dimensions, and how."""
    names, stacked = list(rows), np.concatenate(list(rows.values()))
    try:
        from umap import UMAP  # pyright: ignore[reportMissingImports]
    except ImportError:
        return "PCA", {name: found[:, :2] for name, found in rows.items()}
    flat = UMAP(random_state=SEED, n_jobs=1).fit_transform(stacked)
    ends = np.cumsum([len(rows[name]) for name in names])[:-1]
    return "UMAP", dict(zip(names, np.split(flat, ends), strict=True))


def draw_picture(rows: dict[str, Matrix], path: Path) -> str:
    """Held-out human sounds in grey under each prior's; answers with the kind of projection."""
    from matplotlib.figure import Figure

    how, flat = plane(rows)
    shown = [name for name in flat if name not in HUMAN]
    figure = Figure(figsize=(3 * len(shown), 3.2), layout="tight")
    all_axes = figure.subplots(1, len(shown), sharex=True, sharey=True)
    people = np.concatenate([flat[name] for name in HUMAN])
    for axes, name in zip(np.atleast_1d(all_axes), shown, strict=True):
        axes.scatter(*people.T, s=6, c="0.7", label="held-out people")
        axes.scatter(*flat[name].T, s=6, c="tab:red", label=name)
        axes.set(title=name, xticks=[], yticks=[])
    figure.suptitle(f"{how} of sounds; grey: held-out presets by people")
    figure.savefig(path, dpi=120)
    return how


def main() -> None:
    """Parse, draw, render, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bank", type=Path, help="the tar or folder that the prior was fitted on")
    parser.add_argument("--count", type=int, default=150, help="presets of each kind that are rendered")
    parser.add_argument("--drawn", type=int, default=1000, help="presets of each prior whose controls are compared")
    parser.add_argument("--priors", nargs="+", default=["human", "family", "sparse", "uniform"])
    parser.add_argument("--workers", type=int)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    vital = synth_of("vital")
    space = drawn_space(vital.space)
    controls = space.lock(*(parameter.name for parameter in space.parameters if parameter.slot))
    people = human_presets(Archive(arguments.bank, vital.suffix), arguments.count)
    drawn = {
        name: [draw_preset(sampler_of(name, vital), vital, SEED, index) for index in range(arguments.drawn)]
        for name in arguments.priors
    }
    groups = {name: heard(found[: arguments.count], arguments.workers) for name, found in (people | drawn).items()}
    rows = components({name: features(group.sounds) for name, group in groups.items()})
    knobs = {name: controls.encode_all(found).astype(np.float64) for name, found in (people | drawn).items()}
    table: dict[str, dict[str, Any]] = {}
    for name, group in groups.items():
        size = len(group.presets)
        found: dict[str, Any] = {"audible": len(group.sounds) / size, "clipping": group.clipping / size}
        found["audible_unclipped"] = (len(group.sounds) - group.clipping) / size
        found["routes"] = float(np.mean([sum(r.connected for r in preset.routes) for preset in group.presets]))
        for other in HUMAN:
            found[f"controls_to_{other}"] = wasserstein(knobs[name], knobs[other])
            found[f"sound_to_{other}"] = wasserstein(rows[name], rows[other])
        table[name] = {key: round(value, 4) for key, value in found.items()}
    how = draw_picture(rows, arguments.picture) if arguments.picture else None
    twins = {
        name: len(repeats(twin_key(parameter_picture(preset, knob_space(vital.space))) for preset in found))
        for name, found in drawn.items()
    }
    about = {"benchmark": "prior_distance", "count": arguments.count, "drawn": arguments.drawn, "picture": how}
    print(json.dumps({**about, "twins": twins, **table}))


if __name__ == "__main__":
    main()
