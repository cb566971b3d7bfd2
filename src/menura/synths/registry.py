"""The synths by name. Loads one when it is asked for, never its engine before.

Another package adds its own under the entry-point group ``menura.synths``.
"""

from __future__ import annotations

from functools import cache

from menura.registry import Registry
from menura.synths.base import Synth

SYNTHS: Registry[type[Synth]] = Registry(
    "synth",
    "menura.synths",
    {
        "vital": "menura.synths.vital:Vital",
        "dx7": "menura.synths.dx7:Dx7",
        "toy": "menura.synths.toy:Toy",
    },
)


@cache
def synth_of(name: str) -> Synth:
    """The synth of that name, the same object each time.

    Raises:
        UnknownNameError: no such synth; the message lists those that there are.
        EngineError: its engine is missing or refused to start.
    """
    return SYNTHS.get(name)()
