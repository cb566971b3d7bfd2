"""Any VST3, VST2 or LV2 instrument (Audio Units on macOS) as a `Synth`, called ``plugin:URI|PATH|NAME``.

No plug-in code runs in the caller's process: probing, rendering and preset files are done by workers, so that a
plug-in that aborts or hangs costs one failed answer.
"""

from __future__ import annotations

import atexit
import base64
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from menura.audio import Audio
from menura.errors import EngineError, InputError, PresetError, RenderError, UnknownNameError
from menura.note import Note
from menura.preset import Preset
from menura.space import ParameterSpace
from menura.synths.plugins.cache import probed
from menura.synths.plugins.controls import Probe, space_of
from menura.synths.plugins.document import (
    SUFFIX,
    check_identity,
    check_preset,
    identity_of,
    of_document,
    split_tail,
    state_of,
    to_document,
    with_tail,
)
from menura.synths.plugins.folders import Location, locate, short_name
from menura.synths.plugins.fxp import Fxp, program
from menura.synths.plugins.lv2 import preset_bundle
from menura.synths.plugins.names import Names, names_for
from menura.synths.plugins.worker import isolated

if TYPE_CHECKING:
    from menura.synths.plugins.player import PluginPlayer
    from menura.synths.pool import RenderPool

PREFIX = "plugin:"
_NOTE = Note()
_SECONDS = 60.0
"""What loading or saving one preset may take."""


