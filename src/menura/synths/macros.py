"""Musical macros: moves over a patch that a musician names. Owns the vocabulary and the lookup; knows no synth.

A macro goes from -1 to 1; at 0 the patch is as it was. What a macro turns, each synth's own file says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from menura.errors import InputError
from menura.preset import Preset


@dataclass(frozen=True, slots=True)
class Macro:
    """One move."""

    name: str
    more: str
    """What it does towards 1, as a musician says it."""
    less: str
    """What it does towards -1."""
    hint: str
    """What is turned."""
    turn: Callable[[Preset, float], Preset]
    """The patch and an amount from -1 to 1, not 0, to the patch."""


def macros_of(synth: str) -> tuple[Macro, ...]:
    """The macros of a synth; none for one whose patches are not known."""
    if synth == "vital":
        from menura.synths.vital.macros import MACROS

        return MACROS
    return ()


def turned(preset: Preset, amounts: Mapping[str, float]) -> Preset:
    """A patch with macros turned, in the order of the synth's list, so that the order of asking changes nothing.

    Args:
        preset: as matched.
        amounts: macro to amount, -1 to 1.

    Raises:
        InputError: a macro is unknown, or an amount out of range.
    """
    known = {macro.name: macro for macro in macros_of(preset.synth)}
    for name, amount in amounts.items():
        if name not in known:
            raise InputError(f"no macro of {preset.synth} is called {name!r}; known: {', '.join(known) or 'none'}")
        if not -1.0 <= amount <= 1.0:
            raise InputError(f"macro {name} is {amount}; give -1 to 1")
    for name, macro in known.items():
        if amounts.get(name):
            preset = macro.turn(preset, float(amounts[name]))
    return preset
