"""Typed progress events. Stages yield them; the faces decide how they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth telling while a match runs."""


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A stage begins."""

    stage: str
    renders_left: int


@dataclass(frozen=True, slots=True)
class Proposed(Event):
    """A stage put candidates into the pool."""

    stage: str
    count: int


@dataclass(frozen=True, slots=True)
class Improved(Event):
    """A candidate is nearer than every one before it."""

    stage: str
    distance: float
    renders: int
    candidate: Any = None
    """The candidate itself, so that a face can play it at once."""


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something the user should know; the work goes on."""

    message: str


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The run is over; `stopped_by` says what ended it: stages, renders, seconds or cancelled."""

    matches: tuple[Any, ...]
    renders: int
    seconds: float
    stopped_by: str
    engine_seconds: float = 0.0
