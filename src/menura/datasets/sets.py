"""A set by name or by path: tells what it is, loads it, and makes what has to be made. Knows no model and no metric."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from menura.datasets import archive, fsd50k, nsynth, voices
from menura.datasets.banks import Choice, bank_items
from menura.datasets.conditions import with_conditions
from menura.datasets.folder import SOUND_ENDINGS, folder_entries
from menura.datasets.item import Item, SoundSet
from menura.datasets.manifest import read_manifest
from menura.datasets.pairs import pairs_of
from menura.datasets.selection import Entry, balanced, keep
from menura.datasets.splits import SHARES, by_source
from menura.datasets.store import Store
from menura.datasets.synthetic import Recipe, synthetic_items
from menura.datasets.table import Kind, SetTable, all_tables, describe, table_files
from menura.datasets.truths import Draft, Truths
from menura.errors import ManifestError, PresetError, UnknownNameError
from menura.note import Note
from menura.storage import hash_file
from menura.synths.registry import synth_of

Tell = Callable[[str], None]
_SYNTHETIC_COUNT = 60


def known_sets() -> dict[str, str]:
    """The sets that have a name, each with one line.

    Raises:
        ManifestError: a file of sets cannot be followed.
    """
    return {name: table.what for name, table in sorted(all_tables().items())}


def load_set(
    name_or_path: str | Path,
    *,
    folder: Path,
    synth: str = "vital",
    limit: int | None = None,
    seed: int = 0,
    conditions: Sequence[str] = (),
    workers: int | None = None,
    tell: Tell | None = None,
) -> SoundSet:
    """The items of a set, in an order that is the same in every run, ready to be heard.

    Args:
        name_or_path: a name from a file of sets (`known_sets`), or a path: a manifest (CSV, JSON), a preset, a preset
            folder or tar, a sound or a folder of sounds, an NSynth or FSD50K folder. A name wins over a path of the
            same spelling; write ``./name`` for the path.
        folder: of the run; what is rendered or changed is kept in its ``targets`` and ``truth``, and made only once.
        synth: whose presets a bank holds and a synthetic set draws, where the set does not say.
        limit: the first ones alone; nothing is rendered for the others.
        seed: of what the set leaves to chance and states no seed for.
        conditions: what is done to the sounds besides, from `CONDITIONS`; the set's own come first.
        workers: processes that render; None takes one a core.
        tell: called with one line when something takes a while.

    Returns:
        The set. A sound that is missing, unreadable or not what its checksum says is an item with an `error`.

    Raises:
        UnknownNameError: no such set, and no such path; the message says where it looked. Also an unknown synth,
            sampler or condition.
        ManifestError: a manifest, bank or folder that cannot be followed as a whole.
        EngineError: something has to be rendered and no engine could be started.
        OutputError: the disk refuses.
    """
    if limit is not None and limit < 1:
        raise ManifestError(f"a limit of {limit} leaves nothing; give 1 or more")
    table = _table(str(name_or_path))
    chosen = seed if table.seed is None else table.seed
    instrument = synth_of(table.synth or synth)
    kind = table.kind or _kind(table, instrument.suffix)
    whole = table.pairs or bool(table.part)
    most = table.count if limit is None or whole else min(limit, table.count or limit)
    with Truths(Store(folder), instrument, workers=workers, tell=tell) as truths:
        if kind == "synthetic":
            recipe = Recipe(most or _SYNTHETIC_COUNT, chosen, table.sampler, table.note or Note(), table.freeze)
            items, origin = synthetic_items(recipe, truths)
        elif kind == "presets":
            items, origin = _bank(table, most, chosen, truths)
        else:
            items, origin = _listed(table, kind, None if whole else limit, chosen, truths)
    if table.part:
        items = _part(items, table, chosen)
    if table.pairs:
        items = pairs_of(items, per_source=table.per_source, seed=chosen)
        origin["pairs"] = len(items)
    items = items[:limit]
    if not items:
        raise ManifestError(f"the set {table.name!r} has no items left; loosen where, part or pairs")
    about: dict[str, object] = {
        **describe(table),
        "kind": kind,
        "path": "" if table.path is None else table.path.name,
        "seed": chosen,
        **origin,
        "items": len(items),
        "errors": sum(bool(item.error) for item in items),
    }
    found = SoundSet(table.name, items, about)
    return with_conditions(found, [*table.conditions, *conditions], folder, chosen)


def _table(word: str) -> SetTable:
    """The table of a name, or one made for a path."""
    tables = all_tables()
    if word in tables:
        return tables[word]
    path = Path(word).expanduser()
    if path.exists():
        return SetTable(name=path.resolve().name or word, path=path)
    close = difflib.get_close_matches(word, tables, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    looked = ", ".join(str(place) for place in table_files())
    raise UnknownNameError(
        f"no set is called {word!r} and no file or folder is there; known: {', '.join(sorted(tables)) or 'none'} "
        f"(looked in {looked}){hint}"
    )


def _kind(table: SetTable, suffix: str) -> Kind:
    """What there is at the table's path."""
    path = table.path
    if path is None:
        raise ManifestError(f'the set {table.name!r} has no path; give one, or kind = "synthetic"')
    if not path.exists():
        raise ManifestError(f"the set {table.name!r} is at {path}, which is not there; mend its path, or get the data")
    ending = path.suffix.lower()
    if path.is_file():
        if ending in (".csv", ".json"):
            return "nsynth" if path.name == "examples.json" and nsynth.is_nsynth(path.parent) else "manifest"
        if archive.is_tar(path) or ending == suffix.lower() or (suffix == ".syx" and ending in voices.ENDINGS):
            return "presets"
        if ending in SOUND_ENDINGS:
            return "sounds"
        raise ManifestError(
            f"{path} is no set; give a CSV or JSON manifest, a tar or {suffix} preset, a sound, or a folder of such"
        )
    if nsynth.is_nsynth(path):
        return "nsynth"
    if fsd50k.is_fsd50k(path):
        return "fsd50k"
    if (path / "manifest.csv").is_file() or (path / "manifest.json").is_file():
        return "manifest"
    if next((file for file in path.rglob("*") if file.suffix.lower() == suffix.lower()), None):
        return "presets"
    return "sounds"


