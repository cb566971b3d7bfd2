"""Names to objects: built-ins by import string, loaded when asked for; entry points for everyone else's.

Owns the lookup. Must not know what the objects are; a room that keeps a registry names its own built-ins:

    SYNTHS = Registry[Synth]("synth", "menura.synths", {"vital": "menura.synths.vital.synth:Vital"})
    synth = SYNTHS.get("vital")()

A package outside menura adds a name in its own pyproject.toml:

    [project.entry-points."menura.synths"]
    mysynth = "mypackage.mysynth:MySynth"
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

from menura.errors import EngineError, UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things of one kind. Nothing is imported before it is asked for; a built-in wins over an entry point."""

    def __init__(self, kind: str, group: str, built_in: Mapping[str, str] | None = None) -> None:
        """Names the kind and its built-ins.

        Args:
            kind: what one of them is called in a message, e.g. ``"synth"``.
            group: the entry-point group in which other packages add theirs, e.g. ``"menura.synths"``.
            built_in: name to ``"module:attribute"``.
        """
        self.kind = kind
        self.group = group
        self._built_in = dict(built_in or {})
        self._registered: dict[str, T] = {}
        self._found: dict[str, EntryPoint] | None = None

    def register(self, name: str, thing: T) -> T:
        """Adds a thing at run time (a notebook, a test); the latest of a name wins over all others."""
        self._registered[name] = thing
        return thing

    def names(self) -> list[str]:
        """Every known name, sorted; imports none of them."""
        return sorted({*self._registered, *self._built_in, *self._entry_points()})

    def get(self, name: str) -> T:
        """The thing behind a name.

        Raises:
            UnknownNameError: no such name; the message lists those that there are.
            EngineError: the name is known, but what stands behind it cannot be imported.
        """
        if name in self._registered:
            return self._registered[name]
        try:
            if name in self._built_in:
                return cast(T, _load(self._built_in[name]))
            if name in self._entry_points():
                return cast(T, self._entry_points()[name].load())
        except (ImportError, AttributeError) as error:
            raise EngineError(
                f"{self.kind} {name!r} cannot be loaded: {error}; reinstall the package it is in"
            ) from error
        known = self.names()
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise UnknownNameError(f"no {self.kind} is called {name!r}; known: {', '.join(known) or 'none'}{hint}")

    def __contains__(self, name: object) -> bool:
        return name in self._registered or name in self._built_in or name in self._entry_points()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._found is None:
            self._found = {point.name: point for point in entry_points(group=self.group)}
        return self._found


def _load(target: str) -> Any:
    """The object at ``"module:attribute"``; dots in the attribute go deeper."""
    module, _, attribute = target.partition(":")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found
