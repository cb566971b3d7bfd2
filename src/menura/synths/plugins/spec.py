"""What is known of an instrument before it is installed: the controls that are searched, as packaged data.

`specs/NAME.toml` says what it is called and where its data are from, `specs/NAME.csv` has a line for
each control that is predicted and searched. A control that has no line is left as it is. Loads no plug-in.
"""

from __future__ import annotations

import csv
import fnmatch
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from menura.errors import EngineError
from menura.space import Parameter, ParameterSpace
from menura.synths.plugins.controls import Control

Kind = Literal["continuous", "steps", "toggle", "choice"]
INSTRUMENTS = ("dexed", "diva", "surge-xt", "tal-noisemaker")
_ENOUGH = 0.5
"""The share of its searched controls that an installed plug-in must have to be taken for the one that is meant."""


@dataclass(frozen=True, slots=True)
class Line:
    """One searched control."""

    control: str
    """Its name, as `plain` makes it."""
    group: str
    kind: Kind
    low: float
    """Least raw value that is searched."""
    high: float
    positions: tuple[float, ...]
    """Raw value of each step that is searched, ascending; empty where it glides."""
    labels: tuple[str, ...]
    """Names of the steps; empty where the plug-in's own texts have to do."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One instrument."""

    name: str
    title: str
    licence: str
    home: str
    files: tuple[str, ...]
    """What its files are called, without ending, in any format."""
    preset: str
    """Ending of the presets that people exchange."""
    source: str
    """Where the choice of controls is from."""
    counts: Mapping[str, int]
    """What the source says how many there are of each kind."""
    lines: tuple[Line, ...]
    python: str = ""
    """The Python module that is the same instrument, played instead of a plug-in where it is importable."""
    frozen: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    """Pattern on plain names to where such a control goes in a preset without chance (`to`, raw), from `low` to `high`
    where only a part of its way draws random numbers."""

    def calm(self, control: Control, value: float) -> float:
        """Where a control stands in a preset without chance, for where it stands in one; both as a preset has them."""
        for pattern, rule in self.frozen.items():
            if fnmatch.fnmatchcase(plain(control.name), pattern):
                within = rule.get("low", 0.0) <= control.raw(value) <= rule.get("high", 1.0)
                return control.value(rule["to"]) if within else value
        return value


@dataclass(frozen=True, slots=True)
class Adapted:
    """A spec applied to the controls of an installed plug-in."""

    controls: tuple[Control, ...]
    """All of the plug-in's, with the steps that the spec knows."""
    space: ParameterSpace
    missing: tuple[str, ...]
    """Controls of the spec that the plug-in does not have."""


@cache
def spec_of(name: str) -> Spec:
    """The packaged spec of an instrument, see `INSTRUMENTS`."""
    folder = files("menura.synths.plugins").joinpath("specs")
    about: dict[str, Any] = tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8"))
    rows = csv.DictReader(folder.joinpath(f"{name}.csv").read_text("utf-8").splitlines())
    fields: dict[str, Any] = {
        **about,
        "files": tuple(about["files"]),
        "name": name,
        "lines": tuple(_line(row) for row in rows),
    }
    return Spec(**fields)


def plain(name: str) -> str:
    """A control's name without what differs between hosts and formats: ``'OP1 EG Rate-1' -> 'op1_eg_rate_1'``."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def adapt(spec: Spec, synth: str, controls: Sequence[Control]) -> Adapted:
    """The spec on the controls that are there.

    Raises:
        EngineError: so few of them are there that it must be another instrument, or another version of it.
    """
    found = {plain(control.name): control for control in controls}
    missing = tuple(line.control for line in spec.lines if line.control not in found)
    if len(missing) > _ENOUGH * len(spec.lines):
        raise EngineError(
            f"the plug-in has {len(spec.lines) - len(missing)} of the {len(spec.lines)} controls of {spec.title} that "
            f"are searched (no {', '.join(missing[:3])}); is it another version? plugin:NAME takes it as it is"
        )
    changed: dict[int, Control] = {}
    parameters: list[Parameter] = []
    for line in spec.lines:
        control = found.get(line.control)
        if control is not None and control.held:
            steps = replace(control, positions=line.positions, labels=_labels(line, control), by_ear=False)
            changed[control.index] = steps if line.positions else replace(control, positions=(), labels=())
            parameters.append(_parameter(line, changed[control.index]))
    space = ParameterSpace(synth, parameters, slots=0)
    return Adapted(tuple(changed.get(control.index, control) for control in controls), space, missing)


def _parameter(line: Line, control: Control) -> Parameter:
    default = control.value(control.default)
    if not line.positions:
        inside = min(max(default, line.low), line.high)
        return Parameter(control.name, line.group, "continuous", line.low, line.high, inside, "linear")
    kind = "continuous" if line.kind == "steps" else line.kind
    choices = control.labels if kind == "choice" else ()
    inside = min(max(default, 0.0), control.highest)
    return Parameter(control.name, line.group, kind, 0.0, control.highest, inside, "indexed", choices)


def _labels(line: Line, control: Control) -> tuple[str, ...]:
    """Names of the steps: the spec's, or the plug-in's own where it shows as many at the same places."""
    if line.labels:
        return line.labels
    own = dict(zip((round(raw, 3) for raw in control.positions), control.labels, strict=False))
    names = [own.get(round(raw, 3), str(number + 1)) for number, raw in enumerate(line.positions)]
    return tuple(names) if len(set(names)) == len(names) else tuple(str(n + 1) for n in range(len(names)))


def _line(row: Mapping[str, str]) -> Line:
    positions = tuple(float(raw) for raw in row["positions"].split("|") if raw)
    labels = tuple(label for label in row["labels"].split("|") if label)
    kind: Any = row["kind"]
    return Line(row["control"], row["group"], kind, float(row["low"]), float(row["high"]), positions, labels)