def _listed(
    table: SetTable, kind: Kind, limit: int | None, seed: int, truths: Truths
) -> tuple[tuple[Item, ...], dict[str, Any]]:
    """The items of a list of files: filtered, chosen, and looked at."""
    path = table.path or Path()
    origin: dict[str, Any] = {}
    if kind == "manifest":
        path = next((file for name in ("manifest.csv", "manifest.json") if (file := path / name).is_file()), path)
        entries = read_manifest(path, note=table.note)
        origin["sha256"] = hash_file(path)
    elif kind == "nsynth":
        entries = nsynth.nsynth_entries(path if path.is_dir() else path.parent)
    elif kind == "fsd50k":
        entries = fsd50k.fsd50k_entries(path)
    else:
        entries = folder_entries(path, pitch_from_name=table.pitch_from_name)
    origin["listed"] = len(entries)
    entries = keep(entries, table.where, name=f"the set {table.name!r}")
    items = [_told(entry, table) for entry in entries]
    if table.count is not None:
        items = balanced(items, source=lambda item: item.source, name=lambda item: item.id, seed=seed)[: table.count]
    items = items[:limit]
    return tuple(_checked(_rendered(items, table, truths))), origin


def _told(entry: Entry, table: SetTable) -> Item:
    """The item with what the set's table adds to its list."""
    item = entry.item
    source = table.sources.get(item.source, item.source)
    return replace(item, source=source, licence=item.licence or table.licences.get(source, ""))


def _rendered(items: Sequence[Item], table: SetTable, truths: Truths) -> list[Item]:
    """The items; those that are presets of the synth with the sound that it makes of them."""
    found = list(items)
    drafts: dict[int, Draft] = {}
    for number, item in enumerate(items):
        if item.error or item.sound.suffix.lower() != truths.synth.suffix.lower():
            continue
        try:
            content = item.sound.read_bytes()
            if item.sha256 and hash_file(item.sound) != item.sha256:
                raise PresetError(f"{item.sound.name} is not the file that the manifest means: its sha256 is another")
            preset = truths.synth.read(content)
            preset = truths.synth.freeze(preset) if table.freeze else preset
        except (PresetError, OSError) as error:
            found[number] = replace(item, error=_line(error))
            continue
        note = item.note or table.note or Note()
        note = note if item.pitch is None else replace(note, pitch=item.pitch)
        drafts[number] = Draft(item.id, preset, content, note, item.category, item.source, item.licence)
    for number, heard in zip(drafts, truths.hear(list(drafts.values())), strict=True):
        found[number] = replace(truths.write(heard), articulation=items[number].articulation, tags=items[number].tags)
    return found


def _checked(items: Sequence[Item]) -> list[Item]:
    """The items; those whose sound is missing, no sound or another one than stated with an error."""
    import soundfile

    found: list[Item] = []
    for item in items:
        error = item.error
        if not error:
            try:
                if item.sha256 and hash_file(item.sound) != item.sha256:
                    error = f"{item.sound.name} is not the file that the manifest means: its sha256 is another"
                else:
                    soundfile.info(str(item.sound))
            except FileNotFoundError:
                error = f"{item.sound} does not exist; get the file, or take the row out"
            except (soundfile.SoundFileError, OSError, TypeError, ValueError) as trouble:
                missing = not item.sound.exists()
                error = (
                    f"{item.sound} does not exist; get the file, or take the row out"
                    if missing
                    else f"{item.sound} cannot be read as a sound ({_line(trouble)})"
                )
        found.append(replace(item, error=error))
    return found


def _bank(table: SetTable, count: int | None, seed: int, truths: Truths) -> tuple[tuple[Item, ...], dict[str, Any]]:
    path, suffix = table.path or Path(), truths.synth.suffix
    many = suffix == ".syx" and path.is_file() and path.suffix.lower() in voices.ENDINGS
    bank = voices.Voices(path) if many else archive.Archive(path, suffix)
    choice = Choice(
        count,
        seed,
        table.note or Note(),
        table.freeze,
        table.where,
        table.sources,
        table.licences,
        table.twins,
    )
    items, origin = bank_items(bank, choice, truths)
    return items, {"sha256": bank.sha256, **origin}


def _part(items: tuple[Item, ...], table: SetTable, seed: int) -> tuple[Item, ...]:
    if table.part not in SHARES:
        raise ManifestError(f"the set {table.name!r} wants the part {table.part!r}; there are {', '.join(SHARES)}")
    return by_source(items, SHARES, seed)[table.part]


def _line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
