"""A Vital preset in the order in which a sound designer builds it, in Vital's own words. Knows no engine.

Order: the oscillators' waves, the sampler, what bends and multiplies the waves, filters, the amplitude's envelope, the
modulators with their routes, effects, routes to effects and to modulators, macros, voice and output. A modulator's
settings are heard through its routes alone, so both are one step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from menura.explain.edits import BlockPath, Edit, SetBlock, SetControl, SetRoute
from menura.explain.settings import Setting, same
from menura.explain.vital_values import ORDER_OF_EFFECTS, content_words, shown
from menura.explain.vital_words import (
    MODULES,
    TITLES,
    destination_name,
    module_of,
    overruled,
    route_words,
    short_name,
    source_name,
)
from menura.explain.vocabulary import Place
from menura.preset import Preset, Route
from menura.synths.vital.controls import controls
from menura.synths.vital.sounding import part_of, sounding_parts

(
    _WAVES, _BENDS, _SAMPLER, _OFF, _FILTERS, _AMPLITUDE, _MOVERS, _EFFECTS, _LATE, _MOVED, _MACROS, _TO_MACROS, _VOICE,
    _REST,
) = range(14)  # fmt: skip
_RANK = {module: number for number, (module, _) in enumerate(MODULES)}
_BENT = re.compile(
    r"osc_\d_(?:(spectral_morph|distortion)|(unison|detune|stack|stereo_spread|frame_spread|spectral_un))"
)
_EFFECT = re.compile(r"chorus|compressor|delay|distortion|eq|filter_fx|flanger|phaser|reverb|effect_chain_order")
_MOVER = re.compile(r"(env_[2-6]|lfo_\d|random_\d|macro_control_\d)(?:_|$)")
_MOVERS_OWN = re.compile(r"(env|lfo|random)_\d_|modulation_\d+_|macro_control_\d")
_CHANCE = re.compile(r"random(_\d)?$")
_UNSEEN = re.compile(r"view_|.*_view_2d|mpe_enabled|mod_wheel|pitch_wheel|bypass")
_ONLY_WITH = (
    (r"(osc_\d)_spectral_morph_(amount|spread)", "spectral_morph_type", lambda value: value >= 0.5),
    (r"(osc_\d)_distortion_(amount|spread|phase)", "distortion_type", lambda value: value >= 0.5),
    (r"(osc_\d)_(unison_detune|unison_blend|detune_.*|stack_style|.*_spread)", "unison_voices", lambda v: v >= 1.5),
    (r"(filter_\w+?)_formant_.*", "model", lambda value: round(value) == 5),
    (r"(filter_\w+?)_blend_transpose", "model", lambda value: round(value) == 6),
    (r"(delay)_aux_.*", "style", lambda value: value >= 0.5),
    (r"((?:lfo|random)_\d)_keytrack_.*", "sync", lambda value: round(value) == 4),
)
"""Controls that are heard only where another control of their module says so."""


class VitalVocabulary:
    """See `vocabulary.Vocabulary`."""

    containers: tuple[BlockPath, ...] = (
        (),
        ("settings",),
        ("settings", "wavetables"),
        ("settings", "lfos"),
        ("settings", "modulations"),
    )

    def __init__(self, initial: Preset, goal: Preset) -> None:
        self._initial = initial
        self._goal = goal
        self._parts = sounding_parts(goal)
        self._known = controls()
        self._routes = {route.slot: route for route in goal.routes}

    def place(self, edit: Edit) -> Place:
        """By module, and by what it is there for."""
        match edit:
            case SetControl(control, _):
                return self._control_place(control)
            case SetRoute(slot, route):
                return self._route_place(route or self._routes.get(slot))
            case SetBlock(("settings", "wavetables", int(number), *_)):
                return self._control_place(f"osc_{number + 1}_wave")
            case SetBlock(("settings", "sample", *_)):
                return self._control_place("sample_level")
            case SetBlock(("settings", "lfos", int(number), *_)):
                return self._control_place(f"lfo_{number + 1}_shape")
            case SetBlock(("settings", "modulations", str(slot), *_)) if slot.isdecimal():
                return self._route_place(self._routes.get(int(slot)))
        return Place((_REST, 0), "content", "Texts", "content")

    def words(self, edit: Edit) -> Setting:
        """As Vital labels and shows it."""
        match edit:
            case SetControl(name, value):
                control = self._known.get(name)
                if control is None:
                    return Setting(name, "default" if value is None else f"{value:.4g}")
                title = TITLES.get(module_of(name), "")
                told = "default" if value is None else shown(control, value, self._goal)
                return Setting(short_name(control.label, title), told)
            case SetRoute(slot, route):
                if route is None:
                    return Setting(f"Route {slot}", "none")
                setting = route_words(route, self._known)
                return Setting(setting.name, f"{setting.value}, off") if route.bypass else setting
            case SetBlock():
                return content_words(edit, self._goal)

    def silent(self, edit: Edit) -> bool:
        """Parts that are off, modulators that move nothing, and controls that another one sets aside."""
        match edit:
            case SetControl(name, value):
                if value is None or name not in self._known or _UNSEEN.fullmatch(name):
                    return True
                if same(value, self._initial.values.get(name)):
                    return True
                if name.endswith("_on"):
                    return False
                return part_of(name) not in self._parts or overruled(self._goal, name) or self._set_aside(name)
            case SetRoute(_, route):
                return route is None or not self._moves(route)
            case SetBlock(("settings", "wavetables", int(number), *_)):
                return f"osc_{number + 1}" not in self._parts
            case SetBlock(("settings", "sample", *_)):
                return "sample" not in self._parts
            case SetBlock(("settings", "lfos", int(number), *_)):
                return f"lfo_{number + 1}" not in self._parts
            case SetBlock(("settings", "modulations", str(slot), *_)) if slot.isdecimal():
                return not self._moves(self._routes.get(int(slot)))
        return True

    def chance(self, edit: Edit) -> bool:
        """Random LFOs and routes from chance: freezing takes them away."""
        match edit:
            case SetControl(control, _):
                return control.startswith("random_")
            case SetRoute(_, route):
                return route is not None and bool(
                    _CHANCE.match(route.source) or re.match(r"random_\d|osc_\d_random_phase", route.destination)
                )
        return False

    def names(self) -> Sequence[str]:
        """Every label of the engine, whole and without its module, and every module."""
        found = {control.label for control in self._known.values()}
        found |= {short_name(one.label, TITLES.get(module_of(one.name), "")) for one in self._known.values()}
        return sorted({*found, *(title for _, title in MODULES)})

    def _control_place(self, name: str) -> Place:
        module = module_of(name)
        title, rank = TITLES.get(module, ""), _RANK.get(module, 0)
        if module.startswith("osc_") or module == "sample":
            sampled = module == "sample"
            heading = "sampler" if sampled else "oscillators"
            if self._goal.values.get(f"{module}_on", 0.0) < 0.5:
                return Place((_OFF, rank), heading, f"{title} off", "off")
            bent = _BENT.match(name)
            if bent:
                kind, part = ("warp", 1) if bent[1] else ("unison", 2)
                return Place((_BENDS, rank, part), heading, f"{title}: {kind}", f"osc.{kind}")
            return Place((_SAMPLER if sampled else _WAVES, rank), heading, title, "sampler" if sampled else "osc.wave")
        if name == ORDER_OF_EFFECTS:
            return Place((_EFFECTS, 99), "effects", "Order of the effects", "effects.order")
        if _EFFECT.match(name):
            return Place((_EFFECTS, rank), "effects", title, module)
        if module.startswith("filter_"):
            return Place((_FILTERS, rank), "filters", self._filter_title(module), self._filter_role(module))
        if module == "env_1":
            return Place((_AMPLITUDE, rank), "envelopes", "Envelope 1 (amplitude)", self._envelope_role())
        mover = _MOVER.match(name)
        if mover:
            return self._mover_place(mover[1])
        return Place((_VOICE, rank), "voice", TITLES[""], "voice")

    def _mover_place(self, source: str, route: Route | None = None) -> Place:
        """The step of a modulator and of the routes that are connected with it."""
        mine = [one for one in self._routes.values() if one.source == source and self._moves(one)]
        stage = _stage(route) if route else min(map(_stage, mine), default=_MOVERS)
        title, module = source_name(source), module_of(source)
        together = [one for one in mine if _stage(one) == stage]
        heading = {"env": "envelopes", "lfo": "lfos", "random": "lfos", "macro": "macros"}.get(
            source.partition("_")[0], "modulation"
        )
        if stage in (_LATE, _MOVED, _TO_MACROS):
            heading = "modulation"
        goals = {_purpose(one.destination) for one in together}
        role = f"move.{goals.pop()}" if len(goals) == 1 else "move.many"
        if source.startswith("macro"):
            title, role = self._macro_title(source), "macro"
        places = list(dict.fromkeys(_target(one.destination) for one in together))
        if 1 <= len(places) <= 2:
            title = f"{title} → {' and '.join(places)}"
        return Place((stage, _RANK.get(module, 60), *source.encode()), heading, title, role)

    def _route_place(self, route: Route | None) -> Place:
        if route is None or not self._moves(route):
            return Place((_REST, 1), "modulation", "Routes", "modulation")
        return self._mover_place(route.source, route)

    def _moves(self, route: Route | None) -> bool:
        return bool(route and route.connected and not route.bypass and part_of(route.destination) in self._parts)

    def _macro_title(self, source: str) -> str:
        """``Macro 1 (GROWL)``."""
        own = self._goal.blocks.get(source.replace("_control_", ""))
        plain = source_name(source)
        return f"{plain} ({own})" if isinstance(own, str) and own.strip() and own.upper() != plain.upper() else plain

    def _filter_title(self, module: str) -> str:
        if self._goal.values.get(f"{module}_on", 0.0) < 0.5:
            return TITLES[module]
        model, style = (self._own(f"{module}_{field}") for field in ("model", "style"))
        return f"{TITLES[module]}, {model} {style}"

    def _filter_role(self, module: str) -> str:
        model, style = (self._own(f"{module}_{field}") for field in ("model", "style"))
        if model in ("Formant", "Comb", "Phaser"):
            return f"filter.{model.lower()}"
        if "dB" not in style or model == "Diode":
            return "filter"
        blend = self._goal.values.get(f"{module}_blend", 0.0)
        return ("filter.low", "filter.band", "filter.high")[0 if blend < 0.67 else 1 if blend < 1.33 else 2]

    def _envelope_role(self) -> str:
        """By what the amplitude does: how it begins, and whether it is held."""
        values = {name: self._goal.values.get(f"env_1_{name}", 0.0) for name in ("attack", "sustain", "hold")}
        if values["attack"] ** 4 >= 0.08:
            return "amplitude.slow"
        return "amplitude.pluck" if values["sustain"] < 0.35 else "amplitude.held"

    def _own(self, name: str) -> str:
        control = self._known[name]
        return shown(control, self._goal.values.get(name, control.default), self._goal)

    def _set_aside(self, name: str) -> bool:
        for pattern, decider, heard in _ONLY_WITH:
            found = re.fullmatch(pattern, name)
            if found:
                control = self._known[f"{found[1]}_{decider}"]
                moved = any(route.destination == control.name for route in self._goal.routes)
                return not moved and not heard(self._goal.values.get(control.name, control.default))
        return False


def _stage(route: Route) -> int:
    """When a route can be connected: once what it moves is there."""
    if route.source.startswith("macro_control"):
        return _MACROS
    if route.destination.startswith("macro_control"):
        return _TO_MACROS
    if _MOVERS_OWN.match(route.destination) and not route.destination.startswith("env_1"):
        return _MOVED
    return _LATE if _EFFECT.match(route.destination) else _MOVERS


def _purpose(destination: str) -> str:
    """What moving it is good for, as in `texts.WHY`."""
    for pattern, purpose in (
        (r"modulation_\d+_amount|(env|lfo|random)_\d", "mover"),
        (r"(osc_\d|voice|sample)_(transpose|tune)|pitch", "pitch"),
        (r"filter_.*(cutoff|blend|formant|resonance)", "filter"),
        (r"osc_\d_(wave_frame|spectral_morph_amount|distortion_amount)", "wave"),
        (r"(osc_\d|sample)_level|voice_amplitude|volume|filter_\d_mix", "level"),
        (r"(osc_\d|sample)_pan|.*spread|.*stereo", "width"),
        (r"osc_\d_unison.*", "width"),
    ):
        if re.match(pattern, destination):
            return purpose
    return "effect" if _EFFECT.match(destination) else "many"


def _target(destination: str) -> str:
    """The end of a route in a title."""
    return destination_name(destination, controls())
