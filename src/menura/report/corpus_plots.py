"""A corpus in one picture: how loud and how long its sounds are, and how its embeddings lie. Reads no file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from menura.datasets.corpus_check import Findings
from menura.datasets.plan import RenderPlan
from menura.errors import WorkError

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#56b4e9", "#b8860b", "#666666", "#882255")
# Okabe and Ito, "Color universal design", 2008.


def draw_corpus(found: Findings, plan: RenderPlan) -> bytes:
    """A PNG: level and audible seconds by note, and the first two principal components of the first embedder.

    Raises:
        WorkError: matplotlib is missing, or there is no row to show.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise WorkError("a picture needs matplotlib; pip install 'menura[bench]', or leave --picture out") from error
    if not found.rows:
        raise WorkError("there is no whole shard to draw")
    figure = Figure(figsize=(13, 4), layout="constrained")
    level, duration, map_ = figure.subplots(1, 3)
    figure.suptitle(f"{found.items:,} presets of {plan.synth} ({plan.prior}), {found.rows:,} renders")
    labels = [f"{note.name}, velocity {note.velocity:g}" for note in plan.notes]
    for axes, name, title in ((level, "rms_dbfs", "level, dBFS (RMS)"), (duration, "duration", "to be heard, s")):
        values = np.where(np.isfinite(found.measures[name]), found.measures[name], np.nan)
        edges = np.histogram_bin_edges(values[np.isfinite(values)], bins=40)
        for play, label in enumerate(labels):
            chosen = values[found.play == play]
            colour = _COLOURS[play % len(_COLOURS)]
            axes.hist(chosen[np.isfinite(chosen)], bins=edges, histtype="step", label=label, color=colour)
        axes.set(xlabel=title, ylabel="renders")
    level.legend(fontsize="small", frameon=False)
    if len(found.shown) > 2:
        _map(map_, found, plan)
    else:
        map_.set_axis_off()
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=110)
    return target.getvalue()


def _map(axes: Any, found: Findings, plan: RenderPlan) -> None:
    rows = found.shown.astype(np.float64)
    centred = rows - rows.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    places = centred @ directions[:2].T
    for play in range(len(plan.notes)):
        chosen = places[found.shown_play == play]
        axes.scatter(chosen[:, 0], chosen[:, -1], s=4, alpha=0.6, color=_COLOURS[play % len(_COLOURS)])
    axes.set(xlabel=f"{plan.embedders[0]}, first principal component", ylabel="second", xticks=[], yticks=[])
