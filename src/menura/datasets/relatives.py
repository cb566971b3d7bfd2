"""Relatives of presets that a user supplies: mutations of one, crossovers of two. Renders nothing.

A child names its first parent as its `lineage`, by which `splits.split_of` keeps siblings together; both parents of a
crossover are of one part of the usual split, where that part has two. A child that is nearly a parent is drawn again,
so that no near-duplicate of what was supplied comes out.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from menura.datasets.archive import Archive, is_tar
from menura.datasets.duplicates import PARAMETER_TWINS, knob_space, parameter_distance, parameter_picture
from menura.datasets.exclusions import drawn_space
from menura.datasets.splits import split_of
from menura.datasets.voices import ENDINGS, Voices
from menura.errors import ManifestError, PresetError
from menura.preset import Preset
from menura.space import ParameterSpace
from menura.synths.base import Synth

_TRIES = 16
_SHARE = (0.05, 0.5)
"""Share of the knobs that are heard which a mutation moves, from a retouch to another patch."""
_STEP = (0.03, 0.4)
"""Standard deviation of a knob's move, as a share of its range."""


@dataclass(frozen=True)
class Relatives:
    """Presets at a path, one after another as parents."""

    path: Path
    suffix: str
    """Ending of the synth's files."""
    name: str = field(default="relatives", init=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers read the presets themselves.
        return type(self), (self.path, self.suffix)

    @cached_property
    def fingerprint(self) -> str:
        """Of the files."""
        return self._bank.sha256

    @cached_property
    def _bank(self) -> Archive | Voices:
        if not (self.path.is_dir() or self.path.is_file()):
            raise ManifestError(
                f"{self.path} is not there; give a folder or tar of {self.suffix} presets, or one preset"
            )
        many = self.suffix == ".syx" and self.path.suffix.lower() in ENDINGS
        if self.path.is_file() and not many and not is_tar(self.path) and self.path.suffix.lower() != self.suffix:
            raise ManifestError(f"{self.path} is no {self.suffix} preset; give a folder or tar of them, or one of them")
        return Voices(self.path) if many else Archive(self.path, self.suffix)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the files.

        Raises:
            ManifestError: there are none.
        """
        if not self._bank.names:
            raise ManifestError(f"{self.path} holds no {self.suffix} presets; name a folder or tar of them")
        return self._bank.names

    @cached_property
    def _contents(self) -> Mapping[str, bytes]:
        # Preset files are mostly text: held compressed, a thousand of Vital's take 50 MB.
        return {name: zlib.compress(content, 1) for name, content in self._bank.read(self.names).items()}

    def parent(self, synth: Synth, rng: np.random.Generator, names: list[str]) -> tuple[str, Preset]:
        """(name, preset) of one of these files; those that cannot be read are passed over.

        Raises:
            ManifestError: none can be read.
        """
        why = "unreadable"
        for place in rng.permutation(len(names)):
            try:
                return names[place], synth.read(zlib.decompress(self._contents[names[place]]))
            except (KeyError, PresetError) as error:
                why = str(error)
        raise ManifestError(f"none of the {len(names)} presets of {self.path} can be read, one because: {why}")


@dataclass(frozen=True)
class Mutation(Relatives):
    """A preset of a folder with some of its knobs moved, a little or much."""

    name: str = field(default="mutate", init=False)

    def __call__(self, synth: Synth, rng: np.random.Generator) -> Preset:
        """A mutation that is no near-duplicate of its parent. Raises ManifestError."""
        name, parent = self.parent(synth, rng, list(self.names))
        return replace(mutated(synth, parent, rng), origin={"parents": [name], "lineage": name})


@dataclass(frozen=True)
class Crossover(Relatives):
    """Two presets of a folder, each giving some groups of controls: oscillators of one, filters of another."""

    name: str = field(default="crossover", init=False)

    def __call__(self, synth: Synth, rng: np.random.Generator) -> Preset:
        """A crossover that is no near-duplicate of a parent; where two cannot give one, it is mutated.

        Raises:
            ManifestError: there are fewer than two presets, or none that can be read.
        """
        if len(self.names) < 2:
            raise ManifestError(f"{self.path} holds one preset; a crossover takes two, so give more, or use mutate")
        name, parent = self.parent(synth, rng, list(self.names))
        others = [other for other in self.names if other != name]
        # Within a part of the usual split, so that no child has a parent on each side.
        near = [other for other in others if split_of(other) == split_of(name)]
        second, partner = self.parent(synth, rng, near or others)
        origin = {"parents": [name, second], "lineage": name}
        groups = np.array(synth.space.groups)
        for _ in range(_TRIES):
            child = crossed(synth, parent, partner, groups[rng.random(len(groups)) < 0.5].tolist())
            if not any(_is_twin(synth.space, child, old) for old in (parent, partner)):
                return replace(child, origin=origin)
        return replace(mutated(synth, child, rng), origin=origin)


def mutated(synth: Synth, parent: Preset, rng: np.random.Generator) -> Preset:
    """The preset with some of the knobs that are heard moved, seldom a choice; far enough to be no near-duplicate."""
    space = drawn_space(synth.space)
    sounding: Callable[[Preset, Iterable[str]], list[str]] = getattr(synth, "sounding", lambda _, names: list(names))
    names = sounding(parent, space.names)
    # Ends of routes stay: a route with another end is another patch.
    places = np.array([space.index(name) for name in names if space[name].field not in ("source", "destination")])
    steps = np.array([space.parameters[place].kind == "continuous" for place in places])
    child = parent
    for attempt in range(_TRIES):
        share = rng.uniform(*_SHARE)
        step = float(np.exp(rng.uniform(*np.log(_STEP)))) * (1.0 + attempt / 4.0)
        moved = rng.random(len(places)) < np.where(steps, share, share * min(step, 0.25))
        vector = space.encode(parent).astype(np.float64)
        fresh = space.sample(rng, 1)[0]
        turned = _reflected(vector[places] + step * rng.standard_normal(len(places)))
        vector[places] = np.where(moved, np.where(steps, turned, fresh[places]), vector[places])
        child = space.decode(vector, parent)
        if not _is_twin(synth.space, child, parent):
            break
    return child


def crossed(synth: Synth, parent: Preset, partner: Preset, groups: list[str]) -> Preset:
    """The first preset with these groups of controls, and what belongs to them, from the second."""
    if not groups:
        return parent
    part = synth.space.subset(*groups)
    child = part.decode(part.encode(partner), parent)
    with_blocks: Callable[[Preset, Preset, list[str]], Preset] = getattr(synth, "with_blocks", lambda own, *_: own)
    return with_blocks(child, partner, groups)


def _reflected(coordinates: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Coordinates thrown back from both ends of their range."""
    folded = np.abs(coordinates) % 2.0
    return np.where(folded > 1.0, 2.0 - folded, folded)


def _is_twin(space: ParameterSpace, child: Preset, parent: Preset) -> bool:
    knobs = knob_space(space)
    return parameter_distance(parameter_picture(child, knobs), parameter_picture(parent, knobs)) < PARAMETER_TWINS
