"""Finding out what the controls of a plug-in are: sets each, reads it back, reads its text, and listens.

Runs foreign code: call `probe` through `worker.isolated`. `cache` keeps what it found.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from menura import storage
from menura.errors import MenuraError
from menura.note import Note
from menura.synths.plugins.controls import Control, Probe
from menura.synths.plugins.ear import Play, listen
from menura.synths.plugins.folders import Location, short_name
from menura.synths.plugins.host import Described, Instance, Sound, host_version, open_plugin
from menura.synths.plugins.names import names_for

NOTE = Note(57.0, 0.8, 0.3, 0.5)
"""What is played to listen to a control."""
RATE = 44_100
_COARSE = np.linspace(0.0, 1.0, 65)
_FINE = np.linspace(0.0, 1.0, 1025)
_MOST_STEPS = 128
_FEW = 200
_BEND = 4096
_HEARD = 128
"""With more controls than this, listening to each is left to `menura synths verify`. A number, not a time: what is
found must not depend on how busy the machine is."""


def probe(location: Location, thorough: bool = False) -> dict[str, Any]:
    """All about one plug-in, as plain values of a `Probe`.

    Args:
        location: the plug-in.
        thorough: listen to every control however long it takes.

    Raises:
        EngineError: it does not load, or is no instrument.
    """
    instance = open_plugin(location, RATE)
    name = short_name(location)
    names = names_for(name)
    shown = [row for row in instance.described() if names.role(row.name) != "midi"]
    fresh = {row.index: instance.value(row.index) for row in shown}
    unlike: dict[str, int] = {}
    controls: list[Control] = []
    for row in shown:
        called = row.name or f"parameter {row.index}"
        unlike[called] = unlike.get(called, 0) + 1
        called = called if unlike[called] == 1 else f"{called} ({unlike[called]})"
        # Moving a program selector moves everything else: it is left where it is.
        still = names.role(row.name) == "program"
        plain = Control(row.index, called, row.units, fresh[row.index])
        controls.append(plain if still else _stepped(instance, row, plain, len(shown) <= _FEW))
    state = instance.save()
    # Chance is off while menura listens; otherwise every control would seem to do something.
    calm = {one.index: 0.0 for one in controls if names.role(one.name) == "chance"}
    first = _played(location, calm)
    second = _played(location, calm)
    found = Probe(
        plugin=name,
        format=location.format,
        uid=identity(location, state),
        version=int.from_bytes(state[20:24]) if state[:4] == b"CcnK" else 0,
        content=storage.hash_file(location.file),
        host=host_version(location.format),
        controls=tuple(controls),
        chunk=location.format in ("vst3", "au") or state[8:12] in (b"FBCh", b"FPCh"),
        bend=_bend_range(location),
        silent=first is None or float(np.abs(first).max()) < 1e-5,
        repeats=second is not None and first is not None and np.array_equal(first, second),
        milliseconds=1000.0 * _cost(location),
    )

    def reused() -> Play:
        again = _Reused(location)
        return lambda raws: again.played({**calm, **raws})

    slow = not thorough and len(controls) > _HEARD
    return listen(found, names, lambda raws: _played(location, {**calm, **raws}), reused, slow).to_json()


def identity(location: Location, state: bytes) -> str:
    """The plug-in's own mark, by which its preset files are told from those of others."""
    if location.format == "lv2":
        return location.place
    if state[:4] == b"CcnK":
        return state[16:20].hex()
    if state[:4] == b"VST3":
        return state[8:40].decode("ascii", "replace")
    return location.stem


def _stepped(instance: Instance, row: Described, control: Control, few: bool) -> Control:
    """The control with its steps, if it tells of any by their number, by its text or by what is read back.

    Reading back asks for all parameters at once: where there are many, that is left to the text.
    """

    def at(raw: float) -> tuple[float, str]:
        instance.set(row.index, float(raw))
        return (instance.standing()[row.index] if few else float(raw)), instance.text(row.index)

    try:
        coarse = [] if row.positions is not None else [at(raw) for raw in _COARSE]
        ends: list[float] = []
        for raw in (0.0, 1.0):
            instance.set(row.index, raw)
            ends.append(instance.standing()[row.index])
        held = ends[1] - ends[0] > 0.5
        positions: Sequence[float] = row.positions or ()
        if row.positions is not None:
            pass  # nothing to find out
        elif row.steps and row.steps <= _MOST_STEPS:
            positions = [number / (row.steps - 1) for number in range(row.steps)]
        elif len({text for _, text in coarse}) < len(coarse) or len({back for back, _ in coarse}) < len(coarse):
            positions = _runs([at(raw) for raw in _FINE], control.default)
        labels = tuple(at(raw)[1] for raw in positions)
    finally:
        instance.set(row.index, control.default)
    return Control(
        control.index,
        control.name,
        control.units,
        control.default,
        tuple(float(np.float32(raw)) for raw in positions),
        labels,
        switch=row.boolean,
        held=held,
    )


