"""The plots of a run: scores, quality against cost, categories, robustness. They import matplotlib.

Each is drawn for light and for dark pages, as PNG, and as SVG for print. The colours are told apart by all common
kinds of colour vision; arms differ by line style and marker too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from menura.evaluation.table_cells import title_of
from menura.report.plot_style import Plot, Theme, add_legend, draw, dress, new_figure, plotting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = Mapping[str, Any]
Scores = Mapping[str, list[float]]


_DASHES = ("-", "--", "-.", ":")
_MARKERS = "osD^vPX*"
_TRACK_TITLES = {"knobs": "Track knobs", "any": "Track any", "reference": "References"}


def draw_plots(numbers: Numbers, scores: Scores) -> list[Plot]:
    """The plots that a run has numbers for.

    Args:
        numbers: What `menura.evaluation.table.summary` gave.
        scores: Arm to its values of the first metric, one for each target.

    Raises:
        WorkError: matplotlib is not installed.
    """
    plotting()
    metric = next((m for m in numbers["metrics"] if m["name"] in numbers["main"][:1]), None)
    arms = {name: arm for name, arm in numbers["arms"].items() if arm["n"]}
    if metric is None or not arms:
        return []
    label = title_of(metric)
    wanted: list[tuple[str, str, str, Callable[[Theme], Figure | None]]] = [
        ("scores", f"{metric['title']} of every target", f"Box and points: {label} of each arm's targets.",
         lambda theme: _scores(theme, arms, scores, label)),
        ("cost-renders", "Quality against renders", "Mean MSS of the best candidate so far against renders.",
         lambda theme: _curves(theme, arms, "renders")),
        ("cost-seconds", "Quality against seconds", "Mean MSS of the best candidate so far against seconds.",
         lambda theme: _curves(theme, arms, "seconds")),
        ("categories", f"{metric['title']} by category", f"Mean {label} of each category and arm.",
         lambda theme: _categories(theme, arms, numbers, metric)),
        ("robustness", f"Robustness: loss of {metric['title']}", f"Paired loss of {label} of each arm and condition.",
         lambda theme: _robustness(theme, arms, numbers, metric)),
    ]  # fmt: skip
    return [plot for each in wanted if (plot := draw(*each)) is not None]


def _scores(theme: Theme, arms: Mapping[str, Numbers], scores: Scores, label: str) -> Figure:
    shown = {name: scores[name] for name in arms if scores.get(name)}
    figure = new_figure(8.0, 0.8 + 0.46 * len(shown))
    axes = figure.subplots()
    tracks = {name: arms[name]["track"] for name in shown}
    for place, values in enumerate(shown.values()):
        colour = _colour(theme, place)
        axes.boxplot(
            values, positions=[place], orientation="horizontal", widths=0.6, showfliers=False,
            medianprops={"color": theme.ink, "linewidth": 1.6}, boxprops={"color": colour},
            whiskerprops={"color": colour}, capprops={"color": colour},
        )  # fmt: skip
        # The same jitter in every drawing: chance would make two reports of one run differ.
        jitter = 0.22 * np.sin(2.4 * np.arange(len(values)))
        axes.plot(values, place + jitter, "o", color=colour, markersize=3.2, alpha=0.6, markeredgewidth=0)
    names = [f"{name}  ({tracks[name]})" for name in shown]
    axes.set_yticks(range(len(shown)), names)
    axes.invert_yaxis()
    dress(axes, theme, label)
    return figure


def _curves(theme: Theme, arms: Mapping[str, Numbers], axis: str) -> Figure | None:
    tracks = [t for t in ("knobs", "any") if any(_curve(arm, axis) and arm["track"] == t for arm in arms.values())]
    if not tracks:
        return None
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = new_figure(8.0, 4.0)
    panels = figure.subplots(1, len(tracks), sharey=True, squeeze=False)[0]
    for axes, track in zip(panels, tracks, strict=True):
        for place, (name, arm) in enumerate(arms.items()):
            curve = _curve(arm, axis)
            if curve is None or arm["track"] != track:
                continue
            colour = _colour(theme, place)
            known = [low is not None for low in curve["low"]]
            low, high = (np.array([np.nan if v is None else v for v in curve[end]], float) for end in ("low", "high"))
            axes.step(
                curve["grid"], curve["mean"], where="post", color=colour, linestyle=_DASHES[place % 4], label=name
            )
            if any(known):
                axes.fill_between(curve["grid"], low, high, step="post", color=colour, alpha=0.18, linewidth=0)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_title(_TRACK_TITLES[track], color=theme.ink, fontsize=10)
        dress(axes, theme, "Renders" if axis == "renders" else "Seconds on one core")
        add_legend(axes, theme)
    panels[0].set_ylabel("MSS of the best so far, dB", color=theme.ink)
    return figure


def _categories(theme: Theme, arms: Mapping[str, Numbers], numbers: Numbers, metric: Numbers) -> Figure | None:
    groups = list(numbers["categories"])
    if len(groups) < 2:
        return None
    means = [[arm["categories"][group]["metrics"][metric["name"]]["mean"] for arm in arms.values()] for group in groups]
    values = np.array([[np.nan if mean is None else mean for mean in row] for row in means], dtype=float)
    figure = new_figure(1.9 + 1.05 * len(arms), 1.2 + 0.36 * len(groups))
    axes = figure.subplots()
    # Cividis reads the same with every kind of colour vision; the brighter cell is the nearer one.
    picture = axes.imshow(values, cmap="cividis" if metric["better"] == "higher" else "cividis_r", aspect="auto")
    for row, column in np.argwhere(np.isfinite(values)):
        red, green, blue, _ = picture.cmap(picture.norm(values[row, column]))
        bright = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        text = f"{values[row, column]:.{metric['places']}f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color="#000000" if bright else "#ffffff")
    axes.set_xticks(range(len(arms)), list(arms), rotation=25, ha="right")
    axes.set_yticks(range(len(groups)), [f"{group} ({numbers['categories'][group]})" for group in groups])
    dress(axes, theme, "", grid=False)
    return figure


def _robustness(theme: Theme, arms: Mapping[str, Numbers], numbers: Numbers, metric: Numbers) -> Figure | None:
    conditions = list(numbers["conditions"])
    if not conditions:
        return None
    figure = new_figure(8.0, 1.2 + len(conditions) * (0.25 + 0.17 * len(arms)))
    axes = figure.subplots()
    step = 0.8 / len(arms)
    for place, (name, arm) in enumerate(arms.items()):
        losses = [arm["conditions"][condition]["metrics"][metric["name"]]["loss"] for condition in conditions]
        rows = [(y, loss) for y, loss in enumerate(losses) if loss and loss["mean"] is not None]
        if not rows:
            continue
        means = np.array([loss["mean"] for _, loss in rows])
        low, high = ([loss["mean"] if loss[end] is None else loss[end] for _, loss in rows] for end in ("low", "high"))
        at = np.array([y for y, _ in rows]) + (place - (len(arms) - 1) / 2) * step
        axes.errorbar(
            means, at, xerr=(means - np.array(low), np.array(high) - means), fmt=_MARKERS[place % len(_MARKERS)],
            color=_colour(theme, place), markersize=5, capsize=2, linewidth=1.2, label=name,
        )  # fmt: skip
    axes.axvline(0.0, color=theme.soft, linewidth=1)
    axes.set_yticks(range(len(conditions)), [f"{name} ({numbers['conditions'][name]})" for name in conditions])
    axes.invert_yaxis()
    dress(axes, theme, f"Disturbed minus clean, {title_of(metric)}")
    add_legend(figure, theme, loc="outside upper center", ncols=4)
    return figure


def _curve(arm: Numbers, axis: str) -> Numbers | None:
    curve = arm["curve"][axis]
    return curve if curve and len(curve["grid"]) > 1 else None


def _colour(theme: Theme, place: int) -> str:
    return theme.colours[place % len(theme.colours)]
