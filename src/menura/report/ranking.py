"""From the folder of an attribute ranking to its table and figure. Owns the files; knows no embedder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from menura import storage
from menura.errors import WorkError
from menura.evaluation.ranking_table import Ranked, ranked, ranking_markdown
from menura.report.plot_style import Plot, Theme, draw, dress, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE, FIGURE = "table.md", "ranking"


def write_ranking(folder: str | Path, run: Mapping[str, Any]) -> list[Path]:
    """Writes ``table.md`` and the figure ``ranking`` (png, dark.png, svg) of a run; earlier ones are replaced.

    Args:
        folder: Of the run.
        run: The content of its ``ranking.json``.

    Returns:
        The written files, the table first. Without matplotlib there is no figure, and the table says so.

    Raises:
        OutputError: the folder cannot be written.
    """
    folder = Path(folder)
    text = ranking_markdown(run)
    files: dict[str, bytes] = {}
    try:
        plot = ranking_plot(ranked(run), run["settings"]["attributes"])
        if plot is not None:
            files = {f"{FIGURE}.png": plot.light, f"{FIGURE}.dark.png": plot.dark, f"{FIGURE}.svg": plot.svg}
    except WorkError as error:
        text += f"\nThere is no figure: {error}.\n"
    return [
        storage.write_text(folder / TABLE, text, force=True),
        *(storage.write_folder(folder, files, force=True) if files else []),
    ]


def ranking_plot(rows: Sequence[Ranked], attributes: Sequence[str]) -> Plot | None:
    """The paper's figure 2 as a map: embedders down, attributes across, the mean correlation and its deviation.

    Args:
        rows: Of a table, best first.
        attributes: In the order of the columns.

    Raises:
        WorkError: matplotlib is not installed.
    """
    words = (
        "Mean and standard deviation of Spearman's correlation of each embedder on each attribute; brighter is better."
    )
    return draw(FIGURE, "Attribute ranking", words, lambda theme: _map(theme, rows, attributes)) if rows else None


def _map(theme: Theme, rows: Sequence[Ranked], attributes: Sequence[str]) -> Figure:
    columns = ["mean", *attributes]
    means = np.array([[row.mean, *(row.means[each] for each in attributes)] for row in rows])
    spread = np.array([[row.deviation, *(row.deviations[each] for each in attributes)] for row in rows])
    figure = new_figure(2.4 + 0.78 * len(columns), 1.5 + 0.42 * len(rows))
    axes = figure.subplots()
    # Below none there is nothing to tell apart: an embedder either follows an attribute or does not.
    picture = axes.imshow(means, cmap="cividis", vmin=0.0, vmax=1.0, aspect="auto")
    for (row, column), value in np.ndenumerate(means):
        red, green, blue, _ = picture.cmap(picture.norm(value))
        bright = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        axes.text(
            column, row, f"{value:.2f}\n±{spread[row, column]:.2f}", ha="center", va="center", fontsize=7,
            color="#000000" if bright else "#ffffff", weight="bold" if column == 0 else "normal",
        )  # fmt: skip
    axes.set_xticks(range(len(columns)), columns, rotation=35, ha="right")
    axes.set_yticks(range(len(rows)), [f"{row.name}  ({row.dim or 'by length'})" for row in rows])
    dress(axes, theme, "", grid=False)
    return figure
