r"""Does another note of a patch find it among thousands, and a note of an instrument the others? Prints one JSON line.

    python benchmarks/timbre_retrieval.py --corpus runs/timbre/corpus/unseen/* \
        --manifest ../shared/data/real/manifest.csv

The corpora are those that `recipes/timbre_embedding.py corpus` keeps unseen: each patch at C2, at C4 and at a third
note of other velocity and length. A library holds all patches; each patch asks once, and the one right answer is
itself. Three ways of asking: C2 asks the patches at C4; the third note asks the patches at C4; the third note asks them
at whichever of C2 and C4 is nearer, as a library does. mel128 and mfcc40 answer to the same questions, in the better of
two distances. Of recordings, the nearest other one should be of the same source, and of the same instrument: the same
source, category and name but for the key.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from menura.datasets.corpus import Corpus
from menura.datasets.pairs import articulation
from menura.evaluation.bench import recordings
from menura.evaluation.retrieval import ranks, shares, sources_found
from menura.features.embedders import Embedder, embedder_of
from menura.features.embedders.timbre import timbre_network
from menura.features.semitones import BANDS, FRAMES
from menura.library.listening import prepared
from menura.training.pictures import EMBEDDER

BASELINES = ("mel128", "mfcc40", "contour")
METRICS = ("euclidean", "cosine")
Vectors = NDArray[np.float32]


def column(corpora: Sequence[str], name: str, make: Callable[[Vectors], Vectors] = lambda rows: rows) -> Vectors:
    """An embedding of all corpora, shape (patches, plays, dim)."""
    found: list[Vectors] = []
    for address in corpora:
        corpus = Corpus(address)
        for shard in corpus.shards():
            rows = make(shard.matrix(f"embedding {name}").astype(np.float32))
            found.append(rows.reshape(-1, len(corpus.plan.notes), rows.shape[1]))
    return np.concatenate(found)


def third_pitches(corpora: Sequence[str]) -> NDArray[np.float64]:
    """The pitch of each patch's third note, shape (patches,)."""
    plans = [Corpus(address).plan for address in corpora]
    return np.concatenate([np.full(plan.count, plan.notes[2].pitch) for plan in plans])


def asked(vectors: Vectors, pitches: NDArray[np.float64], library: tuple[float, float]) -> dict[str, object]:
    """Shares by way of asking, in the better metric of each."""
    low, high, third = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    nearer_low = np.abs(pitches - library[0]) < np.abs(pitches - library[1])
    told: dict[str, object] = {}
    for name in ("low_to_high", "third_to_high", "third_to_nearer"):
        best: dict[str, object] = {}
        for metric in METRICS:
            if name == "third_to_nearer":
                below, above = ranks(third, low, metric), ranks(third, high, metric)
                found = np.where(nearer_low, below, above)
            else:
                found = ranks(low if name == "low_to_high" else third, high, metric)
            scores = {**shares(found), "metric": metric}
            if not best or scores["top_1"] > best["top_1"]:  # pyright: ignore[reportOperatorIssue] both are numbers
                best = scores
        told[name] = best
    return told


def recorded(manifest: Path, embedders: Sequence[Embedder], limit: int | None) -> dict[str, object]:
    """Whether recordings find those of their source and instrument, in the better metric of each embedder."""
    from menura.audio import read_audio

    rows = list(recordings(manifest))[:limit]
    sounds = [prepared(read_audio(row.sound)) for row in rows]
    instruments = [f"{row.source} {row.category} {articulation(row)}" for row in rows]
    told: dict[str, object] = {"sounds": len(rows)}
    for embedder in embedders:
        vectors = embedder.embed(sounds)
        told[embedder.name] = {
            what: max(
                ({**sources_found(vectors, labels, metric), "metric": metric} for metric in METRICS),
                key=lambda each: each["mean_average_precision"],
            )
            for what, labels in (("sources", [row.source for row in rows]), ("instruments", instruments))
        }
    return told


def main() -> None:
    """Embed, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", nargs="+", default=[], help="folders of unseen patches")
    parser.add_argument("--weights", type=Path, help="folder with other weights of timbre, and their card")
    parser.add_argument("--manifest", type=Path, help="of recordings")
    parser.add_argument("--patches", type=int, default=10_000, help="how many are asked among, at the most")
    parser.add_argument("--limit", type=int, help="only the first recordings")
    arguments = parser.parse_args()
    if not arguments.corpus and not arguments.manifest:
        sys.exit("nothing to judge on; give --corpus, --manifest or both")
    timbre = embedder_of(f"timbre={arguments.weights}" if arguments.weights else "timbre")
    answer: dict[str, object] = {"benchmark": "timbre_retrieval", "timbre": timbre.fingerprint[:16]}
    if arguments.corpus:
        network, _, _ = timbre_network(arguments.weights)
        corpora, count = sorted(arguments.corpus), arguments.patches
        notes = Corpus(corpora[0]).plan.notes
        pitches = third_pitches(corpora)[:count]
        pictures = column(corpora, EMBEDDER, lambda rows: network(rows.reshape(-1, FRAMES, BANDS)))[:count]
        answer |= {"patches": len(pictures), "unseen": {}}
        for name in ("timbre", *BASELINES):
            vectors = pictures if name == "timbre" else column(corpora, name)[:count]
            scores = asked(vectors, pitches, (notes[0].pitch, notes[1].pitch))
            answer["unseen"] |= {name: scores}  # pyright: ignore[reportOperatorIssue] a dict of scores
            print(f"{name:8}{scores}", file=sys.stderr, flush=True)
    if arguments.manifest:
        heard = [timbre, *(embedder_of(name) for name in BASELINES)]
        answer["recordings"] = recorded(arguments.manifest, heard, arguments.limit)
    answer["cpu_seconds"] = round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), 1)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
