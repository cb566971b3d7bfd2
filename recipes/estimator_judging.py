"""Judges estimators: their answers to unseen sounds, by the engine. Trains nothing."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

import numpy as np
from estimator_rows import Size, patches_of, space_of

from menura.audio import Audio
from menura.evaluation.metrics import measure_all
from menura.evaluation.parameters import route_errors
from menura.models.estimator import CARD, open_estimator
from menura.models.slot_features import Roles
from menura.note import Note
from menura.storage import write_text
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

JUDGED = 8
"""Samples of which the best is judged, beside the first."""
METRICS = ("mss", "sot", "rms")


def judge(size: Size, arguments: argparse.Namespace) -> None:
    """Answers unseen sounds with the exported model, renders the answers, and enters the numbers in the card."""
    out, synth = arguments.out, synth_of(arguments.synth)
    estimator = open_estimator(out, space_of(arguments))
    patches, role = patches_of(arguments, "unseen"), Roles(space_of(arguments)).of
    rows: list[dict[str, float]] = []
    with RenderPool(synth.name, workers=arguments.workers or 1, mode="fast") as pool:
        for number in range(min(size.judged, len(patches))):
            play = number % patches.notes.shape[1]
            pitch, velocity, hold, _ = (float(value) for value in patches.notes[number, play])
            note = Note(pitch, velocity, hold, 1.5)
            truth = synth.freeze(estimator.space.decode(patches.vectors[number], synth.init()))
            vectors = estimator.samples(patches.view(number, play), JUDGED, np.random.default_rng((0, number)))
            answers = [synth.freeze(estimator.space.decode(vector, synth.init())) for vector in vectors]
            unrouted = [replace(answer, routes=()) for answer in answers]
            presets = (truth, *answers, *unrouted)
            sounds = [each.audio for each in pool.render_many([(preset, note) for preset in presets])]
            heard = [each.to_mono().mono if isinstance(each, Audio) else None for each in sounds]
            if heard[0] is None or not float(np.abs(heard[0]).max()) > 1e-4:
                continue
            routed, unrouted_too = (_scores(heard[0], part) for part in (heard[1 : JUDGED + 1], heard[JUDGED + 1 :]))
            if not routed or not unrouted_too:
                continue
            found = {"first": routed[0], "best": min(routed, key=_mss)}
            found |= {"first_unrouted": unrouted_too[0], "best_unrouted": min(unrouted_too, key=_mss)}
            row = {f"{name}_{metric}": value for name, each in found.items() for metric, value in each.items()}
            for name, alike in (("route_f1", str), ("route_f1_by_role", role)):
                row[name] = route_errors(truth.routes, answers[0].routes, alike)["route_f1"]
            rows.append({name: float(value) for name, value in row.items() if value is not None})
    judgement: dict[str, float] = {"sounds": len(rows), "samples": JUDGED}
    names = dict.fromkeys(name for row in rows for name in row)
    judgement |= {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
    card = json.loads((out / CARD).read_text(encoding="utf-8"))
    write_text(out / CARD, json.dumps({**card, "judgement": judgement}, indent=1) + "\n", force=True)
    print(json.dumps(judgement))


def _scores(target: Any, answers: list[Any]) -> list[dict[str, float | None]]:
    """Of the answers that sound, in their order."""
    found = [measure_all(METRICS, target, each, 44_100) for each in answers if each is not None]
    return [each for each in found if each["mss"] is not None]


def _mss(scores: dict[str, float | None]) -> float:
    return float(scores["mss"] or 0.0)
