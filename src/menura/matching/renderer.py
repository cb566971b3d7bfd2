"""What the stages ask of a renderer. Owns the seam to `synths.pool`; knows no stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from menura.audio import Audio
from menura.note import Note
from menura.preset import Preset
from menura.synths.pool import Rendered

T = TypeVar("T")


class Renderer(Protocol):
    """Many renders at once; `synths.pool.RenderPool` is one.

    The answers come in the order of what was asked, whatever the number of workers.
    """

    @property
    def engine_seconds(self) -> float:
        """Seconds spent inside engines so far, all workers together."""
        ...

    def render_many(
        self, items: Sequence[tuple[Preset, Note]], *, measure: Callable[[Audio], object] | None = None
    ) -> list[Rendered]:
        """Render; with `measure`, workers apply it to the sound and send its answer instead of the sound."""
        ...
