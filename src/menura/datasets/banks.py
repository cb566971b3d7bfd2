"""Preset banks: presets by people in a folder or tar, chosen fairly, rendered, and made items.

Knows no model and no metric. `archive` and `voices` reach the files, `duplicates` says what is the same, `truths`
renders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from menura.datasets.archive import Archive
from menura.datasets.duplicates import PARAMETER_TWINS, SOUND_TWINS, Seen, knob_space, parameter_picture, sound_picture
from menura.datasets.item import Item
from menura.datasets.record import as_record, from_record
from menura.datasets.selection import Where, answers, balanced
from menura.datasets.truths import SILENT_PEAK, Draft, Heard, Truths
from menura.datasets.voices import Voices
from menura.errors import ManifestError, PresetError
from menura.note import Note
from menura.storage import hash_file

_AT_ONCE = 128
"""Presets that are held in memory together while all of a bank is wanted."""
_VERSION = 2
"""Raise it when another choice comes out of the same bank, so that kept ones are made again."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which presets of a bank are wanted, and how they are played."""

    count: int | None = None
    """How many; None is all that can be used."""
    seed: int = 0
    """Of the choice."""
    note: Note = field(default_factory=Note)
    """How each one is played."""
    freeze: bool = True
    """Without chance, so that the sound can be made again."""
    where: Where = field(default_factory=dict[str, Any])
    """Filters on `source`, `folder`, `name` and `category`."""
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    """Source folder to the author it is really by, where two folders are one author's."""
    licences: Mapping[str, str] = field(default_factory=dict[str, str])
    """Source to licence."""
    twins: bool = False
    """True keeps near-duplicates."""


Bank = Archive | Voices
"""Files of presets by name, wherever they lie."""


def bank_items(bank: Bank, choice: Choice, truths: Truths) -> tuple[tuple[Item, ...], dict[str, Any]]:
    """The chosen presets of a bank as items, each with its sound, its frozen preset and its original.

    Presets are taken from the sources in turn, so that one author's nine in ten do not swamp the rest. Broken and
    silent presets and near-duplicates of those that were taken are left out, and the next ones take their place, so
    that no more is rendered than is needed.

    Args:
        bank: the files.
        choice: what is wanted of it.
        truths: renders and keeps them.

    Returns:
        Items in the order of the choice, and what is to be said of their origin, as JSON values.

    Raises:
        ManifestError: there is no preset in it, or none that the filters leave.
        EngineError: no engine could be started.
    """
    recipe = _recipe(bank, choice, truths)
    if made := truths.store.find(recipe):
        kept = tuple(from_record(record, truths.store.folder) for record in made.facts["items"])
        return kept, dict(made.facts["origin"])
    members = [_member(name, choice) for name in _without_common_folder(bank.names)]
    if not members:
        raise ManifestError(f"{bank.path} holds no {truths.synth.suffix} presets; name a folder or tar of them")
    early = {column: wanted for column, wanted in choice.where.items() if column != "category"}
    wanted = [member for member in members if answers(member.fields, early)]
    if not wanted:
        raise ManifestError(f"none of the {len(members)} presets of {bank.path} answers to {dict(choice.where)}")
    found = _Selection(bank, choice, truths)
    order = balanced(wanted, source=lambda member: member.source, name=lambda member: member.name, seed=choice.seed)
    found.run(order)
    origin: dict[str, Any] = {
        "presets": len(members),
        "examined": found.examined,
        "taken": _counted(item.source for item in found.items),
        "left_out": {reason: found.left_out[reason] for reason in sorted(found.left_out)},
        "examples": found.examples,
        "unread": dict(bank.left_out),
    }
    folder = truths.store.folder
    files = [file for item in found.items for file in (item.sound, item.preset, item.original) if file is not None]
    hashes = {file.relative_to(folder).as_posix(): hash_file(file) for file in files}
    truths.store.note(recipe, hashes, {"items": [as_record(item, folder) for item in found.items], "origin": origin})
    return tuple(found.items), origin


def _recipe(bank: Bank, choice: Choice, truths: Truths) -> Mapping[str, Any]:
    """Everything that decides the items."""
    return {
        "made": "bank",
        "version": _VERSION,
        "bank": bank.sha256,
        "choice": {**asdict(choice), "where": dict(choice.where)},
        "twins": [PARAMETER_TWINS, SOUND_TWINS, SILENT_PEAK],
        "synth": [truths.synth.name, truths.synth.version],
    }


