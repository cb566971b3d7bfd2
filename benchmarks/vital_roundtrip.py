"""Reads, writes and renders every preset of an archive of `.vital` files; prints one JSON line.

    python benchmarks/vital_roundtrip.py ../shared/data/vital_dev.tar.xz [--every 10] [--limit 100]

For each preset: is the JSON state equal after reading and writing; are the bytes; and how far is the sound
of the round trip from that of the original, both without chance, each on an engine that never played. The
original goes to the engine as it is in the archive, chance taken off in its JSON, so that nothing of
menura's own reading stands on that side. Where the two differ by more than 1e-6, the original is rendered
once more: its difference from itself is the engine's own noise floor.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from menura.errors import MenuraError
from menura.note import Note
from menura.synths.vital.engine import Engine
from menura.synths.vital.player import in_fork
from menura.synths.vital.synth import Vital

NOTE = Note(pitch=60.0, velocity=0.8, hold=0.5, total=1.0)
EQUAL = 1e-6
CHANCE = {"random", "random_1", "random_2", "random_3", "random_4"}


def presets(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the presets, streamed."""
    with tarfile.open(archive, "r|xz") as files:
        for member in files:
            if member.isfile() and member.name.endswith(".vital"):
                content = files.extractfile(member)
                if content is not None:
                    yield member.name, content.read()


def still(document: dict[str, Any]) -> bytes:
    """The original's JSON with chance taken off."""
    settings = document["settings"]
    settings.update({f"osc_{number}_random_phase": 0.0 for number in (1, 2, 3)}, sample_random_phase=0.0)
    for slot, route in enumerate(settings["modulations"], 1):
        if route["source"] in CHANCE or route["destination"].endswith("random_phase"):
            settings[f"modulation_{slot}_bypass"] = 1.0
    return json.dumps(document).encode()


def main() -> int:
    """Runs the round trips; exits 1 if one of them lost something."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take each n-th preset")
    parser.add_argument("--limit", type=int, default=0, help="stop after as many")
    chosen = parser.parse_args()
    vital, engine = Vital(), Engine()
    samples = round(NOTE.total * 44_100)
    began = time.perf_counter()
    count = state_equal = bytes_equal = sound_equal = silent = 0
    failures: list[str] = []
    worst, unequal = 0.0, []
    for number, (name, raw) in enumerate(presets(chosen.archive)):
        if number % chosen.every:
            continue
        if chosen.limit and count >= chosen.limit:
            break
        count += 1
        try:
            preset = vital.read(raw)
            written = vital.write(preset)
            document = json.loads(raw)
            state_equal += json.loads(written) == document
            bytes_equal += written == raw

            def original(engine: Engine, bare: bytes = still(document)) -> np.ndarray:
                engine.load(bare)
                return engine.play(NOTE, 44_100, tune=0.0)

            first, _ = in_fork(engine, original, samples=samples)
            again = vital.render(vital.freeze(vital.read(written)), NOTE).samples
            difference = float(np.abs(first - again).max())
            silent += float(np.abs(first).max()) < 1e-4
            if difference <= EQUAL:
                sound_equal += 1
            else:
                second, _ = in_fork(engine, original, samples=samples)
                own = float(np.abs(first - second).max())
                unequal.append({"preset": name, "difference": difference, "own": own})
                print(f"{name}: differs by {difference:.2g}, from itself by {own:.2g}", file=sys.stderr, flush=True)
            worst = max(worst, difference)
        except MenuraError as error:
            failures.append(f"{name}: {error}")
            print(failures[-1], file=sys.stderr, flush=True)
    result = {
        "presets": count,
        "state_equal": state_equal,
        "bytes_equal": bytes_equal,
        "sound_equal": sound_equal,
        "unequal": unequal,
        "largest_difference": worst,
        "silent": silent,
        "failures": failures,
        "seconds": round(time.perf_counter() - began, 1),
        "engine": vital.version,
    }
    print(json.dumps(result))
    return 1 if failures or state_equal < count else 0


if __name__ == "__main__":
    sys.exit(main())
