"""The FSD50K dataset as Zenodo ships it: clips in two folders, ground truth in two CSV files.

Source: Fonseca et al., "FSD50K: an Open Dataset of Human-Labeled Sound Events", IEEE/ACM TASLP 30, 2022; layout of
record 4060432: ``FSD50K.ground_truth/{dev,eval}.csv`` (fname, labels, mids, and split in dev), ``FSD50K.dev_audio``,
``FSD50K.eval_audio``, ``FSD50K.metadata/{dev,eval}_clips_info_FSD50K.json``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from menura.datasets.item import Item
from menura.datasets.selection import Entry, Field
from menura.errors import ManifestError

_TRUTH = "FSD50K.ground_truth"


def is_fsd50k(folder: Path) -> bool:
    """True where the folder has the dataset's layout."""
    return any((folder / _TRUTH / f"{part}.csv").is_file() for part in ("dev", "eval"))


def fsd50k_entries(folder: Path) -> list[Entry]:
    """Every clip of the parts that are there, dev first, in the order of the ground truth.

    No pitch is known. The first label is the category, all of them are tags, the uploader is the source. Filters:
    ``part`` (dev, eval), ``split`` (train, val, test), ``labels`` (one of them), ``uploader``, ``licence``.

    Args:
        folder: the one that holds ``FSD50K.ground_truth``.

    Raises:
        ManifestError: there is no ground truth, or it cannot be read.
    """
    entries: list[Entry] = []
    for part in ("dev", "eval"):
        path = folder / _TRUTH / f"{part}.csv"
        if path.is_file():
            clips = _clips(folder / "FSD50K.metadata" / f"{part}_clips_info_FSD50K.json")
            entries += [_entry(folder, part, row, clips) for row in _rows(path)]
    if not entries:
        raise ManifestError(f"{folder} has no clips in {_TRUTH}/dev.csv or eval.csv; give the folder that holds them")
    return entries


def _rows(path: Path) -> list[Mapping[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if not {"fname", "labels"} <= set(reader.fieldnames or ()):
                raise ManifestError(f"{path} has no columns fname and labels; download FSD50K.ground_truth again")
            return [{str(key): str(value or "") for key, value in row.items() if key is not None} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path} cannot be read ({error}); download FSD50K.ground_truth again") from error


def _clips(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """What the metadata says of each clip; nothing where it is absent, for the sounds are useful without."""
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(f"{path} cannot be read ({error}); download FSD50K.metadata again, or remove it") from error
    if not isinstance(found, dict):
        raise ManifestError(f"{path} does not map clips to what is known of them; download FSD50K.metadata again")
    return {str(name): clip for name, clip in cast(dict[Any, Any], found).items() if isinstance(clip, dict)}


def _entry(folder: Path, part: str, row: Mapping[str, str], clips: Mapping[str, Mapping[str, Any]]) -> Entry:
    name = row["fname"].strip()
    clip = clips.get(name, {})
    labels = tuple(label.strip() for label in row["labels"].split(",") if label.strip())
    licence, uploader = str(clip.get("license", "")), str(clip.get("uploader", ""))
    item = Item(
        id=f"{part}/{name}",
        sound=folder / f"FSD50K.{part}_audio" / f"{name}.wav",
        category=labels[0] if labels else "",
        source=uploader or name,
        licence=licence,
        tags=labels,
        error="" if name and Path(name).name == name else f"{part}.csv names a clip {name!r}, which is no file name",
    )
    fields: dict[str, Field] = {
        "part": part,
        "split": row.get("split", "") or ("test" if part == "eval" else ""),
        "labels": labels,
        "uploader": uploader,
        "licence": licence,
        "fname": name,
    }
    return Entry(item, fields)
