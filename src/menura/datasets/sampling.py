"""Samplers: what draws presets of a synth, by name. A draw is a pure function of seed, index, attempt and the space.

Owns the names, the specs (``mutate:FOLDER``) and how a draw is seeded. Renders nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from menura.datasets.exclusions import drawn_space, is_absent
from menura.errors import InputError
from menura.preset import Preset
from menura.registry import Registry
from menura.storage import hash_bytes
from menura.synths.base import Synth

_MOVED = 0.25
_MOST_ROUTES = 4


class Sampler(Protocol):
    """Draws one preset.

    A sampler may have a `name`, and a `fingerprint`: a text that changes when its draws do. Keep it picklable.
    """

    def __call__(self, synth: Synth, rng: np.random.Generator) -> Preset:
        """A preset of the synth, decided by the generator alone."""
        ...


@dataclass(frozen=True)
class OfSynth:
    """A sampler that knows some synths, each by a function of its own."""

    name: str
    targets: Mapping[str, str]
    """Synth to ``"module:attribute"`` of what draws its presets."""

    def __call__(self, synth: Synth, rng: np.random.Generator) -> Preset:
        """A preset of the synth. Raises InputError, as `of`."""
        return self.of(synth)(synth, rng)

    def of(self, synth: Synth) -> Sampler:
        """What draws presets of the synth.

        Raises:
            InputError: it does not know the synth; the message names those samplers that do.
        """
        if synth.name not in self.targets:
            raise InputError(
                f"sampler {self.name!r} knows {', '.join(sorted(self.targets))} and not {synth.name!r}; "
                f"of {synth.name!r} there are {', '.join(samplers_of(synth))}"
            )
        return self._draws.get(synth.name)

    @cached_property
    def _draws(self) -> Registry[Sampler]:
        return Registry(f"{self.name} sampler", f"menura.samplers.{self.name}", self.targets)


SAMPLERS: Registry[Sampler] = Registry(
    "sampler",
    "menura.samplers",
    {name: f"menura.datasets.sampling:{name}" for name in ("uniform", "sparse", "family", "human")},
)
"""By name; another package adds its own under ``menura.samplers``."""

_FROM_PRESETS = {"mutate": "Mutation", "crossover": "Crossover"}


def uniform(synth: Synth, rng: np.random.Generator) -> Preset:
    """Every parameter uniform in its range, every choice as likely as the others, routes included.

    Excluded controls stay at the initial patch's, and routes from sources that rest or make chance are left out.

    Source: the neural-proxy paper, section 3.1.2; `exclusions` lists what is fixed.
    """
    space = drawn_space(synth.space)
    preset = space.decode(space.sample(rng, 1)[0], synth.init())
    return replace(preset, routes=tuple(route for route in preset.routes if not is_absent(route.source)))


def sparse(synth: Synth, rng: np.random.Generator) -> Preset:
    """The initial patch with a quarter of its knobs moved, each uniform in its range, and up to four routes.

    People leave most knobs alone too; of uniform patches of a large synth nearly all are silent or noise.
    """
    space, start = synth.space, synth.init()
    moved = rng.random(space.dim) < _MOVED
    used = set(rng.permutation(range(1, space.slots + 1))[: rng.integers(_MOST_ROUTES + 1)].tolist())
    slotted = np.array([parameter.slot > 0 for parameter in space.parameters])
    in_use = np.array([parameter.slot in used for parameter in space.parameters])
    drawn = space.sample(rng, 1)[0]
    return space.decode(np.where(np.where(slotted, in_use, moved), drawn, space.encode(start)), start)


family = OfSynth("family", {"vital": "menura.datasets.family_prior:vital_family"})
"""What a bass, a pad or a drum tends to be, one family after another."""
human = OfSynth(
    "human",
    {"vital": "menura.datasets.vital_prior:human_vital", "dx7": "menura.datasets.dx7_prior:human_dx7"},
)
"""As people set the controls, by statistics."""


def sampler_of(spec: str, synth: Synth) -> Sampler:
    """The sampler that a name or spec means.

    Args:
        spec: a name in `SAMPLERS`, or ``mutate:PATH`` or ``crossover:PATH`` with a folder or tar of the synth's
            presets, or one preset.
        synth: whose presets it is to draw.

    Raises:
        UnknownNameError: no such sampler; the message lists those that there are.
        InputError: the sampler does not know the synth, or lacks its path.
        ManifestError: there are no presets at the path.
    """
    name, _, path = spec.partition(":")
    if name in _FROM_PRESETS:
        if not path:
            raise InputError(f"sampler {name!r} needs presets; write {name}:FOLDER with a folder or tar of them")
        from menura.datasets import relatives

        return cast(Sampler, getattr(relatives, _FROM_PRESETS[name])(Path(path).expanduser(), synth.suffix))
    sampler = SAMPLERS.get(spec)
    if isinstance(sampler, OfSynth):
        sampler.of(synth)
    return sampler


def samplers_of(synth: Synth) -> list[str]:
    """Names and specs of the samplers that know a synth."""
    found = {name: SAMPLERS.get(name) for name in SAMPLERS}
    foreign = {name for name, it in found.items() if isinstance(it, OfSynth) and synth.name not in it.targets}
    return [*(name for name in found if name not in foreign), *(f"{name}:FOLDER" for name in _FROM_PRESETS)]


def draw_preset(
    sampler: Sampler, synth: Synth, seed: int, index: int, attempt: int = 0, *, freeze: bool = True
) -> Preset:
    """The preset of item `index`, at its `attempt`-th draw; nothing is rendered.

    It depends on nothing but the arguments, so that items can be drawn anywhere in any order. An item whose draw is
    silent, or refused for another reason, takes its next attempt.

    Args:
        sampler: draws it.
        synth: whose preset it is; its space is part of the seed.
        seed: of the whole set, 0 or more.
        index: of the item, 0 or more.
        attempt: 0 for the first draw.
        freeze: without chance, so that every render is alike.
    """
    words = [seed, index, attempt, int(synth.space.fingerprint, 16)]
    if min(words) < 0:
        raise InputError(f"seed {seed}, item {index}, attempt {attempt}; give whole numbers from 0")
    preset = sampler(synth, np.random.default_rng(words))
    preset = synth.freeze(preset) if freeze else preset
    label = label_of(sampler)
    origin: dict[str, Any] = {**preset.origin, "sampler": label, "seed": seed, "item": index, "draw": attempt}
    return replace(preset, name=f"{label} {seed}-{index}", origin=origin)


def label_of(sampler: Sampler) -> str:
    """What a sampler is called in names and origins."""
    return str(getattr(sampler, "name", None) or getattr(sampler, "__name__", None) or type(sampler).__name__.lower())


def fingerprint_of(sampler: Sampler, synth: Synth) -> str:
    """Changes when the sampler's draws of a synth may: hash of its label, its own fingerprint, and the space."""
    own = getattr(sampler.of(synth) if isinstance(sampler, OfSynth) else sampler, "fingerprint", "")
    return hash_bytes("\x1f".join([label_of(sampler), str(own), synth.space.fingerprint]).encode())[:16]
