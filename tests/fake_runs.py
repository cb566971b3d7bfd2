"""Made-up runs of the benchmark for tests: settings and rows as a runner writes them, with sounds that can be heard.

The numbers are drawn from a seeded generator and mean nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from menura.audio import Audio, write_audio

RATE = 44_100
METRICS = (
    ("mss", "MSS", "dB", "lower", 2),
    ("wmfcc", "wMFCC", "", "lower", 2),
    ("sot", "SOT", "", "lower", 3),
    ("rms", "RMS", "", "higher", 3),
    ("f0_cents", "F0", "cents", "lower", 1),
    ("loudness", "Loudness", "LU", "zero", 1),
)
ARMS = (
    ("random-best", "knobs", ("mss",), 12.0),
    ("cmaes", "knobs", ("mss",), 8.0),
    ("resynthesis", "any", (), 5.0),
    ("full", "any", ("mss",), 3.0),
    ("noise-floor", "reference", (), 1.0),
)
CATEGORIES = ("bowed", "brass", "keys")
FAILING = "cmaes"


def fake_run(items: int = 12, *, conditions: tuple[str, ...] = ("noise20",), pairs: bool = False) -> dict[str, Any]:
    """The content of a run.json: `items` sounds of six sources, undisturbed and under each condition."""
    listed = [
        {
            "key": f"src{n % 6}/sound {n}.flac" + (f"@{condition}" if condition != "clean" else ""),
            "id": f"src{n % 6}/sound {n}.flac",
            "condition": condition,
            "category": CATEGORIES[n % 3],
            "source": f"source {n % 6}",
            "licence": "CC0",
            "pitch": 60.0,
            "judged_pitch": 67.0 if pairs else None,
            "target": f"targets/{n}.wav",
        }
        for condition in ("clean", *conditions)
        for n in range(items)
    ]
    return {
        "set": "made-up",
        "origin": {"manifest": "made-up.csv", "sha256": "0" * 64},
        "arms": [
            {"name": name, "what": f"what {name} does", "track": track, "optimised": list(optimised)}
            for name, track, optimised, _ in ARMS
        ],
        "metrics": [dict(zip(("name", "title", "unit", "better", "places"), m, strict=True)) for m in METRICS],
        "items": listed,
        "seed": 7,
        "renders": 100,
        "seconds": 600.0,
        "workers": 2,
        "top": 5,
        "playing": True,
        "synth": "vital",
        "versions": {"menura": "0.0.0", "vital": "1.5.5", "python": "3.11", "numpy": "2"},
        "commit": "abc1234+",
        "command": "menura bench run --set made-up",
    }


def fake_rows(run: dict[str, Any], seed: int = 0) -> list[dict[str, Any]]:
    """One row for each arm and item; `FAILING` fails on every fifth, the floor has nothing to say on every fourth."""
    rng = np.random.default_rng(seed)
    level = {name: mean for name, _, _, mean in ARMS}
    rows: list[dict[str, Any]] = []
    for number, item in enumerate(run["items"]):
        for arm in (described["name"] for described in run["arms"]):
            row = {"arm": arm, "item": item["key"], "seconds": round(float(rng.uniform(2, 20)), 2)}
            row |= {name: item[name] for name in ("id", "condition", "category", "source")}
            if arm == FAILING and number % 5 == 4:
                rows.append({**row, "error": "the engine died on <this> | row"})
            elif arm == "noise-floor" and number % 4 == 3:
                rows.append({**row, "skipped": "the preset behind this sound is not known"})
            else:
                mss = level.get(arm, 6.0) + float(rng.normal(0, 0.8)) + (2.0 if item["condition"] != "clean" else 0.0)
                rows.append(row | _answer(arm, number, round(abs(mss), 4), rng))
    return rows


def write_fake_run(folder: Path, run: dict[str, Any], rows: list[dict[str, Any]], *, sounds: bool = True) -> Path:
    """The run as a folder, with targets and answers that can be heard."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    if sounds:
        for item in run["items"]:
            if not (path := folder / item["target"]).exists():
                write_audio(path, _tone(220.0, 0.3))
        for row in rows:
            if "files" in row:
                write_audio(folder / row["files"]["sound"], _tone(220.0 + row["metrics"]["mss"], 0.05))
                (folder / row["files"]["preset"]).write_text("{}", encoding="utf-8")
    return folder


def _answer(arm: str, number: int, mss: float, rng: np.random.Generator) -> dict[str, Any]:
    sustaining = number % 2 == 0
    return {
        "metrics": {
            "mss": mss,
            "wmfcc": round(1.5 * mss + float(rng.normal(0, 0.3)), 4),
            "sot": round(mss / 100, 5),
            "rms": round(1.0 - mss / 50, 5),
            "f0_cents": round(float(rng.uniform(0, 30)), 3) if number % 3 else None,
            "loudness": round(float(rng.normal(0, 2)), 3),
        },
        "answers": 5,
        "renders": 100,
        "engine_seconds": 1.5,
        "stopped_by": "renders",
        "verdict": "near" if mss < 6 else "far",
        "lineage": ["start <b>", "refine"],
        "note": {"pitch": 60.0, "velocity": 0.8, "hold": 0.5, "total": 0.6},
        "curve": [[1, 0.2, mss + 9], [10, 1.0, mss + 4], [90, 2.0, mss]],
        "best_of": {"1": mss, "3": round(0.95 * mss, 4), "5": round(0.9 * mss, 4)},
        "diversity": 2.5,
        "loads": True,
        "silent": False,
        "preset_bytes": 170_000,
        "parameters": {"continuous_l1": 0.2, "toggle_accuracy": 0.8, "route_f1": None},
        "play": {
            "held_db": -3.0 if sustaining else None,
            "released_db": -70.0 if sustaining else None,
            "click_db": 2.0 if sustaining else None,
            "softer_db": -4.0,
            "keys_silent": 0,
            "keys_loud": int(number % 6 == 0),
        },
        "files": {"preset": f"answers/{arm}/{number}.vital", "sound": f"answers/{arm}/{number}.flac"},
    }


def _tone(hz: float, level: float) -> Audio:
    at = np.arange(round(0.6 * RATE)) / RATE
    return Audio((level * np.sin(2 * np.pi * hz * at) * np.exp(-2 * at)).astype(np.float32)[None], RATE)
