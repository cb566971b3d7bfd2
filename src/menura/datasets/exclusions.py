"""Controls that no prior draws: they are set to the initial patch's value. Knows names, no engine.

Source: the neural-proxy paper, section 3.1.2: output volume, what a player's controller moves, polyphony and what
depends on notes played together, and what makes chance are fixed while presets are drawn.
"""

from __future__ import annotations

import re
from functools import cache

from menura.space import ParameterSpace

EXCLUDED = {
    r"((master|main|output|global)[ _])?volume|(master|main|output|global)[ _](level|gain)|voice_amplitude": (
        "output volume: a match corrects its loudness by itself"
    ),
    r".*(pitch[ _]?bend|mod[ _]?wheel|aftertouch).*|mpe.*|velocity_track": "moved by the player's controller",
    r"polyphony|voice_(priority|override)|legato|.*(portamento|glide).*": "heard only where notes meet",
    r".*(random[ _]?phase|phase[ _]?random)|random_\d_.*": "chance",
    r"beats_per_minute|tempo|bpm": "the host's tempo",
}
"""Patterns of names (whole, case does not count), and why."""

ABSENT_SOURCES = {
    r"mod_wheel|pitch_wheel|aftertouch|slide|lift": "moved by the player's controller: at rest in a rendered note",
    r"random.*": "chance",
}
"""Sources of routes that no prior draws, and why."""
_EXCLUDED = re.compile("|".join(f"(?:{pattern})" for pattern in EXCLUDED), re.IGNORECASE)
_ABSENT = re.compile("|".join(f"(?:{pattern})" for pattern in ABSENT_SOURCES))


def is_excluded(name: str) -> bool:
    """True for a control, or the destination of a route, that no prior draws."""
    return _EXCLUDED.fullmatch(name) is not None


def is_absent(source: str) -> bool:
    """True for a source of routes that no prior draws."""
    return _ABSENT.fullmatch(source) is not None


@cache
def drawn_space(space: ParameterSpace) -> ParameterSpace:
    """The space without excluded controls."""
    names = [name for name in space.names if is_excluded(name)]
    return space.lock(*names) if names else space
