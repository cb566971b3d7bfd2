"""Listening to a plug-in's controls: hidden steps, controls that move nothing, instances that can be used again.

Needs only a way to play; loads no plug-in itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from menura.synths.plugins.controls import Control, Probe
from menura.synths.plugins.names import Names

Sound = NDArray[np.float32]
Play = Callable[[Mapping[int, float]], Sound | None]
_GRID = 65
_PLACES = (0.31, 0.53, 0.77)
_NEAR = 1 / 128
"""Where a control glides, so small a move is heard at each of these places."""
_CONTEXTS = 4
_TRIALS = 8
SAME = 1e-6
"""Sounds that differ by less are alike."""


def listen(probe: Probe, names: Names, play: Play, reused: Callable[[], Play], slow: bool) -> Probe:
    """The probe with what can be heard.

    Args:
        probe: what is known already.
        names: the lists of names.
        play: the probing note on a fresh instance with some controls, by index, at raw values.
        reused: makes one instance and answers with a way to play it again and again.
        slow: True leaves out what takes a render for each control.
    """
    if probe.silent or not probe.repeats:
        return replace(probe, heard=False)
    rng = np.random.default_rng(0)
    wanted = [control for control in probe.controls if control.held and not names.role(control.name)]
    contexts = [{}, *_contexts(wanted, play, rng)]
    probe = replace(probe, reusable=_reusable(wanted, play, reused, rng))
    if slow:
        return replace(probe, heard=False)
    inert: list[str] = []
    found: dict[int, Control] = {}
    for control in wanted:
        answer = _heard(control, play, contexts)
        if answer is None:
            inert.append(control.name)
        else:
            found[control.index] = answer
    controls = tuple(found.get(control.index, control) for control in probe.controls)
    return replace(probe, controls=controls, inert=tuple(inert))


def draw(controls: Sequence[Control], rng: np.random.Generator) -> dict[int, float]:
    """Raw values by index, uniform, every step as likely as the others."""
    found: dict[int, float] = {}
    for control in controls:
        steps = control.positions
        found[control.index] = float(np.float32(rng.choice(steps) if steps else rng.random()))
    return found


def alike(first: Sound | None, second: Sound | None) -> bool:
    """True where both are the same sound, or both none."""
    if first is None or second is None:
        return first is second
    return first.shape == second.shape and float(np.abs(first - second).max()) < SAME


def _contexts(controls: Sequence[Control], play: Play, rng: np.random.Generator) -> list[dict[int, float]]:
    """Settings that sound, around which a control may do what it does not at the defaults."""
    found: list[dict[int, float]] = []
    for _ in range(4 * _CONTEXTS):
        raws = draw(controls, rng)
        sound = play(raws)
        if sound is not None and float(np.abs(sound).max()) > 1e-3:
            found.append(raws)
        if len(found) == _CONTEXTS - 1:
            break
    return found


def _heard(control: Control, play: Play, contexts: Sequence[Mapping[int, float]]) -> Control | None:
    """The control, with hidden steps where there are some; None where it moves nothing anywhere."""
    values = [float(raw) for raw in (control.positions or np.linspace(0.0, 1.0, 5))]
    ends = [values[0], values[-1], values[len(values) // 2]]
    for context in contexts:
        first = play({**context, control.index: ends[0]})
        if all(alike(play({**context, control.index: raw}), first) for raw in ends[1:]):
            continue
        if control.positions:
            return control
        positions = hidden_steps(lambda raw, around=context: play({**around, control.index: raw}), control.default)
        labels = tuple(str(number + 1) for number in range(len(positions)))
        return replace(control, positions=tuple(positions), labels=labels, by_ear=bool(positions))
    return None


def hidden_steps(play: Callable[[float], Sound | None], default: float) -> list[float]:
    """The raw value of each step of a control that sounds the same over whole stretches; empty where it glides.

    Args:
        play: the sound at a raw value.
        default: raw value of the default, kept for the step that it is in.
    """
    from menura.synths.plugins.probe import steps_of

    if all(not alike(play(raw), play(raw + _NEAR)) for raw in _PLACES):
        return []
    fine = [_mark(play(float(raw))) for raw in np.linspace(0.0, 1.0, _GRID)]
    return [float(np.float32(raw)) for raw in steps_of(fine, default)]


def _mark(sound: Sound | None) -> bytes:
    return b"" if sound is None else np.round(sound, 5).tobytes()


def _reusable(controls: Sequence[Control], play: Play, reused: Callable[[], Play], rng: np.random.Generator) -> bool:
    """True where an instance that has played other settings sounds like a fresh one, to the last bit."""
    again = reused()
    settings = [{}, *(draw(controls, rng) for _ in range(_TRIALS))]
    for raws in [*settings, settings[1], {}]:
        fresh, used = play(raws), again(raws)
        if fresh is None or used is None or not np.array_equal(fresh, used):
            return False
    return True
