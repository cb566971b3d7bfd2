"""Work for a process of its own in tests of plug-ins."""

from __future__ import annotations

from dataclasses import replace

from menura.errors import RenderError
from menura.synths.plugins.controls import Probe
from menura.synths.plugins.folders import Location
from menura.synths.plugins.host import open_plugin
from menura.synths.plugins.state import apply


def dropped(location: Location, probe: Probe) -> str:
    """What is said when a control that was believed to stay does not."""
    trusting = replace(probe, controls=tuple(replace(one, held=True) for one in probe.controls))
    try:
        apply(open_plugin(location, 44_100), trusting, {"Stuck": 0.9})
    except RenderError as error:
        return str(error)
    return "nothing was said"
