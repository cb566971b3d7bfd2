"""Surge XT, Dexed, Diva and TAL-NoiseMaker as synths with names of their own, on the plug-in host.

Which of their controls are searched is data (`spec`). They run where the plug-in is installed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

from menura.errors import EngineError, PresetError
from menura.preset import Preset
from menura.space import ParameterSpace
from menura.synths.dx7.format import check_voice, name_of, read_voices
from menura.synths.dx7.synth import Dx7
from menura.synths.plugins.dexed import dx7_name, raws_of_voice
from menura.synths.plugins.folders import Format, Location, plugins
from menura.synths.plugins.h2p import H2p
from menura.synths.plugins.noisemaker import NoiseMakerPreset
from menura.synths.plugins.plugin import Plugin
from menura.synths.plugins.scan import last_scan
from menura.synths.plugins.spec import Adapted, Spec, adapt, plain, spec_of
from menura.synths.plugins.surge import SurgePatch
from menura.synths.plugins.surge_engine import find_surgepy

_ORDER: tuple[Format, ...] = ("vst3", "vst2", "lv2", "au")
"""Which format is taken where an instrument is there in several: the exactness of their states decides."""


class Instrument(Plugin):
    """A plug-in whose searched controls are packaged data."""

    instrument = ""
    """Name of the spec, and of the synth."""

    def __init__(self) -> None:
        """Finds the plug-in.

        Raises:
            EngineError: it is not installed, or is another version of it.
        """
        self.spec: Spec = spec_of(self.instrument)
        found = installed(self.spec)
        if found is None:
            module = f"the Python module {self.spec.python} and for " if self.spec.python else ""
            raise EngineError(
                f"{self.spec.title} is not installed; looked for {module}{', '.join(self.spec.files)} in the plug-in "
                f"folders that menura doctor lists; it is at {self.spec.home}"
            )
        super().__init__(found, self.instrument)
        self._adapted: Adapted = adapt(self.spec, self.name, self.probe.controls)
        self.probe = replace(self.probe, controls=self._adapted.controls)

    @cached_property
    def space(self) -> ParameterSpace:
        """The controls of the spec that the plug-in has."""
        return self._adapted.space

    def init(self) -> Preset:
        """What a fresh instance plays, each searched control within the range that is searched."""
        init = super().init()
        return self.space.decode(self.space.default, init)

    def freeze(self, preset: Preset) -> Preset:
        """The same preset without chance: by the lists of names, and by what the spec knows of the instrument."""
        still = super().freeze(preset)
        values = {name: self.spec.calm(self.probe.by_name[name], value) for name, value in still.values.items()}
        return still if values == still.values else replace(still, values=values)

    def _read(self, data: bytes) -> Preset:
        """The plug-in's state as its host keeps it; a native file is checked, and told what to do with."""
        if not self._is_native(data):
            return super()._read(data)
        raise PresetError(
            f"this is a whole {self.spec.preset} preset, which {self.spec.title} loads itself but no host may hand it; "
            f"open it there, and save it from your host as {self.suffix}"
        )

    def _is_native(self, data: bytes) -> bool:  # noqa: ARG002 - those that have such files look at it
        """True for a file that only the instrument's own window loads. Raises PresetError where it is broken."""
        return False


class SurgeXt(Instrument):
    """Surge XT: its own Python module where that is importable, else the plug-in. The module reads its .fxp patches."""

    instrument = "surge-xt"
    suffix = ".fxp"

    def _is_native(self, data: bytes) -> bool:
        if data[:4] != b"CcnK" or self.location.format == "vst2":
            return False
        SurgePatch.of_bytes(data)
        return self.location.format != "surgepy"


class Dexed(Instrument):
    """Dexed, a DX7; it reads .syx voices. The synth "dx7" plays and writes them without the plug-in."""

    instrument = "dexed"
    suffix = ".syx"

    def read(self, source: Path | bytes) -> Preset:
        """A preset from its file or bytes, of ``bank.syx#3`` the third voice. Raises PresetError."""
        if isinstance(source, bytes) or "#" not in source.name or source.exists():
            return super().read(source)
        voice = Dx7().read(source)
        return replace(super().read(Dx7().write(voice)), origin=voice.origin)

    def _read(self, data: bytes) -> Preset:
        if data[:1] != b"\xf0":
            return super()._read(data)
        voices = read_voices(data)
        if not voices:
            raise PresetError("the .syx file holds no DX7 voice; give a voice or a bank of 32")
        check_voice(voices[0])
        raws = raws_of_voice(voices[0])
        init = super().init()
        values = dict(init.values)
        for control in self.probe.controls:
            name = dx7_name(plain(control.name))
            if name is not None:
                values[control.name] = control.value(raws[name])
        return replace(init, values=values, name=name_of(voices[0]))


class Diva(Instrument):
    """u-he Diva."""

    instrument = "diva"
    suffix = ".h2p"

    def _is_native(self, data: bytes) -> bool:
        if b"#AM=" not in data[:65_536]:
            return False
        found = H2p.of_bytes(data)
        if found.instrument != "Diva":
            raise PresetError(f"the .h2p preset is for {found.instrument}, not for Diva")
        return True


class TalNoiseMaker(Instrument):
    """TAL-NoiseMaker."""

    instrument = "tal-noisemaker"
    suffix = ".noisemakerpreset"

    def _is_native(self, data: bytes) -> bool:
        if b"<tal" not in data[:4096]:
            return False
        NoiseMakerPreset.of_bytes(data)
        return True


def installed(spec: Spec) -> Location | None:
    """Where an instrument lies: its Python module, the names of its files, else what the last scan heard it called."""
    if spec.python:
        module = find_surgepy()
        if module is not None:
            return module
    wanted = {plain(name) for name in (*spec.files, spec.title)}
    found = [one for one in plugins() if plain(one.stem) in wanted]
    found += [line.location for line in last_scan() if plain(line.called) in wanted]
    return min(found, key=lambda one: _ORDER.index(one.format), default=None)
