"""What one does to a patch, as data: set a control, connect a route, load a content. Knows no synth and no words.

Owns the difference of two presets, its application, and both as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from menura.errors import PresetError
from menura.preset import Preset, Route

BlockPath = tuple[str | int, ...]
"""Where a content lies in a preset's blocks: names of mappings, places in lists."""


@dataclass(frozen=True, slots=True)
class SetControl:
    """One scalar control."""

    control: str
    value: float | None
    """None takes the control out of the preset: the engine then uses its own default."""


@dataclass(frozen=True, slots=True)
class SetRoute:
    """One modulation slot."""

    slot: int
    route: Route | None
    """None empties the slot."""


@dataclass(frozen=True, slots=True, eq=False)
class SetBlock:
    """One content that nobody sets by hand: a wavetable, a drawn shape, a sample, a text."""

    path: BlockPath
    content: Any = None
    """A JSON value, treated as frozen."""
    present: bool = True
    """False takes it away."""


Edit = SetControl | SetRoute | SetBlock


def edits_between(initial: Preset, goal: Preset, containers: Collection[BlockPath] = ((),)) -> list[Edit]:
    """Everything that leads from one preset's state to the other's: values, then routes, then contents.

    Args:
        initial: where it begins.
        goal: where it ends; its routes have slots.
        containers: paths of the blocks that hold contents of their own; what lies in others is taken as a whole.
    """
    edits: list[Edit] = [
        SetControl(name, float(value))
        for name, value in goal.values.items()
        if name not in initial.values or float(value) != float(initial.values[name])
    ]
    edits += [SetControl(name, None) for name in initial.values if name not in goal.values]
    before, after = ({route.slot: route for route in preset.routes} for preset in (initial, goal))
    moved = [slot for slot in sorted({*before, *after}) if repr(before.get(slot)) != repr(after.get(slot))]
    edits += [SetRoute(slot, after.get(slot)) for slot in moved]
    return edits + list(_between((), initial.blocks, goal.blocks, containers))


def applied(preset: Preset, edits: Iterable[Edit]) -> Preset:
    """The preset after these edits, its routes in the order of their slots.

    Raises:
        PresetError: a content has no place in this preset.
    """
    values, blocks = dict(preset.values), preset.blocks
    routes = {route.slot: route for route in preset.routes}
    for edit in edits:
        match edit:
            case SetControl(control, value):
                if value is None:
                    values.pop(control, None)
                else:
                    values[control] = value
            case SetRoute(slot, route):
                if route is None:
                    routes.pop(slot, None)
                else:
                    routes[slot] = route
            case SetBlock():
                blocks = _placed(blocks, edit.path, edit)
    return replace(preset, values=values, routes=tuple(routes[slot] for slot in sorted(routes)), blocks=blocks)


def to_json(edit: Edit) -> dict[str, Any]:
    """The edit as a JSON object."""
    match edit:
        case SetControl(control, value):
            return {"set": control, "to": value}
        case SetRoute(slot, route):
            return {"route": slot, "to": None if route is None else asdict(route)}
        case SetBlock():
            return {"load": list(edit.path), "to": edit.content} if edit.present else {"unload": list(edit.path)}


def of_json(data: Mapping[str, Any]) -> Edit:
    """The edit of a JSON object. Raises PresetError where it is none."""
    try:
        if "set" in data:
            return SetControl(str(data["set"]), None if data["to"] is None else float(data["to"]))
        if "route" in data:
            return SetRoute(int(data["route"]), None if data["to"] is None else Route(**data["to"]))
        if "load" in data:
            return SetBlock(tuple(data["load"]), data["to"])
        return SetBlock(tuple(data["unload"]), present=False)
    except (KeyError, TypeError, ValueError) as error:
        raise PresetError(f"a step of the tutorial is broken ({error!r}); write the tutorial anew") from error


def _between(path: BlockPath, before: Any, after: Any, containers: Collection[BlockPath]) -> Iterable[SetBlock]:
    if isinstance(before, Mapping) and isinstance(after, Mapping) and path in containers:
        for key in [*after, *(key for key in before if key not in after)]:
            here = (*path, key)
            if key not in after:
                yield SetBlock(here, present=False)
            elif key in before:
                yield from _between(here, before[key], after[key], containers)
            elif here in containers and isinstance(after[key], Mapping) and after[key]:
                yield from _between(here, {}, after[key], containers)
            else:
                yield SetBlock(here, after[key])
    elif _list(before) and _list(after) and len(before) == len(after) and path in containers:
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _between((*path, place), old, new, containers)
    elif _text(before) != _text(after):
        yield SetBlock(path, after)


def _text(value: Any) -> str:
    """A value as `Preset.id` takes it: 0, 0.0 and False are equal to Python and three states to a preset."""
    return json.dumps(value, sort_keys=True, default=dict)


def _list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _placed(here: Any, path: BlockPath, edit: SetBlock) -> Any:
    """A copy of a block with the content at its place; the rest is shared with the original."""
    if not path:
        return edit.content
    key, *rest = path
    if isinstance(key, str) and (here is None or isinstance(here, Mapping)):
        found = dict(cast(Mapping[str, Any], here or {}))
        if not rest and not edit.present:
            found.pop(key, None)
        else:
            found[key] = _placed(found.get(key), tuple(rest), edit)
        return found
    if isinstance(key, int) and _list(here) and 0 <= key < len(here) and (rest or edit.present):
        return [_placed(item, tuple(rest), edit) if place == key else item for place, item in enumerate(here)]
    raise PresetError(f"the tutorial loads {'.'.join(map(str, edit.path))}, which this patch has no place for")
