"""The synths by name. Loads one when it is asked for, never its engine before.

Another package adds its own under the entry-point group ``menura.synths``. A name ``plugin:...`` is a plug-in
wherever it lies (`menura.synths.plugins.plugin`); such names are not listed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import cast

from menura.registry import Registry
from menura.synths.base import Synth

_PLUGIN = "plugin:"


class _Synths(Registry[Callable[[], Synth]]):
    """The registry of synths, which takes every plug-in's name for a synth's."""

    def get(self, name: str) -> Callable[[], Synth]:
        """What makes the synth of that name. Raises UnknownNameError, EngineError."""
        if not name.startswith(_PLUGIN):
            return super().get(name)
        from menura.synths.plugins.plugin import plugin_of

        return cast(Callable[[], Synth], partial(plugin_of, name))

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.startswith(_PLUGIN))


SYNTHS = _Synths(
    "synth",
    "menura.synths",
    {
        "vital": "menura.synths.vital.synth:Vital",
        "dx7": "menura.synths.dx7.synth:Dx7",
        "toy": "menura.synths.toy:Toy",
        "dexed": "menura.synths.plugins.adapters:Dexed",
        "diva": "menura.synths.plugins.adapters:Diva",
        "surge-xt": "menura.synths.plugins.adapters:SurgeXt",
        "tal-noisemaker": "menura.synths.plugins.adapters:TalNoiseMaker",
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
