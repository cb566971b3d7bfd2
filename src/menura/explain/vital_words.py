"""A Vital preset in words, with the numbers that Vital itself shows. Knows the files' names, not the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from menura.explain.settings import Setting, SettingGroup, same
from menura.preset import Preset, Route
from menura.synths.vital.controls import Control, controls

MODULES: tuple[tuple[str, str], ...] = (
    *((f"osc_{n}", f"Oscillator {n}") for n in (1, 2, 3)),
    ("sample", "Sample"),
    *((f"filter_{n}", f"Filter {n}") for n in (1, 2)),
    *((f"env_{n}", f"Envelope {n}") for n in range(1, 7)),
    *((f"lfo_{n}", f"LFO {n}") for n in range(1, 9)),
    *((f"random_{n}", f"Random LFO {n}") for n in range(1, 5)),
    *((name, name.title()) for name in ("chorus", "compressor", "delay", "distortion")),
    ("eq", "Equalizer"),
    ("filter_fx", "Effects filter"),
    *((name, name.title()) for name in ("flanger", "phaser", "reverb")),
    ("macro_control", "Macros"),
    ("", "Voice and output"),
)
TITLES = dict(MODULES)
_UNUSED = re.compile(r"view_|.*_view_2d|.*_on$|effect_chain_order|modulation_\d")
_MOVERS = re.compile(r"(env|lfo|random)_\d")


def vital_settings(preset: Preset, initial: Preset) -> list[SettingGroup]:
    """Groups of settings that differ from the initial patch and are heard, then the routes."""
    routes = [route for route in preset.routes if route.source and route.destination and not route.bypass]
    routes = [route for route in routes if _plays(preset, module_of(route.destination))]
    moving = {route.source for route in routes} | {"env_1"}
    known = controls()
    members: dict[str, list[Control]] = {prefix: [] for prefix, _ in MODULES}
    for name, control in known.items():
        if not _UNUSED.match(name):
            members[module_of(name)].append(control)
    groups: list[SettingGroup] = []
    for prefix, title in MODULES:
        if not _plays(preset, prefix) or (_MOVERS.fullmatch(prefix) and prefix not in moving):
            continue
        rows = loaded_words(preset, prefix)
        for control in members[prefix]:
            value = preset.values.get(control.name)
            if value is None or same(value, initial.values.get(control.name)) or overruled(preset, control.name):
                continue
            rows.append(Setting(short_name(control.label, title), readable(control, value)))
        shape = lfo_shape(preset, prefix)
        if rows or shape:
            groups.append(SettingGroup(title, tuple(rows), shape))
    if routes:
        groups.append(SettingGroup("Routes", tuple(route_words(route, known) for route in routes)))
    return groups


def readable(control: Control, value: float) -> str:
    """A value as Vital shows it; for a cutoff also in Hz."""
    if control.indexed:
        place = round(value - control.low)
        if 0 <= place < len(control.choices):
            return control.choices[place].capitalize() if control.choices[place].isupper() else control.choices[place]
        return _with_units(f"{value * control.multiply + control.offset:.0f}", control.units)
    curve = {"quadratic": value**2, "quartic": value**4, "square_root": max(value, 0.0) ** 0.5}.get(
        control.scale, value
    )
    if control.scale == "exponential":
        # The engine stores a rate and shows the time that one turn takes.
        curve = 2.0**-value if control.name.endswith("frequency") and control.units == "secs" else 2.0**value
    shown = curve * control.multiply + control.offset
    number = f"{shown:.0f}" if abs(shown) >= 100 else f"{shown:.3g}"
    text = _with_units("0" if number in ("-0", "0") else number, control.units)
    if control.name.endswith("_cutoff") and control.units == "semitones":
        text += f" ({440.0 * 2.0 ** ((value - 69.0) / 12.0):.0f} Hz)"
    return text


def _with_units(number: str, units: str) -> str:
    units = {"secs": "s", "v": "voices"}.get(units, units)
    if number == "1" and units == "voices":
        units = "voice"
    return f"{number}{units}" if units == "%" else f"{number} {units}".strip()


def module_of(name: str) -> str:
    """`osc_1` of `osc_1_level`; empty for what belongs to the whole."""
    words = name.split("_")
    return next((part for n in (2, 1) if (part := "_".join(words[:n])) in TITLES), "")


def _plays(preset: Preset, prefix: str) -> bool:
    """False where the part has a switch and it is off."""
    return preset.values.get(f"{prefix}_on", 1.0) >= 0.5


def overruled(preset: Preset, name: str) -> bool:
    """True for a rate that another control sets aside: seconds where the tempo counts, and the other way round."""
    prefix, _, field = name.rpartition("_")
    sync = preset.values.get(f"{prefix}_sync")
    if sync is None or field not in ("frequency", "tempo"):
        return False
    return (field == "frequency") != (sync == 0.0)


def short_name(label: str, title: str) -> str:
    """`Oscillator 1 Level` in the group `Oscillator 1` is `Level`."""
    start = re.escape(title).replace("Effects\\ filter", "Filter fx").replace("Equalizer", "EQ")
    return re.sub(rf"^{start}\s+", "", label, flags=re.IGNORECASE) or label


def source_name(source: str) -> str:
    """``Envelope 2`` for ``env_2``, ``Macro 1``, ``Velocity``."""
    if source in TITLES:
        return TITLES[source]
    return source.replace("macro_control", "macro").replace("_", " ").capitalize()


def destination_name(destination: str, known: Mapping[str, Control]) -> str:
    """``Filter 1 Cutoff`` for ``filter_1_cutoff``; a route's amount with the number of its slot."""
    slot = re.match(r"modulation_(\d+)_", destination)
    label = known[destination].label if destination in known else destination.replace("_", " ")
    return label.replace("Modulation", f"Modulation {slot[1]}", 1) if slot else label