def _runs(fine: Sequence[tuple[float, str]], default: float) -> list[float]:
    """A raw value for each step that texts or values read back tell of; none where there are too few or too many."""
    for part in (0, 1):
        seen = [back for back, _ in fine] if part == 0 else [text for _, text in fine]
        positions = steps_of(seen, default)
        if positions:
            return positions
    return []


def steps_of(seen: Sequence[object], default: float) -> list[float]:
    """The raw value of each step, from what was seen at evenly spaced raw values from 0 to 1.

    Args:
        seen: one thing for each raw value; steps are runs of equal things.
        default: raw value of the default, kept for the step that it is in.

    Returns:
        Ascending raw values, the evenly spaced one where it lies in its run; empty where there are no steps: one
        thing for all, more than 128, a thing that comes back, or a run so short that a slope is likelier.
    """
    last = len(seen) - 1
    starts = [0, *(number for number in range(1, last + 1) if seen[number] != seen[number - 1])]
    count = len(starts)
    ends = [*(start - 1 for start in starts[1:]), last]
    inner = [end - start + 1 for start, end in zip(starts, ends, strict=True)][1:-1]
    if not 2 <= count <= _MOST_STEPS or len(set(seen)) != count or (inner and min(inner) < 3):
        return []
    found: list[float] = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        even = number / (count - 1)
        low, high = start / last, end / last
        middle = even if low <= even <= high else 0.5 * (low + high)
        found.append(default if low <= default <= high else middle)
    return found


class _Reused:
    """One instance that plays again and again; after each note it stands at its defaults again."""

    def __init__(self, location: Location) -> None:
        self._instance = open_plugin(location, RATE)
        self._standing: dict[int, float] = {}
        self._fresh: dict[int, float] = {}

    def played(self, raws: Mapping[int, float]) -> Sound | None:
        """The sound; None where the plug-in gave none that is finite."""
        for index in {*raws, *self._standing}:
            if index not in self._fresh:
                self._fresh[index] = self._instance.value(index)
            self._instance.set(index, raws.get(index, self._fresh[index]))
        self._standing = dict(raws)
        try:
            return self._instance.play(NOTE, RATE)
        except MenuraError:
            return None


def _played(location: Location, raws: Mapping[int, float]) -> Sound | None:
    """The note on a fresh instance with these controls moved; None where it gave no finite sound."""
    instance = open_plugin(location, RATE)
    for index, raw in raws.items():
        instance.set(index, raw)
    try:
        return instance.play(NOTE, RATE)
    except MenuraError:
        return None


def _cost(location: Location) -> float:
    """Seconds for a fresh instance and 2 s of sound, the quicker of two."""
    took: list[float] = []
    for _ in range(2):
        began = time.perf_counter()
        try:
            open_plugin(location, RATE).play(Note(), RATE)
        except MenuraError:
            return 0.0
        took.append(time.perf_counter() - began)
    return min(took)


def _bend_range(location: Location) -> float:
    """Semitones at the end of the pitch wheel, 0 where it moves nothing or something else.

    Half a wheel is played; the shift of the spectrum on a scale of semitones must be half a whole number of them.
    """
    note = Note(57.0, 0.8, 1.0, 1.0)
    try:
        plain, bent = (_log_spectrum(open_plugin(location, RATE).play(note, RATE, bend)) for bend in (0, _BEND))
    except MenuraError:
        return 0.0
    if not plain.any() or not bent.any():
        return 0.0
    size = plain.size + bent.size
    across = np.fft.irfft(np.fft.rfft(bent, size) * np.conj(np.fft.rfft(plain, size)), size)
    shift = int(np.argmax(across[: 13 * _PER_SEMITONE]))
    whole = round(2.0 * shift / _PER_SEMITONE)
    return float(whole) if whole and abs(shift / _PER_SEMITONE - whole / 2) < 0.06 else 0.0


_PER_SEMITONE = 50


def _log_spectrum(sound: Sound) -> Any:
    """Magnitudes at 50 points a semitone from 60 to 8000 Hz, their mean taken off."""
    part = sound.mean(axis=0)[4410:]
    size = 1 << 18
    magnitude = np.abs(np.fft.rfft(part * np.hanning(part.size), size)) ** 0.5
    hz = 60.0 * 2.0 ** (np.arange(0.0, 12 * np.log2(8000 / 60), 1 / _PER_SEMITONE) / 12)
    found = np.interp(hz, np.arange(magnitude.size) * RATE / size, magnitude)
    return found - found.mean() if found.max() > 0 else np.zeros_like(found)
