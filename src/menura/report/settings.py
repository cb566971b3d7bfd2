"""What a preset does, in words: the settings that differ from the initial patch. Knows no page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One control in readable units."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """Settings that belong together, and the contour that one of them draws."""

    title: str
    rows: tuple[Setting, ...]
    shape: Sequence[tuple[float, float]] = ()
    """Points (0 to 1, 0 to 1), 1 at the top."""
