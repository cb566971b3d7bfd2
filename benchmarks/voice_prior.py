r"""How near drawn DX7 voices come to voices that people made and that the prior has not seen; prints one JSON line.

    python benchmarks/voice_prior.py ../shared/data/dx7_voices.npy [--count 2000]

For each of 200 held-out voices, played at C4, the nearest of as many voices by other people (which took part in the
fit), of draws from the human prior, and of uniform draws: the mean distance of `contour`, dB, and its median.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.datasets.sampling import draw_preset, sampler_of
from menura.datasets.voices import Voices
from menura.features.contour import contour, contour_distance
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))
from dx7_prior import held_out_message

NOTE = Note(pitch=60.0, velocity=0.8, hold=1.0, total=1.5)
ASKED = 200
SEED = 0


def contours_of(presets: list[Preset]) -> NDArray[np.float32]:
    """Of those that are heard, shape (n, cells)."""
    with RenderPool("dx7") as pool:
        sounds = [rendered.audio for rendered in pool.render_many([(preset, NOTE) for preset in presets])]
    return np.array([_contour(sound) for sound in sounds if sound is not None and sound.peak > 1e-4])


def _contour(sound: Audio) -> NDArray[np.float32]:
    return contour(sound.to_mono().mono, sound.sample_rate).ravel()


def main() -> None:
    """Draw, play, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("voices", type=Path, help="packed voices, an array of shape (n, 128)")
    parser.add_argument("--count", type=int, default=2_000, help="voices that are searched")
    arguments = parser.parse_args()
    synth, bank = synth_of("dx7"), Voices(arguments.voices)
    order = np.random.default_rng(SEED).permutation(len(bank.names))
    # A tenth is held out: so many hold enough of both.
    chosen = order[: max(15 * ASKED, 3 * arguments.count // 2)]
    messages = list(bank.read([bank.names[place] for place in chosen]).values())
    asked = [m for m in messages if held_out_message(m)][:ASKED]
    fitted = [m for m in messages if not held_out_message(m)][: arguments.count]
    targets = contours_of([synth.freeze(synth.read(message)) for message in asked])
    searched = {
        "people": [synth.freeze(synth.read(message)) for message in fitted],
        **{
            name: [draw_preset(sampler_of(name, synth), synth, SEED, index) for index in range(len(fitted))]
            for name in ("human", "uniform")
        },
    }
    told: dict[str, Any] = {"asked": len(targets), "searched": len(fitted)}
    for name, presets in searched.items():
        contours = contours_of(presets)
        nearest = np.array([contour_distance(contours, target).min() for target in targets])
        told[name] = {"mean": round(float(nearest.mean()), 2), "median": round(float(np.median(nearest)), 2)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
