"""How bright, long, held or noisy the patches of a prior are: the table by which words such as "bright" are answered.

    python recipes/typical_qualities.py --count 300

draws patches of Vital as people set them, renders each at four keys, measures what `menura.features.qualities`
measures, and writes the quantiles of each quantity into the package. The same arguments give the same file.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np

from menura.datasets.sampling import draw_preset, sampler_of
from menura.features.qualities import Measure, Sound, graded
from menura.matching.words.typical import GRADED, HOLD, KEYS, SHARES, TABLE, TOTAL
from menura.note import Note
from menura.storage import write_text
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of


def main() -> None:
    """Render, measure, write."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--count", type=int, default=300, help="patches")
    asked.add_argument("--prior", default="human")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--workers", type=int)
    asked.add_argument("--out", type=Path, default=TABLE)
    given = asked.parse_args()
    synth = synth_of("vital")
    sampler = sampler_of(given.prior, synth)
    presets = [draw_preset(sampler, synth, given.seed, index) for index in range(given.count)]
    found: dict[str, dict[str, list[float]]] = {}
    with RenderPool(synth.name, workers=given.workers) as pool:
        for key in KEYS:
            note = Note(pitch=key, hold=HOLD, total=TOTAL)
            answers = pool.render_many([(preset, note) for preset in presets], measure=Measure(note))
            sounds = [answer.measured for answer in answers if isinstance(answer.measured, Sound)]
            heard = [sound for sound in sounds if math.isfinite(sound.level)]
            print(f"key {key:g}: {len(heard)} of {len(presets)} are heard", file=sys.stderr, flush=True)
            found[f"{key:g}"] = {
                quantity: [round(float(value), 4) for value in np.nanquantile(
                    [graded(quantity, getattr(sound, quantity)) for sound in heard], SHARES
                )]
                for quantity in GRADED
            }  # fmt: skip
    told = {"prior": given.prior, "seed": given.seed, "patches": given.count, "synth": synth.version, "shares": SHARES}
    write_text(given.out, json.dumps({**told, "keys": found}, indent=1) + "\n", force=True)


if __name__ == "__main__":
    main()
