"""A Vital preset's values and contents in words that need the rest of the preset. Knows the file, not the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from menura.explain.edits import SetBlock
from menura.explain.settings import Setting
from menura.explain.vital_words import loaded_words, readable, route_words
from menura.preset import Preset
from menura.synths.vital.controls import Control, controls
from menura.synths.vital.shapes import nearest_shape

ORDER_OF_EFFECTS = "effect_chain_order"
_STYLES: Mapping[str, tuple[str, ...]] = {
    "Diode": ("Low Shelf", "Low Cut"),
    "Formant": ("AOIE", "AIUO"),
    "Comb": tuple(f"{a} {b}" for a in ("Low High", "Band Spread") for b in ("Comb", "Flange+", "Flange-")),
    "Phaser": ("Positive", "Negative"),
}
"""Names of a filter's styles, where its model has others than those in the engine's table."""
_UNITS = ((r".*transpose$", "semitones"), (r".*_tune$", "cents"), (r"osc_\d_(distortion_)?phase$", "degrees"))
"""Units that Vital's own display leaves out."""


_EFFECTS_BY_NAME = ("Chorus", "Compressor", "Delay", "Distortion", "EQ", "Filter", "Flanger", "Phaser", "Reverb")
_SWITCHES = {name: {"EQ": "eq", "Filter": "filter_fx"}.get(name, name.lower()) + "_on" for name in _EFFECTS_BY_NAME}


def shown(control: Control, value: float, preset: Preset) -> str:
    """The value as Vital shows it, in the words of its module: a filter's style by its model, effects by name."""
    if control.name.endswith("_style") and control.name.startswith("filter_"):
        model = controls()[control.name.replace("_style", "_model")]
        styles = _STYLES.get(readable(model, preset.values.get(model.name, model.default)), control.choices)
        place = round(value)
        return styles[place].replace("dB", " dB") if 0 <= place < len(styles) else str(place)
    if control.name == ORDER_OF_EFFECTS:
        in_use = [name for name in effects_in_order(round(value)) if preset.values.get(_SWITCHES[name], 0.0) >= 0.5]
        return " → ".join(in_use) if len(in_use) > 1 else f"number {value:.0f}"
    if re.fullmatch(r"filter_\w+_blend", control.name):
        return f"{readable(control, value)} ({_blend_words(value)})"
    text = readable(control, value)
    if re.fullmatch(r"[-+\d.]+", text):
        unit = next((unit for pattern, unit in _UNITS if re.match(pattern, control.name)), "")
        return f"{text} {unit}".strip()
    return text


def effects_in_order(code: int) -> list[str]:
    """The nine effects in the order that the number stands for; 0 is the order of the alphabet.

    The number counts permutations in the factorial number system: its digit of base k says how many of the effects
    before place k - 1 come, by name, after the one there.
    """
    left = list(_EFFECTS_BY_NAME)
    found: list[str] = []
    while left:
        code, inversions = divmod(code, len(left))
        found.append(left.pop(len(left) - 1 - inversions))
    return found[::-1]


def content_words(edit: SetBlock, preset: Preset) -> Setting:
    """What is loaded from the preset, in words."""
    if not edit.present:
        return Setting(str(edit.path[-1]), "none")
    match edit.path:
        case ("settings", "wavetables", int(number)):
            return _first(loaded_words(preset, f"osc_{number + 1}"), "Wavetable")
        case ("settings", "sample"):
            return _first(loaded_words(preset, "sample"), "Sound")
        case ("settings", "lfos", int(_)):
            return Setting("Shape", _line(edit.content))
        case ("settings", "modulations", str(slot)):
            route = next((one for one in preset.routes if one.slot == int(slot)), None) if slot.isdecimal() else None
            line = edit.content.get("line_mapping") if isinstance(edit.content, Mapping) else None
            goal = f" of {route_words(route, controls()).name}" if route else f" of route {slot}"
            return Setting(f"Response curve{goal}", _line(line))
    text = " ".join(str(edit.content).split()) if isinstance(edit.content, str) else "from the preset"
    name = str(edit.path[-1]).replace("_", " ").capitalize()
    return Setting(name, text if len(text) <= 60 else f"{text[:57]}...")


def _blend_words(value: float) -> str:
    ends = ("low-pass", "band-pass", "high-pass")
    low = min(int(value), 1)
    share = value - low
    return ends[low] if share < 0.05 else ends[low + 1] if share > 0.95 else f"{ends[low]} to {ends[low + 1]}"


def _line(found: Any) -> str:
    """A drawn line in words."""
    if not isinstance(found, Mapping) or not found.get("num_points"):
        return "from the preset"
    count = found["num_points"]
    near = nearest_shape(found) if count > 1 else "high"
    name = str(found.get("name") or "").strip()
    drawn = f"{count} point{'s' if count > 1 else ''}, much like {near}"
    return f"{name} ({drawn})" if name and name.casefold() != near else drawn


def _first(settings: Sequence[Setting], name: str) -> Setting:
    return settings[0] if settings else Setting(name, "from the preset")
