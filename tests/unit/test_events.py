"""Events are values: equal by content, never changed."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from menura import events
from menura.events import Event, Finished, Improved, Proposed, Started, Warned


def test_every_event_is_a_frozen_event() -> None:
    kinds = [thing for _, thing in inspect.getmembers(events, inspect.isclass) if thing.__module__ == events.__name__]
    assert {Started, Proposed, Improved, Warned, Finished} <= set(kinds)
    for kind in kinds:
        assert issubclass(kind, Event)
        assert kind.__doc__


def test_events_are_equal_by_content_and_frozen() -> None:
    event = Improved("refine", 1.5, 12)
    assert event == Improved("refine", 1.5, 12)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.distance = 0.0  # type: ignore[misc]
