"""What of a synth's presets an estimator predicts: a space, its parts, and which of those are interchangeable.

The base is the synth's own space, a part for each of its groups. A synth that is known better says more: Vital's choice
of stock tables and shapes becomes parameters, and its oscillators are one family; a DX7's ratios are choices. Knows no
network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from menura.space import ParameterSpace
from menura.synths.base import Synth


@dataclass(frozen=True)
class PatchSpace:
    """A space with its structure."""

    space: ParameterSpace
    part_of: Callable[[str], str]
    """The part of a parameter, or of the end of a modulation, by its name."""
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Parts that sound the same when their settings are exchanged, e.g. ``{"osc": ("osc_1", "osc_2")}``. A parameter's
    name begins with its part's and goes on the same in all of a family."""


def patch_space(synth: Synth) -> PatchSpace:
    """The space in which estimators of a synth answer."""
    if synth.name == "vital":
        from menura.synths.vital.patch_space import vital_patch_space

        return vital_patch_space()
    if synth.name == "dx7":
        from menura.synths.dx7.patch_space import dx7_patch_space

        return dx7_patch_space()
    return by_group(synth.space)


def by_group(space: ParameterSpace) -> PatchSpace:
    """A space with a part for each of its groups, none like another."""
    groups = {parameter.name: parameter.group for parameter in space.parameters}
    return PatchSpace(space, lambda name: groups.get(name, "voice"))