def route_words(route: Route, known: Mapping[str, Control]) -> Setting:
    """A route as ``Envelope 2 → Filter 1 Cutoff`` with its amount, a share of the destination's range."""
    destination = destination_name(route.destination, known)
    extras = [word for word, is_so in (("both ways", route.bipolar), ("stereo", route.stereo)) if is_so]
    if route.power:
        extras.append(f"curve {route.power:+.2g}")
    return Setting(f"{source_name(route.source)} → {destination}", ", ".join([f"{route.amount:+.0%}", *extras]))


def _settings(preset: Preset, name: str) -> Any:
    settings = preset.blocks.get("settings")
    return settings.get(name) if isinstance(settings, Mapping) else None


def _item(items: Any, prefix: str) -> Any:
    """The entry of a list that belongs to `osc_2`, `lfo_8`, ..."""
    place = int(prefix[-1]) - 1
    return items[place] if isinstance(items, Sequence) and place < len(items) else None


def loaded_words(preset: Preset, prefix: str) -> list[Setting]:
    """What an oscillator or the sampler plays."""
    if prefix.startswith("osc_"):
        table = _item(_settings(preset, "wavetables"), prefix)
        if not isinstance(table, Mapping):
            return []
        frames = sum(
            len(component.get("keyframes") or ())
            for group in table.get("groups") or ()
            for component in group.get("components") or ()
        )
        return [Setting("Wavetable", f"{table.get('name') or 'own'}, {frames} {'frame' if frames == 1 else 'frames'}")]
    if prefix == "sample":
        sample = _settings(preset, "sample")
        if isinstance(sample, Mapping) and sample.get("length") and sample.get("sample_rate"):
            seconds = float(sample["length"]) / float(sample["sample_rate"])
            return [Setting("Sound", f"{sample.get('name') or 'own'}, {seconds:.2f} s")]
    return []


def lfo_shape(preset: Preset, prefix: str) -> tuple[tuple[float, float], ...]:
    """The drawn contour of an LFO; its file counts downwards from the top."""
    if not prefix.startswith("lfo_"):
        return ()
    shape = _item(_settings(preset, "lfos"), prefix)
    if not isinstance(shape, Mapping):
        return ()
    flat = [float(value) for value in shape.get("points") or ()]
    return tuple((x, 1.0 - y) for x, y in zip(flat[0::2], flat[1::2], strict=False))
