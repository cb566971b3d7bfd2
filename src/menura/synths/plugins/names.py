"""The lists of names that say what a plug-in's control is for: packaged, and added to by the user."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from menura import storage
from menura.errors import InputError

FILE = "plugins.toml"
"""The user's own lists, in `storage.config_folder()`."""
_Lists = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Names:
    """Patterns on the names of controls."""

    roles: _Lists = field(default_factory=dict[str, tuple[str, ...]])
    """Role to patterns; a control with a role stays out of the space."""
    choices: tuple[str, ...] = ()
    """Stepped controls that have no order."""
    groups: _Lists = field(default_factory=dict[str, tuple[str, ...]])
    include: tuple[str, ...] = ()
    """Controls that are in the space whatever the roles say."""
    exclude: tuple[str, ...] = ()

    def role(self, name: str) -> str:
        """Why a control is left out: a role, "excluded" by the user's own list, or "" where it is not."""
        if _fits(name, self.include):
            return ""
        if _fits(name, self.exclude):
            return "excluded"
        return next((role for role, patterns in self.roles.items() if _fits(name, patterns)), "")

    def group(self, name: str) -> str:
        """The group of a control."""
        return next((group for group, patterns in self.groups.items() if _fits(name, patterns)), "voice")

    def is_choice(self, name: str) -> bool:
        """True where the steps of a control have no order, by its name."""
        return _fits(name, self.choices)


def names_for(plugin: str) -> Names:
    """The packaged lists and the user's own for one plug-in.

    Args:
        plugin: its short name, as `menura synths scan` shows it.

    Raises:
        InputError: the user's file is broken.
    """
    packaged = tomllib.loads(files("menura.synths.plugins").joinpath("names.toml").read_text("utf-8"))
    own, path = _own()
    roles, groups = _lists(packaged, "roles"), _lists(packaged, "groups")
    choices = _lists(packaged, "kinds")["choice"]
    try:
        for name, patterns in _lists(own, "roles").items():
            roles[name] = (*roles.get(name, ()), *patterns)
        # The user's groups come first: the first that fits wins.
        groups = {**_lists(own, "groups"), **{k: v for k, v in groups.items() if k not in _lists(own, "groups")}}
        choices = (*choices, *_lists(own, "kinds").get("choice", ()))
        alone = _lists(cast(Mapping[str, Any], own.get("plugin", {})), plugin)
    except (TypeError, AttributeError) as error:
        raise InputError(f"{path} is not understood ({error}); each entry is a list of texts") from error
    return Names(roles, choices, groups, alone.get("include", ()), alone.get("exclude", ()))


def _own() -> tuple[Mapping[str, Any], Path]:
    path = storage.config_folder() / FILE
    if not path.is_file():
        return {}, path
    try:
        return tomllib.loads(path.read_text("utf-8")), path
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); correct it, or take it away") from error


def _lists(data: Mapping[str, Any], section: str) -> dict[str, tuple[str, ...]]:
    found: Mapping[str, Any] = data.get(section, {})
    lists: dict[str, tuple[str, ...]] = {}
    for name, patterns in found.items():
        if not isinstance(patterns, list) or not all(isinstance(one, str) for one in cast(list[object], patterns)):
            raise TypeError(f"{section}.{name} is no list of texts")
        lists[name] = tuple(cast(list[str], patterns))
    return lists


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    folded = name.casefold()
    return any(fnmatch.fnmatchcase(folded, pattern.casefold()) for pattern in patterns)
