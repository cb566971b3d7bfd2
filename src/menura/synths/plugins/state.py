"""A preset into a plug-in and out of it again, each step checked by reading back.

Some plug-ins drop parameters that are set by number, or take a preset file and do nothing with it. So every parameter
is read back, and a state that changed neither a parameter nor the sound is refused. Runs foreign code.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from menura.errors import EngineError, MenuraError, PresetError, RenderError
from menura.synths.plugins.controls import Control, Probe
from menura.synths.plugins.folders import Location
from menura.synths.plugins.host import Instance, open_plugin
from menura.synths.plugins.probe import NOTE, RATE


def apply(instance: Instance, probe: Probe, raws: Mapping[str, float]) -> None:
    """Moves the controls to raw values, and reads each back.

    Raises:
        RenderError: some did not stay where they were put.
    """
    wanted = [(probe.by_name[name], raw) for name, raw in raws.items()]
    lost: list[Control] = []
    back: list[float] = []
    # Twice: one control may move others.
    for _ in range(2):
        for control, raw in wanted:
            if instance.value(control.index) != float(np.float32(raw)):
                instance.set(control.index, raw)
        back = instance.standing()
        lost = [one for one, raw in wanted if one.held and not one.took(raw, back[one.index])]
        if not lost:
            return
    told = ", ".join(f"{one.name} ({back[one.index]:.3f} for {raws[one.name]:.3f})" for one in lost[:3])
    more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
    raise RenderError(
        f"the plug-in did not take {len(lost)} of {len(raws)} controls: {told}{more}; add them to exclude in "
        "plugins.toml, or update the plug-in"
    )


def load_state(instance: Instance, data: bytes) -> None:
    """Gives a fresh instance a state. Raises PresetError."""
    try:
        instance.load(data)
    except EngineError as error:
        raise PresetError(str(error)) from error


def saved(location: Location, probe: Probe, raws: Mapping[str, float], state: bytes | None) -> bytes:
    """The plug-in's own file of a preset.

    Raises:
        PresetError: the state is refused.
        RenderError: a control is not taken.
    """
    instance = open_plugin(location, RATE)
    if state is not None:
        load_state(instance, state)
    apply(instance, probe, raws)
    return instance.save()


def loaded(location: Location, probe: Probe, data: bytes) -> dict[str, float]:
    """The raw values of all controls after a fresh instance took the plug-in's own file.

    Raises:
        PresetError: it is refused, or taken and then changes nothing.
    """
    instance = open_plugin(location, RATE)
    before = {control.name: instance.value(control.index) for control in probe.controls}
    load_state(instance, data)
    after = {control.name: instance.value(control.index) for control in probe.controls}
    if after == before and instance.save() != data and data != open_plugin(location, RATE).save():
        try:
            heard = instance.play(NOTE, RATE)
            fresh = open_plugin(location, RATE).play(NOTE, RATE)
        except MenuraError as error:
            raise PresetError(f"the plug-in took the preset and then made no sound: {error}") from error
        if np.array_equal(heard, fresh):
            raise PresetError(
                "the plug-in took the preset file, but neither a control nor the sound changed; "
                "it may want its window open to load one, or the file is its initial patch"
            )
    return after
