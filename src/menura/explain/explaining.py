"""From a preset to its tutorial: finds the steps, plays each, and leaves out of them what cannot be heard.

Owns what is folded, and the proof that folding it was right. Knows no synth's words and no language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from menura.errors import RenderError
from menura.explain.edits import Edit, applied, edits_between
from menura.explain.measuring import INAUDIBLE_DB, Heard, Listening, difference_db, effect_between
from menura.explain.tutorial import SWITCH, Change, Effect, Step, Tutorial
from menura.explain.vocabulary import Place, Vocabulary, vocabulary_of
from menura.matching.renderer import Renderer
from menura.note import Note
from menura.preset import Preset, place_routes
from menura.synths.base import Synth

Progress = Callable[[int], None]


def explain(
    preset: Preset, synth: Synth, pool: Renderer, note: Note | None = None, *, progress: Progress | None = None
) -> Tutorial:
    """The tutorial of a preset: from the synth's initial patch, in the order in which a sound designer works.

    All differences are in it, so that `execute` arrives at the same state. What is not heard with this note is in
    `also`: first what is known to be off, and each edit without which the preset sounds alike; that all of it
    together is not heard is rendered too. Chance is frozen for the measuring alone.

    Args:
        preset: the goal.
        synth: the synth that plays it.
        pool: renders exactly; see `synths.pool.RenderPool`.
        note: what is played; C4 for a second by default.
        progress: called with the number of presets that are played next.

    Raises:
        RenderError: the preset itself gives no sound.
    """
    goal = replace(preset, routes=place_routes(preset.routes, max(synth.space.slots, len(preset.routes))))
    initial = synth.init()
    words = vocabulary_of(initial, goal)
    edits = edits_between(initial, goal, words.containers)
    ear = _Ear(synth, pool, note or Note(), progress)
    floor = ear.noise_floor(goal)
    folding = _Folding(initial, goal, edits, ear, floor, words)
    quiet = folding.find()
    while True:
        steps = _measured(initial, [edit for n, edit in enumerate(edits) if n not in quiet], words, ear, floor)
        more = folding.join(steps, quiet)
        if more == quiet:
            break
        quiet = more
    also = _by_place([edit for number, edit in enumerate(edits) if number in quiet], words)
    return Tutorial(
        synth=synth.name,
        version=synth.version,
        name=preset.name,
        initial=initial,
        preset_id=goal.id,
        note=ear.note,
        steps=steps,
        also=tuple(_step(place, found, words) for place, found in also),
        noise_floor_db=floor,
    )


@dataclass(slots=True)
class _Ear:
    """Plays presets without chance; none is played twice."""

    synth: Synth
    pool: Renderer
    note: Note
    progress: Progress | None
    _heard: dict[tuple[str, bool], Heard | None] = field(default_factory=dict)

    def listen(self, presets: Sequence[Preset], *, whole: bool = False) -> list[Heard | None]:
        """What is heard of each; None where one cannot be played."""
        frozen = [self.synth.freeze(preset) for preset in presets]
        new = {one.id: one for one in frozen if (one.id, whole) not in self._heard}
        if new and self.progress:
            self.progress(len(new))
        for name, answer in zip(new, self._render(list(new.values()), whole), strict=True):
            self._heard[name, whole] = answer
        return [self._heard[one.id, whole] for one in frozen]

    def noise_floor(self, goal: Preset) -> float:
        """Differences up to it are none: twice what the engine does from render to render, and what nobody hears.

        Raises RenderError where the preset cannot be played.
        """
        first, second = self._render([self.synth.freeze(goal)] * 2, False)
        if first is None or second is None:
            raise RenderError(f"{goal.name or 'the preset'} could not be played at {self.note.name}; try another note")
        return max(INAUDIBLE_DB, 2.0 * difference_db(first.picture, second.picture))

    def _render(self, presets: Sequence[Preset], whole: bool) -> list[Heard | None]:
        asked = [(preset, self.note) for preset in presets]
        answers = self.pool.render_many(asked, measure=Listening(self.note, whole)) if asked else []
        return [answer.measured if answer.ok else None for answer in answers]


@dataclass(slots=True)
class _Folding:
    """Finds the edits that may be left out, all of them together, without a difference that is heard."""

    initial: Preset
    goal: Preset
    edits: Sequence[Edit]
    ear: _Ear
    floor: float
    words: Vocabulary

    def find(self) -> set[int]:
        """Numbers of the edits: what is known to be off, and each edit that is not missed.

        What freezing takes away is not told from silence by ear, so it stays.
        """
        known = [number for number, edit in enumerate(self.edits) if self.words.silent(edit)]
        open_ones = [n for n in range(len(self.edits)) if n not in set(known) and not self.by_chance(n)]
        alone = self._alike([{number} for number in open_ones])
        suspects = [*known, *(number for number, alike in zip(open_ones, alone, strict=True) if alike)]
        return self._together(suspects, set())

    def join(self, steps: Sequence[Step], quiet: set[int]) -> set[int]:
        """The same and the edits of steps that nobody hears, where nothing later builds on them."""
        numbers = {id(edit): number for number, edit in enumerate(self.edits)}
        for step in steps:
            if step.effect is not None and not step.effect.audible:
                more = quiet | {numbers[id(change.edit)] for change in step.changes}
                quiet = more if self._alike([more])[0] else quiet
        return quiet

    def by_chance(self, number: int) -> bool:
        """True where the preset without chance does not know of the edit."""
        edit, freeze = self.edits[number], self.ear.synth.freeze
        return self.words.chance(edit) or freeze(self._without({number})).id == freeze(self.goal).id

    def _together(self, suspects: list[int], sure: set[int]) -> set[int]:
        """The suspects that can join those that are sure: all at once if they can, else half by half."""
        if not suspects:
            return sure
        if self._alike([sure | set(suspects)])[0]:
            return sure | set(suspects)
        if len(suspects) == 1:
            return sure
        half = len(suspects) // 2
        return self._together(suspects[half:], self._together(suspects[:half], sure))

    def _alike(self, without: Sequence[set[int]]) -> list[bool]:
        goal, *heard = self.ear.listen([self.goal, *map(self._without, without)])
        return [
            goal is not None and one is not None and difference_db(goal.picture, one.picture) <= self.floor
            for one in heard
        ]

    def _without(self, left_out: set[int]) -> Preset:
        return applied(self.initial, (edit for number, edit in enumerate(self.edits) if number not in left_out))


def _by_place(edits: Iterable[Edit], words: Vocabulary) -> list[tuple[Place, list[Edit]]]:
    """The edits by step, in order."""
    groups: dict[tuple[tuple[int, ...], str], tuple[Place, list[Edit]]] = {}
    for edit in edits:
        place = words.place(edit)
        groups.setdefault((place.order, place.title), (place, []))[1].append(edit)
    return [groups[key] for key in sorted(groups)]


def _measured(initial: Preset, edits: Sequence[Edit], words: Vocabulary, ear: _Ear, floor: float) -> tuple[Step, ...]:
    """The steps with what each did to the sound."""
    groups = _by_place(edits, words)
    stations = [initial]
    for _, found in groups:
        stations.append(applied(stations[-1], found))
    heard = ear.listen(stations, whole=True)
    frozen = [ear.synth.freeze(station).id for station in stations]
    steps: list[Step] = []
    before = heard[0]
    for number, ((place, found), after) in enumerate(zip(groups, heard[1:], strict=True)):
        effect: Effect | None = None
        held_still = frozen[number] == frozen[number + 1] or all(map(words.chance, found))
        if before is not None and after is not None and not held_still:
            effect = effect_between(before, after, floor)
        steps.append(replace(_step(place, found, words), effect=effect))
        before = after if after is not None else before
    return tuple(steps)


def _step(place: Place, edits: Sequence[Edit], words: Vocabulary) -> Step:
    changes: list[Change] = []
    for edit in edits:
        setting = words.words(edit)
        changes.append(Change(edit, setting.name, setting.value))
    return Step(place.heading, place.title, tuple(sorted(changes, key=_first)), place.role)


def _first(change: Change) -> int:
    """Switches, then contents, then controls, then routes."""
    if change.name == SWITCH or (change.value == "On" and change.name.endswith(" on")):
        return 0
    return {"SetBlock": 1, "SetControl": 2, "SetRoute": 3}[type(change.edit).__name__]
