"""How the plots of the reports look: two themes, axes, and the files they become. Knows no numbers.

Colours are told apart by all common kinds of colour vision.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from menura.errors import WorkError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 130


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture in three files."""

    name: str
    """Stem of its files."""
    title: str
    words: str
    """What it shows, for those who cannot see it."""
    light: bytes
    """PNG on white."""
    dark: bytes
    """PNG on near black."""
    svg: bytes


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one kind of page."""

    paper: str
    ink: str
    soft: str
    line: str
    colours: tuple[str, ...]


# Okabe and Ito, "Color universal design", 2008, without its yellow and black; lighter on dark.
LIGHT = Theme(
    "#ffffff", "#1c1b22", "#5d5b66", "#dedbd2",
    ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#56b4e9", "#b8860b", "#666666", "#882255"),
)  # fmt: skip
DARK = Theme(
    "#1d1b24", "#efedf4", "#a9a5b5", "#35323f",
    ("#6cb8f0", "#ff8c42", "#35d0a5", "#e6a0d0", "#b3dcf7", "#f0c040", "#c0c0c0", "#f07090"),
)  # fmt: skip


def plotting() -> Any:
    """The module matplotlib.

    Raises:
        WorkError: it is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise WorkError(
            "the plots need matplotlib, which is not installed; pip install 'menura[bench]' and make the report again"
        ) from error
    return mpl


def draw(name: str, title: str, words: str, picture: Callable[[Theme], Figure | None]) -> Plot | None:
    """One picture in all its files; None where `picture` has nothing to show.

    Args:
        name: Stem of its files.
        title: Above it.
        words: What it shows, for those who cannot see it.
        picture: Draws it for a theme.

    Raises:
        WorkError: matplotlib is not installed.
    """
    with plotting().rc_context({"svg.hashsalt": "menura", "font.size": 10.0}):
        light, dark = picture(LIGHT), picture(DARK)
        if light is None or dark is None:
            return None
        return Plot(name, title, words, _png(light, LIGHT), _png(dark, DARK), _svg(light, LIGHT))


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def dress(axes: Axes, theme: Theme, label: str, *, grid: bool = True) -> None:
    """Axes in the colours of a theme, with a label below."""
    axes.set_xlabel(label, color=theme.ink)
    axes.set_facecolor(theme.paper)
    axes.tick_params(colors=theme.ink, which="both")
    for side, spine in axes.spines.items():
        spine.set_color(theme.line)
        spine.set_visible(grid and side in ("left", "bottom"))
    if grid:
        axes.grid(visible=True, color=theme.line, linewidth=0.6)
        axes.set_axisbelow(True)


def add_legend(place: Axes | Figure, theme: Theme, **where: Any) -> None:
    """What the lines are called."""
    place.legend(fontsize=8, framealpha=0.8, facecolor=theme.paper, edgecolor=theme.line, labelcolor=theme.ink, **where)


def _png(figure: Figure, theme: Theme) -> bytes:
    return _saved(figure, theme, format="png", dpi=_DPI, metadata={"Software": None})


def _svg(figure: Figure, theme: Theme) -> bytes:
    return _saved(figure, theme, format="svg", metadata={"Date": None})


def _saved(figure: Figure, theme: Theme, **how: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, facecolor=theme.paper, **how)
    return buffer.getvalue()
