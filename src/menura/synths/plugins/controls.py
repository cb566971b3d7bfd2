"""What was found out about a plug-in's controls, and how that becomes a parameter space. Loads no plug-in.

A continuous control's value in a preset is its raw value, 0 to 1. A control with steps has the number of its step
there, from 0, and `Control.positions` says which raw value each is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from menura.space import Kind, Parameter, ParameterSpace
from menura.synths.plugins.names import Names

_NUMBER = re.compile(r"^[-+]?\d+([.,]\d+)?(\s*\S{0,4})?$")
_SWITCH = ({"off", "on"}, {"false", "true"}, {"no", "yes"}, {"0", "1"}, {"disabled", "enabled"})


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a plug-in, as probing found it."""

    index: int
    """The host's number of it."""
    name: str
    """Unlike every other of the plug-in."""
    units: str
    default: float
    """Raw value in a fresh instance."""
    positions: tuple[float, ...] = ()
    """Raw value of each step, ascending; empty where it is continuous."""
    labels: tuple[str, ...] = ()
    """How the plug-in shows each step."""
    switch: bool = False
    """True where the plug-in itself says that it is on or off."""
    by_ear: bool = False
    """True where the steps were heard, not told."""
    held: bool = True
    """False where it did not stay where it was put."""

    def value(self, raw: float) -> float:
        """A raw value as a preset holds it; between two steps, or beyond the last, it lies between their numbers."""
        if not self.positions:
            return float(np.float32(raw))
        nearest = int(np.argmin(np.abs(np.asarray(self.positions) - raw)))
        if abs(self.positions[nearest] - raw) < 1e-6:
            return float(nearest)
        return float(np.interp(raw, *self._scale))

    def raw(self, value: float) -> float:
        """What the plug-in is given for a preset's value."""
        if not self.positions:
            return float(value)
        raws, numbers = self._scale
        return float(np.interp(value, numbers, raws))

    @property
    def _scale(self) -> tuple[list[float], list[float]]:
        """Raw values and the numbers they have in a preset; steps that menura leaves out may lie beyond both ends."""
        raws, numbers = list(self.positions), [float(number) for number in range(len(self.positions))]
        if raws[0] > 0.0:
            raws, numbers = [0.0, *raws], [-1.0, *numbers]
        if raws[-1] < 1.0:
            raws, numbers = [*raws, 1.0], [*numbers, numbers[-1] + 1.0]
        return raws, numbers

    @property
    def highest(self) -> float:
        """The number of the last step; 1 where there are none."""
        return max(len(self.positions) - 1.0, 1.0)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest value that a preset may hold."""
        return (self._scale[1][0], self._scale[1][-1]) if self.positions else (0.0, 1.0)

    def took(self, raw: float, back: float) -> bool:
        """True where a control that was put to `raw` and reads `back` stands where it was put.

        One with steps may read anything nearer to the same step than to others: a switch put to 0.75 reads 1.
        """
        if abs(back - raw) <= self.tolerance:
            return True
        steps = np.asarray(self.positions)
        return bool(self.positions) and int(np.argmin(np.abs(steps - back))) == int(np.argmin(np.abs(steps - raw)))

    @property
    def tolerance(self) -> float:
        """How far from its place it may be read back: a third of a step, or what a coarse display rounds off."""
        return float(np.diff(self.positions).min()) / 3 if len(self.positions) > 1 else 0.02


@dataclass(frozen=True)
class Probe:
    """All that probing found out about one plug-in; stored as JSON."""

    plugin: str
    """Short name: a URI, or the name of its file."""
    format: str
    uid: str
    """The plug-in's own mark: a VST2 ID in hex, a VST3 class ID, a URI."""
    version: int
    """The number that the plug-in gives its version in a VST2 preset; 0 elsewhere."""
    content: str
    """sha256 of its file."""
    host: str
    controls: tuple[Control, ...]
    chunk: bool
    """True where its state is its own secret; False where the parameters are all of it."""
    bend: float
    """Semitones that the pitch wheel moves at its end; 0 where it does not."""
    silent: bool
    """True where the fresh instance makes no sound."""
    latency: int = 0
    reusable: bool = False
    """True where an instance that has played sounded like a fresh one, to the last bit, in every trial."""
    repeats: bool = True
    """True where two fresh instances sounded alike."""
    heard: bool = True
    """False where rendering was too slow to listen to each control."""
    inert: tuple[str, ...] = ()
    """Controls that moved nothing in any trial."""
    milliseconds: float = 0.0
    """One render of 2 s on a fresh instance."""

    @cached_property
    def by_name(self) -> Mapping[str, Control]:
        """The controls by name."""
        return {control.name: control for control in self.controls}

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @staticmethod
    def of_json(data: Mapping[str, Any]) -> Probe:
        """The probe of plain values. Raises KeyError, TypeError or ValueError where they are not a probe's."""
        controls: list[Control] = []
        for row in data["controls"]:
            fields: dict[str, Any] = {**row, "positions": tuple(row["positions"]), "labels": tuple(row["labels"])}
            controls.append(Control(**fields))
        found: dict[str, Any] = {**data, "controls": tuple(controls), "inert": tuple(data["inert"])}
        return Probe(**found)


def space_of(synth: str, controls: Sequence[Control], names: Names) -> ParameterSpace:
    """The space of the controls that no list of names leaves out and that stay where they are put."""
    wanted = [control for control in controls if control.held and not names.role(control.name)]
    parameters = [parameter_of(control, names) for control in wanted]
    order = {group: number for number, group in enumerate((*names.groups, "voice"))}
    return ParameterSpace(synth, sorted(parameters, key=lambda one: order[one.group]), slots=0)


def parameter_of(control: Control, names: Names) -> Parameter:
    """A control as a coordinate."""
    kind, group = kind_of(control, names), names.group(control.name)
    high, default = control.highest, min(control.value(control.default), control.highest)
    scale = "indexed" if control.positions else "linear"
    choices = _unlike(control.labels) if kind == "choice" else ()
    return Parameter(control.name, group, kind, 0.0, high, default, scale, choices, control.units)


def kind_of(control: Control, names: Names) -> Kind:
    """Toggle, choice (steps without order) or continuous (with steps or without)."""
    if not control.positions:
        return "continuous"
    if len(control.positions) == 2:
        words = {label.casefold() for label in control.labels}
        return "toggle" if control.switch or words in _SWITCH else "choice"
    numbers = all(_NUMBER.match(label) for label in control.labels)
    return "choice" if names.is_choice(control.name) or not numbers else "continuous"


def _unlike(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels, each unlike the others."""
    found: list[str] = []
    for label in labels:
        text, number = label or "-", 2
        while text in found:
            text, number = f"{label or '-'} ({number})", number + 1
        found.append(text)
    return tuple(found)
