r"""Writes the library that menura brings, from the corpora of `recipes/timbre_embedding.py`. Renders nothing.

    python recipes/default_library.py runs/timbre/corpus/*/*

Every patch is drawn from the human prior. Kept are the patches, and what `timbre` and `contour` hear of them at C2 and
C4, as bytes; no sound. `timbre` must have been shipped before. Goes on where it was stopped; the whole must stay below
25 MB.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from menura.datasets.corpus import Corpus
from menura.features.embedders.timbre import timbre_network
from menura.library.card import Card
from menura.library.gathering import gather
from menura.library.library import Library, packaged_folder
from menura.library.listening import Ear
from menura.synths.registry import synth_of

SYNTH, NOTES, EAR = "vital", (36.0, 60.0), Ear("timbre", "contour")
LARGEST = 25_000_000


def main() -> None:
    """Gather, and tell how large it has become."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", help="folders")
    parser.add_argument("--out", type=Path, default=packaged_folder(SYNTH), help="by default into the package")
    arguments = parser.parse_args()
    card = Card.of(synth_of(SYNTH), NOTES, EAR)
    there = (arguments.out / "library.json").exists()
    library = Library.open(arguments.out) if there else Library(arguments.out, card)
    if library.card != card:
        sys.exit(f"{arguments.out} is a library of another make; delete it, or choose another folder")
    network, _, _ = timbre_network()
    corpora = [Corpus(address) for address in sorted(arguments.corpora)]
    count = gather(library, corpora, network, lambda patches: print(f"{patches} patches", file=sys.stderr, flush=True))
    size = sum(path.stat().st_size for path in arguments.out.rglob("*") if path.is_file())
    print(f"{arguments.out}: {count} patches, {size / 1e6:.1f} MB")
    if size > LARGEST:
        sys.exit(f"that is more than {LARGEST / 1e6:.0f} MB; give fewer corpora")


if __name__ == "__main__":
    main()