class Plugin:
    """One plug-in instrument."""

    def __init__(self, location: Location, name: str | None = None) -> None:
        """Looks up what is known of the plug-in; the first time, it is probed (some seconds).

        Args:
            location: the plug-in.
            name: of the synth; ``plugin:`` and its short name by default.

        Raises:
            EngineError: the host is missing, or the plug-in cannot be used.
        """
        self.location = location
        self.probe: Probe = probed(self.location)
        self.name = PREFIX + short_name(self.location) if name is None else name
        self.version = f"{self.location.stem} {self.probe.content[:12]} in {self.probe.host}"
        chunk = ".fxb" if self.probe.chunk else ".fxp"
        files = {"vst3": ".vstpreset", "vst2": chunk, "surgepy": ".fxp"}
        self.suffix = files.get(self.location.format, SUFFIX)
        self._pools: dict[int, RenderPool] = {}

    @cached_property
    def names(self) -> Names:
        """The lists of names that say which controls are searched."""
        return names_for(self.probe.plugin)

    @cached_property
    def space(self) -> ParameterSpace:
        """Every control that no list of names leaves out."""
        return space_of(self.name, self.probe.controls, self.names)

    def init(self) -> Preset:
        """What a fresh instance plays."""
        values = {control.name: control.value(control.default) for control in self.probe.controls}
        return Preset(self.name, values, name="Init", blocks={"plugin": identity_of(self.probe)})

    def render(self, preset: Preset, note: Note = _NOTE, *, sample_rate: int = 44_100) -> Audio:
        """The sound of a preset on a fresh instance, shape (2, round(note.total * sample_rate)).

        The part of the pitch between two keys is played with the pitch wheel; where probing found that the wheel
        does nothing (`probe.bend` is 0), the nearest key has to do.

        Raises:
            PresetError: the preset is broken or of another synth.
            RenderError: the plug-in crashed, hung, did not take a control, or gave no finite sound.
        """
        check_preset(preset, self.probe, self.name)
        rendered = self._pool(sample_rate).render_many([(preset, note)])[0]
        if rendered.audio is None:
            raise RenderError(f"{self.name}: {rendered.error}")
        return rendered.audio

    def player(self, mode: str) -> PluginPlayer:
        """What a worker of the pool renders with; `mode` is "exact" or "fast"."""
        from menura.synths.plugins.player import PluginPlayer

        return PluginPlayer(self.name, self.location, self.probe, mode)

    def freeze(self, preset: Preset) -> Preset:
        """The same preset with the controls of chance, by the lists of names, at 0."""
        chance = [one.name for one in self.probe.controls if self.names.role(one.name) == "chance"]
        return preset.with_values(**dict.fromkeys(chance, 0.0)) if chance else preset

    def read(self, source: Path | bytes) -> Preset:
        """A preset from its file or bytes: the plug-in's own format, or menura's.

        Raises:
            PresetError: it cannot be read, is broken, is for another plug-in, or changes nothing when it is loaded.
            EngineError: the plug-in crashed or hung over it.
        """
        if isinstance(source, bytes):
            return self._read(source)
        path = Path(source)
        try:
            preset = self._read(path.read_bytes())
        except OSError as error:
            raise PresetError(
                f"{path} cannot be read ({error.strerror or error}); give a {self.suffix} file"
            ) from error
        except PresetError as error:
            raise PresetError(f"{path}: {error}") from error
        return replace(preset, origin={"file": path.name})

    def write(self, preset: Preset) -> bytes:
        """The preset as a file of the plug-in's format. Raises PresetError, EngineError where the plug-in fails."""
        check_preset(preset, self.probe, self.name)
        document, state = to_document(preset, self.probe), state_of(preset)
        if self.suffix == SUFFIX:
            return document
        raws = self._raws(preset.values)
        if self.suffix == ".fxp" and not self.probe.chunk and state is None:
            values = [raws.get(one.name, one.default) for one in self.probe.controls]
            return program(bytes.fromhex(self.probe.uid), self.probe.version, preset.name, values).to_bytes()
        return with_tail(self._in_plugin("saved", raws, state), document)

    def bundle(self, preset: Preset) -> Mapping[str, bytes]:
        """The preset as the files of an LV2 preset bundle, which hosts list beside the plug-in's own presets.

        Raises:
            InputError: the plug-in is no LV2.
            PresetError: the preset is broken.
            EngineError: the plug-in failed over it.
        """
        if self.location.format != "lv2":
            raise InputError(f"{self.name} is {self.location.format}, not LV2; its own files open in hosts already")
        check_preset(preset, self.probe, self.name)
        state = self._in_plugin("saved", self._raws(preset.values), state_of(preset))
        return preset_bundle(self.location.place, preset.name or "menura", preset.id[:16], state)

    def _read(self, data: bytes) -> Preset:
        if data[:1] == b"{" or self.suffix == SUFFIX:
            return of_document(data, self.probe, self.name)
        body, document = split_tail(data)
        if document is not None:
            return of_document(document, self.probe, self.name)
        if self.location.format in ("vst2", "surgepy"):
            return self._vst2(body)
        if body[:4] != b"VST3":
            raise PresetError(f"not a {self.suffix} preset: it does not begin with VST3")
        check_identity(body[8:40].decode("ascii", "replace"), "of another maker", self.probe)
        return self._of_state(body, "")

    def _vst2(self, body: bytes) -> Preset:
        found = Fxp.of_bytes(body)
        check_identity(found.uid.hex(), found.uid.decode("latin-1"), self.probe)
        if found.kind in ("FPCh", "FBCh") or self.probe.chunk:
            return self._of_state(body, found.title)
        if len(found.values) != len(self.probe.controls):
            raise PresetError(
                f"the preset has {len(found.values)} parameters, {self.probe.plugin} has {len(self.probe.controls)}; "
                "is it of another version?"
            )
        raws = {one.name: raw for one, raw in zip(self.probe.controls, found.values, strict=True)}
        return self._preset(raws, found.title, {})

    def _of_state(self, body: bytes, title: str) -> Preset:
        raws: Mapping[str, float] = self._in_plugin("loaded", body)
        return self._preset(raws, title, {"state": base64.b64encode(body).decode()})

    def _preset(self, raws: Mapping[str, float], title: str, blocks: Mapping[str, Any]) -> Preset:
        values = {name: self.probe.by_name[name].value(raw) for name, raw in raws.items()}
        preset = Preset(self.name, values, name=title, blocks={"plugin": identity_of(self.probe), **blocks})
        check_preset(preset, self.probe, self.name)
        return preset

    def _raws(self, values: Mapping[str, float]) -> dict[str, float]:
        return {name: self.probe.by_name[name].raw(value) for name, value in values.items()}

    def _in_plugin(self, task: str, *arguments: Any) -> Any:
        try:
            return isolated(
                f"menura.synths.plugins.state:{task}", self.location, self.probe, *arguments, seconds=_SECONDS
            )
        except EngineError as error:
            raise EngineError(f"{self.name} failed over this preset: {error}") from error

    def _pool(self, sample_rate: int) -> RenderPool:
        """One worker for single renders at a rate; it starts with the first and ends with the process."""
        from menura.synths.pool import RenderPool

        if sample_rate not in self._pools:
            pool = RenderPool(self.name, workers=1, mode="exact", timeout=_SECONDS, sample_rate=sample_rate)
            atexit.register(pool.close)
            self._pools[sample_rate] = pool
        return self._pools[sample_rate]


def is_plugin(name: object) -> bool:
    """True for names of the form ``plugin:...``."""
    return isinstance(name, str) and name.startswith(PREFIX)


def plugin_of(name: str) -> Plugin:
    """The plug-in of a name ``plugin:URI|PATH|NAME``. Raises UnknownNameError, EngineError."""
    text = name.removeprefix(PREFIX)
    if not text:
        raise InputError("plugin: names no plug-in; give a URI, a path or a name, see: menura synths scan")
    try:
        return Plugin(locate(text))
    except UnknownNameError:
        from menura.synths.plugins.scan import scanned

        location = scanned(text)
        if location is None:
            raise
        return Plugin(location)
