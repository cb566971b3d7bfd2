r"""Syntheon answers every sound of a set: a folder of Vital presets that `external:syntheon=FOLDER` puts into a table.

    python recipes/syntheon/answer.py sounds/manifest.csv --out answers/syntheon
    python recipes/syntheon/answer.py bench/run --out answers/syntheon

Runs in an environment of its own (README.md) and imports nothing of menura. Presets that are there are kept, so that an
interrupted run goes on. Prints one line of JSON; exits with 1 where a sound got no answer, with 2 where nothing could
be done at all.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ENVIRONMENT = "make Syntheon's environment as recipes/syntheon/README.md says"
SOUNDS = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")


def main() -> int:
    """Parse, answer, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sounds", type=Path, help="manifest (CSV with a column file), folder of sounds, or of a run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the presets")
    parser.add_argument("--quick", action="store_true", help="only rows of the manifest that are marked quick")
    parser.add_argument("--limit", type=int, help="only the first sounds")
    arguments = parser.parse_args()
    try:
        wanted = listed(arguments.sounds, quick=arguments.quick)[: arguments.limit]
        with contextlib.redirect_stdout(sys.stderr):  # nnAudio tells stdout what it makes
            infer = syntheon()
        arguments.out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    failures: dict[str, str] = {}
    began, made = time.monotonic(), 0
    for key, path in wanted:
        target = arguments.out / f"{safe_name(key)}.vital"
        if target.exists():
            continue
        try:
            with contextlib.redirect_stdout(sys.stderr):
                write_whole(target, infer(path))
            made += 1
        except ImportError as error:
            print(f"error: {error}; {ENVIRONMENT}", file=sys.stderr)
            return 2
        except Exception as error:  # noqa: BLE001 - one sound that Syntheon cannot take shall not end the others
            failures[key] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            print(f"no answer to {key}: {failures[key]}", file=sys.stderr)
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"sounds": len(wanted), "made": made, "failures": failures, "seconds": seconds}))
    return 1 if failures else 0


def safe_name(key: str) -> str:
    """An item's key as a file name, as menura's external arm looks for it."""
    return re.sub(r"[^A-Za-z0-9._#+-]", "_", key)


def listed(sounds: Path, *, quick: bool = False) -> list[tuple[str, Path]]:
    """Key and file of every sound, in a fixed order.

    Args:
        sounds: A CSV with a column `file` (relative to it), the folder of a run (its undisturbed items), or a folder.
        quick: Only rows of the CSV whose column `quick` is 1.

    Raises:
        ValueError: nothing is there to answer.
    """
    if sounds.is_dir() and (sounds / "run.json").is_file():
        items = json.loads((sounds / "run.json").read_text(encoding="utf-8"))["items"]
        # What a run keeps of a disturbed sound or of a pair is what it is judged against, not what is heard.
        plain = [item for item in items if item["condition"] == "clean" and item.get("judged_pitch") is None]
        found = [(str(item["key"]), sounds / item["target"]) for item in plain]
    elif sounds.is_dir():
        paths = sorted(path for path in sounds.rglob("*") if path.suffix.lower() in SOUNDS)
        found = [(path.relative_to(sounds).as_posix(), path) for path in paths]
    else:
        with sounds.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        found = [
            (row["file"], sounds.parent / row["file"]) for row in rows if not quick or row.get("quick") == "1"
        ]  # fmt: skip
    if not found:
        raise ValueError(f"{sounds} names no sound; give a CSV with a column file, or a folder of sounds")
    return found


def syntheon() -> Any:
    """A function from a sound file to a preset's JSON text.

    Raises:
        ImportError: Syntheon or what it needs is not installed, or its weights are missing; it says what to do.
    """
    try:
        import librosa
    except ImportError as error:
        raise ImportError(f"{error}; {ENVIRONMENT}") from error
    load = librosa.load
    # Syntheon was written for librosa 0.9, which took the rate as second argument without its name.
    librosa.load = lambda path, sr=22_050, **how: load(path, sr=sr, **how)
    try:
        from syntheon.converter.vital.vital_converter import VitalConverter
        from syntheon.inferencer.vital import vital_inferencer
    except ImportError as error:
        raise ImportError(f"{error}; {ENVIRONMENT}") from error
    weights = Path(vital_inferencer.__file__).parent / "checkpoints" / "model.pt"
    if not weights.is_file():
        raise ImportError(f"{weights} is missing; install syntheon 0.1.0 from its wheel, which holds the weights")
    inferencer = vital_inferencer.VitalInferencer(device="cpu")

    def infer(path: Path) -> str:
        converter = VitalConverter()
        converter.dict, _ = inferencer.convert(str(path))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "answer.vital"
            converter.parseToPluginFile(str(file))
            return file.read_text(encoding="utf-8")

    return infer


def write_whole(path: Path, text: str) -> None:
    """The file is afterwards whole, or not there."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
