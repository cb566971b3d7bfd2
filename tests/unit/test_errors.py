"""The exception tree and what a command ends with."""

from __future__ import annotations

import inspect

import pytest

from menura import errors
from menura.errors import InputError, MenuraError, WorkError

CLASSES = [thing for _, thing in inspect.getmembers(errors, inspect.isclass) if thing.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_in_the_tree_and_drawn(kind: type[Exception]) -> None:
    assert issubclass(kind, MenuraError)
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.__doc__


@pytest.mark.parametrize("kind", CLASSES)
def test_exit_codes_follow_the_branch(kind: type[MenuraError]) -> None:
    assert kind.exit_code == (2 if issubclass(kind, InputError) else 1)
    assert not (issubclass(kind, InputError) and issubclass(kind, WorkError))