@dataclass(frozen=True, slots=True)
class _Member:
    """A file of the bank."""

    file: str
    """Its name in the archive."""
    name: str
    """Without the folder that all have in common, and without the ending: the item's id."""
    source: str
    fields: Mapping[str, str]


class _Selection:
    """Takes presets one after another until there are enough."""

    def __init__(self, bank: Bank, choice: Choice, truths: Truths) -> None:
        self.items: list[Item] = []
        self.left_out: dict[str, int] = {}
        self.examples: dict[str, str] = {}
        self.examined = 0
        self._bank, self._choice, self._truths = bank, choice, truths
        self._space = knob_space(truths.synth.space)
        self._seen = Seen()

    def run(self, order: Sequence[_Member]) -> None:
        """Goes through the members in order; reads and renders in lots of what is still missing."""
        start = 0
        while start < len(order) and (missing := self._missing(len(order) - start)) > 0:
            lot = order[start : start + min(max(missing, 16), _AT_ONCE)]
            contents = self._bank.read(member.file for member in lot)
            drafts: list[Draft] = []
            for member in lot:
                if len(drafts) == missing:
                    break
                start += 1
                self.examined += 1
                if draft := self._draft(member, contents.get(member.file)):
                    drafts.append(draft)
            for heard in self._truths.hear(drafts):
                self._take(heard)

    def _missing(self, left: int) -> int:
        return left if self._choice.count is None else self._choice.count - len(self.items)

    def _draft(self, member: _Member, content: bytes | None) -> Draft | None:
        """The member as it is to be rendered; None, and counted, where it is not."""
        if content is None:
            return self._leave("unreadable", member.name)
        synth, choice = self._truths.synth, self._choice
        try:
            preset = synth.read(content)
            shown = synth.freeze(preset) if choice.freeze else preset
            picture = parameter_picture(shown, self._space)
        except PresetError as error:
            return self._leave("broken", f"{member.name}: {error}")
        category = str(preset.blocks.get("preset_style") or "").strip().lower()
        if "category" in choice.where and not answers({"category": category}, {"category": choice.where["category"]}):
            return self._leave("not asked for", member.name)
        if not choice.twins:
            if twin := self._seen.preset_twin(picture):
                return self._leave("twin in parameters", f"{member.name} of {twin}")
            # Taken before it is heard: whether the sound fails or not, its twins would fare alike.
            self._seen.take_preset(member.name, picture)
        shown = replace(shown, origin={"file": PurePosixPath(member.file).name, "source": member.source})
        licence = choice.licences.get(member.source, "")
        return Draft(member.name, shown, content, choice.note, category, member.source, licence)

    def _take(self, heard: Heard) -> None:
        if heard.audio is None:
            self._leave("silent" if heard.why == "silent" else "failed", f"{heard.draft.id}: {heard.why}")
            self._truths.write(heard)
            return
        if not self._choice.twins:
            picture = sound_picture(heard.audio)
            if twin := self._seen.sound_twin(picture):
                self._leave("twin in sound", f"{heard.draft.id} of {twin}")
                return
            self._seen.take_sound(heard.draft.id, picture)
        self.items.append(self._truths.write(heard))

    def _leave(self, reason: str, what: str) -> None:
        self.left_out[reason] = self.left_out.get(reason, 0) + 1
        self.examples.setdefault(reason, what)


def _without_common_folder(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(name, name without the folders that all of them are in)."""
    parts = [PurePosixPath(name).parts for name in names]
    shared = 0
    while parts and all(len(part) > shared + 2 and part[shared] == parts[0][shared] for part in parts):
        shared += 1
    for name, part in zip(names, parts, strict=True):
        yield name, "/".join(part[shared:])


def _member(names: tuple[str, str], choice: Choice) -> _Member:
    file, name = names
    path = PurePosixPath(name)
    folder = path.parts[0] if len(path.parts) > 1 else ""
    source = choice.sources.get(folder, folder)
    fields = {"source": source, "folder": "/".join(path.parts[:-1]), "name": path.stem, "file": file}
    return _Member(file, str(path.with_suffix("")), source, fields)


def _counted(words: Iterator[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return dict(sorted(found.items()))
